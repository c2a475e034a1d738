//! What may be asked of a version of a deck.

use super::event::{Header, Row};
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Begin it.
    Open {
        /// What is true of all its rows.
        header: Header,
    },
    /// Add rows, in order; nothing happens when they are there.
    AddRows {
        /// Number of the first one, from 1.
        first_row: u32,
        /// At most [`super::ROWS_MAX`].
        rows: Vec<Row>,
    },
    /// Check it as a whole and never change it again.
    Publish,
    /// Do not rate with it any more.
    Retire,
}
