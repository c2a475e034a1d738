//! Why a command for a deck may be refused.

use super::check::RowFault;
use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// That version was begun.
    #[error("that version of the deck already exists")]
    AlreadyExists,
    /// A name is 1 to 64 letters, digits, dots, dashes and underscores.
    #[error("name is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidName,
    /// A band that no instant is in, or two that share one.
    #[error("bands: {band:?} {reason}")]
    InvalidBand {
        /// Which.
        band: String,
        /// Why.
        reason: &'static str,
    },
    /// It was not begun.
    #[error("the deck is not open")]
    NotOpen,
    /// It is published.
    #[error("a published deck never changes")]
    Immutable,
    /// Nothing can be rated with it.
    #[error("the deck has no rows")]
    Empty,
    /// It can not be retired before.
    #[error("the deck is not published")]
    NotPublished,
    /// At most so many at once, so that an event stays small.
    #[error("rows are added 1 to 1000 at once")]
    TooManyRows,
    /// Rows are added in order.
    #[error("the deck has {have} rows: {first_row} can not be the next")]
    RowsMissing {
        /// How many it has.
        have: u32,
        /// Number of the first that was to be added.
        first_row: u32,
    },
    /// A row is wrong.
    #[error("{0}")]
    InvalidRow(RowFault),
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "deck.already_exists",
            Self::InvalidName => "deck.invalid_name",
            Self::InvalidBand { .. } => "deck.invalid_band",
            Self::NotOpen => "deck.not_open",
            Self::Immutable => "deck.immutable",
            Self::Empty => "deck.empty",
            Self::NotPublished => "deck.not_published",
            Self::TooManyRows => "deck.too_many_rows",
            Self::RowsMissing { .. } => "deck.rows_missing",
            Self::InvalidRow(_) => "deck.invalid_row",
        }
    }
}
