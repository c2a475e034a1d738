//! What may be asked of the rating of a call. Each of these is filled in by
//! the rater on its way to the decision: what the accounts, plans and decks
//! say is an input, and what came of it is in the event.

use super::event::{Bill, UnratedReason};
use crate::{id::AccountId, money::Decimal, time::Timestamp};
use serde::{Deserialize, Serialize};

/// What the rater says of a call that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is priced.
    Rated(Box<Bill>),
    /// It can not be priced.
    Unrated {
        /// Who would pay, where that is known.
        account: Option<AccountId>,
        /// Why.
        reason: UnratedReason,
    },
    /// It is nobody's, and nobody was reached, or it was a call for help: there is nothing
    /// to pay, and nobody who could.
    Nobodys,
}

/// What the rater says of the price that a call has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Before {
    /// It is in a closed month that did not charge for it what it says: tiers, the
    /// volume, included units or a minimum made the amount of the month as a whole.
    pub is_settled: bool,
    /// What it counts against the credit, with tax, where nobody said so when it was
    /// rated: its account had no limit then.
    pub commits: Option<Decimal>,
    /// What it comes to with tax by the prices of its own records, where it does not
    /// say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Decimal>,
}

/// What the rater says of a call that begins or goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quote {
    /// Nobody pays before.
    Postpaid,
    /// An account pays before.
    Prepaid {
        /// Which.
        account: AccountId,
        /// What the call will have cost after the next slice, with tax.
        amount: Decimal,
        /// Seconds of talk that are paid by it.
        seconds: u32,
    },
    /// An account pays before, and has no price for where the call leads.
    Unpriced {
        /// Which.
        account: AccountId,
        /// Why not.
        reason: UnratedReason,
    },
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// The call begins: whoever pays before is to reserve credit.
    Start {
        /// By the rater.
        quote: Option<Quote>,
    },
    /// The credit that is reserved will soon be used up.
    Extend {
        /// By the rater.
        quote: Option<Quote>,
    },
    /// There is no credit for another slice: the call ends then.
    Exhaust {
        /// When what is paid is used up.
        until: Timestamp,
    },
    /// The call is over: rate it, once.
    Rate {
        /// By the rater.
        outcome: Option<Outcome>,
    },
    /// Rate it again, with the decks of now and its plan as it was at its answer.
    Rerate {
        /// Why.
        reason: String,
        /// Whoever owns now what was dialled is to pay, not who has paid.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        new_payer: bool,
        /// By the rater.
        outcome: Option<Outcome>,
        /// By the rater, of the price that it has.
        #[serde(default)]
        before: Before,
    },
    /// It is to have no price, though it has none: nobody is charged, and nobody needs to
    /// look any more. It may still be rated again.
    Dismiss {
        /// Why.
        reason: String,
    },
    /// The price of that revision stays: before it could be taken back its month was
    /// closed, and charged for its calls as a whole.
    Restore {
        /// Which.
        revision: u32,
    },
}
