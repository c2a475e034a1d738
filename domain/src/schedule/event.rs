//! What can have happened to a schedule. The stored schema: handle with care.

use crate::{decider, session::NotReadyReason, time::Timestamp};
use serde::{Deserialize, Serialize};

/// What is planned for a time: work, or one of the reasons for taking no calls that an
/// agent or the settings can name. Those that only the system gives are planned by nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Calls, and what belongs to them.
    Work,
    /// Rest.
    Break,
    /// Food.
    Meal,
    /// Learning.
    Training,
    /// Meeting.
    Meeting,
    /// Paper work.
    AdminWork,
    /// Something of the agent's place is not there, as is known before.
    SystemError,
    /// Set by a supervisor.
    Supervisor,
    /// Anything else.
    Other,
}

impl Activity {
    /// For which the agent takes no calls; none for work.
    pub const fn reason(self) -> Option<NotReadyReason> {
        match self {
            Self::Work => None,
            Self::Break => Some(NotReadyReason::Break),
            Self::Meal => Some(NotReadyReason::Meal),
            Self::Training => Some(NotReadyReason::Training),
            Self::Meeting => Some(NotReadyReason::Meeting),
            Self::AdminWork => Some(NotReadyReason::AdminWork),
            Self::SystemError => Some(NotReadyReason::SystemError),
            Self::Supervisor => Some(NotReadyReason::Supervisor),
            Self::Other => Some(NotReadyReason::Other),
        }
    }

    /// Whether an agent may be logged out meanwhile: who rests or eats need not be there.
    pub const fn is_kept_by_absence(self) -> bool {
        match self {
            Self::Break | Self::Meal => true,
            Self::Work
            | Self::Training
            | Self::Meeting
            | Self::AdminWork
            | Self::SystemError
            | Self::Supervisor
            | Self::Other => false,
        }
    }
}

/// A time for which something is planned: the start belongs to it, the end does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
    /// What.
    pub activity: Activity,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// These segments are planned in the span, and nothing else is.
    #[serde(rename = "schedule_set")]
    Set {
        /// First instant of the span.
        from: Timestamp,
        /// First instant after it.
        to: Timestamp,
        /// What is planned, in the order of time.
        segments: Vec<Segment>,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Set { .. } => "schedule_set",
        }
    }
}
