//! What may be asked of a series of numbers.

use crate::billing::Document;
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Give the document its number. Nothing happens when it has one.
    Issue {
        /// Which.
        document: Document,
        /// What stands before the digits.
        prefix: String,
    },
}
