//! What may be asked of an invoice. Payments are decided by the account and
//! are facts here: they are never refused.

use super::event::{Head, Source};
use crate::{billing::Line, id::CreditNoteId, money::Decimal};
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Draft it; nothing happens when it is there. `amount`, `net` and `tax` of
    /// the lines are calculated here.
    Draft {
        /// Who bills whom, and how.
        head: Box<Head>,
        /// What for.
        lines: Vec<Line>,
    },
    /// Add a line to a draft, by a person.
    AddAdjustment {
        /// The line; its `amount`, `net` and `tax` are calculated here.
        line: Line,
        /// What must be written on the document because of its tax.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// The draft is wrong: nothing of it is owed, and its month can be invoiced anew.
    Discard {
        /// Why.
        reason: String,
    },
    /// The draft is right: it is to get its number.
    Approve,
    /// It has its number: it never changes again.
    Issue {
        /// As it is written.
        number: String,
    },
    /// The account paid something of it.
    RecordPayment {
        /// From what.
        source: Source,
        /// How much.
        amount: Decimal,
    },
    /// A payment of it was taken back.
    ReversePayment {
        /// Which.
        source: Source,
        /// How much.
        amount: Decimal,
    },
    /// It is not paid and another step of dunning is due.
    MarkOverdue {
        /// Which step, from 1: the fence of the deadline.
        level: u32,
    },
    /// Take it back by a credit note.
    Credit {
        /// Which; the same one counts once.
        credit_note: CreditNoteId,
        /// How much, with tax; all that is not credited yet, if none.
        amount: Option<Decimal>,
        /// Why.
        reason: String,
    },
    /// It will not be paid: the account is to give up what is open there.
    WriteOff {
        /// Why.
        reason: String,
    },
    /// The account gave up what was open.
    RecordWriteOff {
        /// How much.
        amount: Decimal,
        /// Why.
        reason: String,
    },
    /// A credit note took so much of what the account had given up.
    LowerWriteOff {
        /// How much.
        amount: Decimal,
    },
}
