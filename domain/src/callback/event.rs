//! What can have happened to a callback. The stored schema: handle with care.

use crate::{
    cause::EndReason,
    decider,
    id::{AgentId, CallId, LegId, QueueId, VisitId},
    sealed::{Party, Sealed},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// How often, how soon and how long a person is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    /// Attempts in which the person is rung, at most.
    pub attempts_max: u32,
    /// From one attempt that came to nothing to the next.
    pub gap_ms: u64,
    /// So long after the first attempt may come nobody is rung any more.
    pub valid_ms: u64,
}

impl Terms {
    /// Three attempts, five minutes apart, within a day.
    pub const STANDARD: Self = Self {
        attempts_max: 3,
        gap_ms: 300_000,
        valid_ms: 86_400_000,
    };

    /// For serde: what is standard is not written.
    pub fn is_standard(&self) -> bool {
        *self == Self::STANDARD
    }
}

impl Default for Terms {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// What was promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The queue whose agents ring back.
    pub queue: QueueId,
    /// Whom.
    pub party: Sealed<Party>,
    /// Since when the person waits: the place in the line, which no attempt loses.
    pub place: Timestamp,
    /// The call in which it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<CallId>,
    /// How often, how soon and how long.
    pub terms: Terms,
    /// Not before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Who is to ring back, if that one is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Wanted>,
}

/// The agent who is asked alone for a while, in each attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Who.
    pub agent: AgentId,
    /// For how long, from when the attempt's call waits.
    pub for_ms: u64,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was asked for.
    #[serde(rename = "callback_requested")]
    Requested {
        /// What was promised.
        request: Request,
        /// From then on nobody is rung any more.
        expires_at: Timestamp,
    },
    /// It is to be at another time.
    #[serde(rename = "callback_rescheduled")]
    Rescheduled {
        /// Not before this instant.
        not_before: Timestamp,
        /// From then on nobody is rung any more.
        expires_at: Timestamp,
        /// Who decided.
        by: String,
    },
    /// A call is placed for it.
    #[serde(rename = "callback_attempt_started")]
    AttemptStarted {
        /// Which attempt, from 1.
        attempt: u32,
        /// The call.
        call: CallId,
        /// Its stay in the queue.
        visit: VisitId,
        /// The leg to the person.
        leg: LegId,
    },
    /// That call reached nobody.
    #[serde(rename = "callback_attempt_failed")]
    AttemptFailed {
        /// Which attempt.
        attempt: u32,
        /// The call.
        call: CallId,
        /// How it ended.
        reason: EndReason,
        /// The person was rung: it counts as one of the attempts that there are.
        is_counted: bool,
        /// The next one comes then, if there is one.
        not_before: Timestamp,
    },
    /// The person was reached.
    #[serde(rename = "callback_connected")]
    Connected {
        /// In which attempt.
        attempt: u32,
        /// In which call.
        call: CallId,
    },
    /// The person was rung as often as was promised, in vain.
    #[serde(rename = "callback_exhausted")]
    Exhausted {},
    /// The person can not be rung, and time does not heal that: a person must. Whoever
    /// has made it possible asks for the callback anew.
    #[serde(rename = "callback_given_up")]
    GivenUp {
        /// Why its last attempt could not be made.
        reason: EndReason,
    },
    /// Its time is over.
    #[serde(rename = "callback_expired")]
    Expired {},
    /// It is not wanted any more.
    #[serde(rename = "callback_cancelled")]
    Cancelled {
        /// Who decided.
        by: String,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Requested { .. } => "callback_requested",
            Self::Rescheduled { .. } => "callback_rescheduled",
            Self::AttemptStarted { .. } => "callback_attempt_started",
            Self::AttemptFailed { .. } => "callback_attempt_failed",
            Self::Connected { .. } => "callback_connected",
            Self::Exhausted {} => "callback_exhausted",
            Self::GivenUp { .. } => "callback_given_up",
            Self::Expired {} => "callback_expired",
            Self::Cancelled { .. } => "callback_cancelled",
        }
    }
}
