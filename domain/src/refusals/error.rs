//! Why a sum may be refused.

use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A sum of no calls.
    #[error("no call was refused: there is nothing to sum up")]
    NoCalls,
    /// Each sum stands in a stream of its own.
    #[error("these refused calls are summed up already")]
    AlreadySummed,
    /// The first of the calls was after the last.
    #[error("the first of the refused calls comes after the last")]
    InvalidTime,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NoCalls => "refusals.no_calls",
            Self::AlreadySummed => "refusals.already_summed",
            Self::InvalidTime => "refusals.invalid_time",
        }
    }
}
