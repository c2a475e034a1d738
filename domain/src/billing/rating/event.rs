//! What can have happened in the rating of a call. The stored schema: handle
//! with care.

use crate::{
    billing::usage::Record, calendar::Period, decider, id::AccountId, money::Decimal,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a call can not be priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnratedReason {
    /// No account owns what was called.
    NoPayer,
    /// The account has no plan on that day.
    NoPlan,
    /// The plan says nothing of that kind of usage.
    NoTerm,
    /// No version of the deck is published.
    NoDeck,
    /// No row of the deck matches the number at that time.
    NoMatch,
    /// The deck or plan is in another currency than the account.
    WrongCurrency,
    /// The number can not be read any more: its subject was erased. Or it is written as
    /// only its own country knows it.
    NoNumber,
    /// There is no tax rate for the account on that day.
    NoTaxRate,
    /// Who pays before had no price for a leg that was to go out: the call was
    /// refused.
    Refused,
}

impl UnratedReason {
    /// The word for it that metrics, logs and the API say.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoPayer => "no_payer",
            Self::NoPlan => "no_plan",
            Self::NoTerm => "no_term",
            Self::NoDeck => "no_deck",
            Self::NoMatch => "no_match",
            Self::WrongCurrency => "wrong_currency",
            Self::NoNumber => "no_number",
            Self::NoTaxRate => "no_tax_rate",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for UnratedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a call costs whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// Who pays.
    pub account: AccountId,
    /// On the invoice of which month.
    pub period: Period,
    /// What was used; nothing, when nobody answered.
    pub records: Vec<Record>,
    /// What counts against the account's credit, with tax; none where the
    /// account has no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commits: Option<Decimal>,
    /// What its records come to with tax, each by its own price, where that is not
    /// what counts: the tier that the month reaches may be a dearer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Decimal>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Who pays before is to reserve credit.
    #[serde(rename = "charging_started")]
    Started {
        /// Who pays.
        account: AccountId,
        /// What the first slice costs, with tax.
        amount: Decimal,
        /// Seconds of talk that are paid by it.
        seconds: u32,
    },
    /// Credit for another slice is to be reserved.
    #[serde(rename = "charging_extended")]
    Extended {
        /// Who pays.
        account: AccountId,
        /// What the call costs with that slice, with tax.
        amount: Decimal,
        /// Seconds of talk that are paid by it.
        seconds: u32,
    },
    /// There is no credit for another slice: whoever talks is told, and the call
    /// ends then.
    #[serde(rename = "charging_exhausted")]
    Exhausted {
        /// Who pays.
        account: AccountId,
        /// When what is paid is used up.
        until: Timestamp,
    },
    /// The call has a price.
    #[serde(rename = "call_rated")]
    Rated {
        /// How often it was rated, from 1.
        revision: u32,
        /// The price.
        bill: Box<Bill>,
        /// The price that it replaces.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<Box<Bill>>,
        /// Why it was rated again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The call has the price again that was to be replaced: its month was closed
    /// in between, and charged for its calls as a whole.
    #[serde(rename = "call_price_restored")]
    Restored {
        /// How often it was rated, with this.
        revision: u32,
        /// The price, as it was.
        bill: Box<Bill>,
        /// The price that does not count.
        withdrawn: Box<Bill>,
        /// The one that was to replace it first, where another one replaced that in turn:
        /// its month never had it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        between: Option<Box<Bill>>,
    },
    /// Whoever has looked wants no price for the call: it is charged to nobody.
    #[serde(rename = "call_dismissed")]
    Dismissed {
        /// Why it had none.
        unrated: UnratedReason,
        /// Why it is to have none.
        reason: String,
    },
    /// The call has no price: a person must look.
    #[serde(rename = "call_unrated")]
    Unrated {
        /// Who would pay, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<AccountId>,
        /// Why.
        reason: UnratedReason,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Started { .. } => "charging_started",
            Self::Extended { .. } => "charging_extended",
            Self::Exhausted { .. } => "charging_exhausted",
            Self::Rated { .. } => "call_rated",
            Self::Restored { .. } => "call_price_restored",
            Self::Dismissed { .. } => "call_dismissed",
            Self::Unrated { .. } => "call_unrated",
        }
    }
}
