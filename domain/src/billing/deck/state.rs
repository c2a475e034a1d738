//! What is known of a version of a deck.

use super::event::{Header, Row};
use serde::{Deserialize, Serialize};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Phase {
    /// Not begun.
    #[default]
    Unborn,
    /// Rows are being added.
    Open,
    /// Complete; rates.
    Published,
    /// Complete; does not rate any more.
    Retired,
}

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Deck {
    /// How far it is.
    pub phase: Phase,
    /// What is true of all rows.
    pub header: Option<Header>,
    /// All rows, in order; row 1 is the first.
    pub rows: Vec<Row>,
}
