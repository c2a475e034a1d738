//! Why a waiting line may say no.

use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is in the line already.
    #[error("visit is already open")]
    AlreadyOpen,
    /// It is over or never was.
    #[error("visit is not open")]
    NotOpen,
    /// It is with an agent already.
    #[error("visit is already matched")]
    AlreadyMatched,
    /// The fence does not match.
    #[error("offer is not the matched one")]
    StaleOffer,
    /// Nobody is kept waiting for one agent for ever, or not at all.
    #[error("for_ms: is not 1 to 3600000")]
    InvalidTime,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyOpen => "visit.already_open",
            Self::NotOpen => "visit.not_open",
            Self::AlreadyMatched => "visit.already_matched",
            Self::StaleOffer => "visit.stale_offer",
            Self::InvalidTime => "visit.invalid_time",
        }
    }
}
