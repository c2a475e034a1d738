//! What can have happened to a version of a deck. The stored schema: handle
//! with care.

use crate::{
    billing::tariff::Tariff,
    calendar::Zone,
    decider,
    money::{Currency, Rounding},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Rows in one event at most: an event is read and written as a whole.
pub const ROWS_MAX: usize = 1_000;

/// A stretch of the week in which rows of its name apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Its name, as rows say it.
    pub name: String,
    /// Days of the week; 0 is Monday.
    pub weekdays: Vec<u8>,
    /// First minute of the day.
    pub from_minute: u16,
    /// First minute that is not in it any more; 1440 is midnight.
    pub to_minute: u16,
}

/// What is true of all rows of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Of the deck.
    pub name: String,
    /// Of every price.
    pub currency: Currency,
    /// Where its bands and days are meant.
    pub zone: Zone,
    /// How amounts are rounded.
    pub rounding: Rounding,
    /// Stretches of the week.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bands: Vec<Band>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// First digits of the number, in E.164 without the plus.
    pub prefix: String,
    /// Where it leads, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What a call there costs.
    #[serde(flatten)]
    pub tariff: Tariff,
    /// From when it applies; always has, if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_from: Option<Timestamp>,
    /// From when it applies no more; never, if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_to: Option<Timestamp>,
    /// The band in which it applies; in all, if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<String>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was begun.
    #[serde(rename = "deck_opened")]
    Opened {
        /// What is true of all its rows.
        header: Header,
    },
    /// Rows were added.
    #[serde(rename = "deck_rows_added")]
    RowsAdded {
        /// Number of the first one, from 1.
        first_row: u32,
        /// In order.
        rows: Vec<Row>,
    },
    /// It is complete and never changes again.
    #[serde(rename = "deck_published")]
    Published {
        /// How many rows it has.
        rows_count: u32,
        /// SHA-256 over header and rows, in hexadecimal digits.
        hash: String,
    },
    /// It is not rated with any more.
    #[serde(rename = "deck_retired")]
    Retired {},
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "deck_opened",
            Self::RowsAdded { .. } => "deck_rows_added",
            Self::Published { .. } => "deck_published",
            Self::Retired {} => "deck_retired",
        }
    }
}
