//! Why a number may not be given.

use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A series is of one kind of document.
    #[error("the series is of another kind of document")]
    OtherKind,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherKind => "series.other_kind",
        }
    }
}
