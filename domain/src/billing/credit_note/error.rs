//! Why a command for a credit note may be refused.

use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no draft.
    #[error("there is no such credit note")]
    Unknown,
    /// Issued documents never change.
    #[error("the credit note is issued and never changes")]
    Immutable,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "credit_note.unknown",
            Self::Immutable => "credit_note.immutable",
        }
    }
}
