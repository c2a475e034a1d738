//! Why an erasure may be refused.

use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing was ever sealed for this person.
    #[error("nothing is kept of that person")]
    Unknown,
    /// Nothing was sealed since the person was erased.
    #[error("that person is erased already")]
    AlreadyErased,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "subject.unknown",
            Self::AlreadyErased => "subject.already_erased",
        }
    }
}
