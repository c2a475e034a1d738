//! Why a callback may say no.

use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An id is used once.
    #[error("callback was already requested")]
    AlreadyRequested,
    /// No such callback.
    #[error("callback is not known")]
    Unknown,
    /// Nothing happens after the end.
    #[error("callback is over")]
    Over,
    /// One attempt at a time.
    #[error("callback is being tried just now")]
    Trying,
    /// The fence does not match: another attempt is the next one.
    #[error("attempt is not the next one of the callback")]
    StaleAttempt,
    /// Its time has not come.
    #[error("callback is not due yet")]
    NotDue,
    /// Its time is not over.
    #[error("callback has not expired")]
    NotExpired,
    /// A promise for the past, or for so late that nobody remembers.
    #[error("not_before is in the past or more than 30 days ahead")]
    InvalidTime,
    /// Nobody is kept waiting for one agent for ever, or not at all.
    #[error("agent_for_ms: is not 1 to 3600000")]
    InvalidAgentTime,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyRequested => "callback.already_requested",
            Self::Unknown => "callback.unknown",
            Self::Over => "callback.over",
            Self::Trying => "callback.trying",
            Self::StaleAttempt => "callback.stale_attempt",
            Self::NotDue => "callback.not_due",
            Self::NotExpired => "callback.not_expired",
            Self::InvalidTime => "callback.invalid_time",
            Self::InvalidAgentTime => "callback.invalid_agent_time",
        }
    }
}
