//! Why a session may say no.

use crate::decider::Refusal;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// One login a session.
    #[error("agent is already logged in")]
    AlreadyLoggedIn,
    /// That session is over; the next one has the next number.
    #[error("session has ended")]
    SessionEnded,
    /// No such session.
    #[error("agent is not logged in")]
    NotLoggedIn,
    /// Does not take calls now.
    #[error("agent is not ready")]
    NotReady,
    /// Is engaged with another offer, call or wrap-up.
    #[error("agent is engaged")]
    Engaged,
    /// There is no work after a call.
    #[error("agent is not in wrap-up")]
    NoWrapUp,
    /// The queue wants to know what came of the call.
    #[error("wrap-up ends only with a code")]
    CodeRequired,
    /// A wrap-up is extended by up to an hour at a time.
    #[error("by_ms: is not between 1 and 3600000")]
    InvalidExtension,
    /// A reason is a word: it tells of no person.
    #[error("reason: is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidReason,
    /// The fence does not match.
    #[error("offer is not the reserved one")]
    StaleOffer,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyLoggedIn => "agent.already_logged_in",
            Self::SessionEnded => "agent.session_ended",
            Self::NotLoggedIn => "agent.not_logged_in",
            Self::NotReady => "agent.not_ready",
            Self::Engaged => "agent.engaged",
            Self::NoWrapUp => "agent.no_wrap_up",
            Self::CodeRequired => "agent.code_required",
            Self::InvalidExtension => "agent.invalid_extension",
            Self::InvalidReason => "agent.invalid_reason",
            Self::StaleOffer => "agent.stale_offer",
        }
    }
}
