//! What may be asked of a credit note. What it says was decided by its invoice.

use crate::billing::invoice::CreditDocument;
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Draft it; nothing happens when it is there.
    Draft {
        /// What it says.
        document: Box<CreditDocument>,
    },
    /// It has its number: it never changes again.
    Issue {
        /// As it is written.
        number: String,
    },
}
