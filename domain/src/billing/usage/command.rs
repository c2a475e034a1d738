//! What may be asked of the usage of a month.

use super::event::Record;
use crate::{billing::stretch::Rules, id::CallId, money::Decimal};
use serde::{Deserialize, Serialize};

/// What a call counts against the credit of its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commits {
    /// How often the call was rated.
    pub revision: u32,
    /// With tax.
    pub amount: Decimal,
    /// What the price that it replaces counted, with tax; 0 of the first.
    #[serde(default)]
    pub replaced: Decimal,
    /// The same by the prices of the records themselves, where that is not it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Own>,
}

/// What a call costs by the prices of its records, and not by the dearest tier that a
/// month may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// With tax.
    pub amount: Decimal,
    /// Of the price that it replaces, with tax.
    pub replaced: Decimal,
}

impl Commits {
    /// By the prices of the records.
    pub fn by_record(&self) -> Own {
        self.own.unwrap_or(Own {
            amount: self.amount,
            replaced: self.replaced,
        })
    }
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Record what a call used, in place of what was recorded of it before.
    /// Nothing happens when it is there; refused when the month is closed.
    Record {
        /// Which call.
        cdr: CallId,
        /// What it used.
        records: Vec<Record>,
        /// What was recorded of it and is no longer true. What is not of this
        /// month is taken back by an adjustment.
        reversed: Vec<Record>,
        /// Why there is something to take back.
        reason: Option<String>,
        /// What of it counts against the account's credit: in whichever month it
        /// is recorded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commits: Option<Commits>,
    },
    /// Record a use that is no call, once for each key. Nothing happens when it is
    /// there; refused when the key is of another use, or the month is closed.
    Count {
        /// What was used.
        record: Box<Record>,
        /// It was charged for: refused when it is there, because then it was
        /// counted without that charge.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_charged: bool,
    },
    /// Close the month: nothing is recorded in it any more. What was included
    /// in the plan, its tiers and its minima are settled.
    Close {
        /// What the plans of its days say.
        rules: Box<Rules>,
    },
    /// The draft that the month was closed for is discarded: it takes what is used and
    /// rated again once more, until it is closed again. Nothing happens while it is open.
    Reopen,
}
