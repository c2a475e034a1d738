//! Why a call may not be rated.

use super::event::UnratedReason;
use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The rater has not filled in what the plans and decks say.
    #[error("the rater has not said anything of the call")]
    NotQuoted,
    /// It is not over, or nobody is to pay for it.
    #[error("the call was not rated before")]
    NotRated,
    /// What its month charged for it alone is not known: nothing can be taken back.
    #[error("the call is in a closed month whose price is of the month as a whole")]
    Settled,
    /// Neither plan nor deck gives it a price now: it keeps what it has.
    #[error("no price is found for the call: {0}")]
    NoPrice(UnratedReason),
    /// It has a price, is not over, or nobody is to pay for it.
    #[error("the call is not without a price")]
    NotUnrated,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NotQuoted => "rating.not_quoted",
            Self::NotRated => "rating.not_rated",
            Self::Settled => "rating.settled",
            Self::NoPrice(_) => "rating.no_price",
            Self::NotUnrated => "rating.not_unrated",
        }
    }
}
