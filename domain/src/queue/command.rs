//! What may be asked of a queue's configuration and of its doors.

use super::{change::Change, event::Config, set_calendar::SetCalendar, set_routing::SetRouting};
use crate::id::AgentId;
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Make it, or give it this configuration; nothing happens when it has it.
    Configure {
        /// Its name; fixed when it is made.
        name: String,
        /// Everything that can change.
        config: Config,
    },
    /// Make it; refused when there is one of that name.
    Create {
        /// Its name.
        name: String,
        /// Everything that can change.
        config: Config,
    },
    /// Change some of its rules; the others stay.
    Change(Box<Change>),
    /// Change when it takes calls, and nothing else.
    SetCalendar(SetCalendar),
    /// Change how it finds an agent for a call, and nothing else.
    SetRouting(Box<SetRouting>),
    /// Let it take calls from now on, whatever its hours say, until that is taken back.
    Open {
        /// Who asks for it.
        by: String,
        /// Why: a word, so that it tells of no person.
        why: String,
    },
    /// Let it take no calls from now on, whatever its hours say, until that is taken back.
    Close {
        /// Who asks for it.
        by: String,
        /// Why: a word, so that it tells of no person.
        why: String,
    },
    /// Take back what was said by hand: its hours count again.
    FollowHours {
        /// Who asks for it.
        by: String,
        /// Why: a word, so that it tells of no person.
        why: String,
    },
    /// Offer that agent none of its calls from now on, until that is taken back; other
    /// queues do.
    PauseMember {
        /// Whom.
        agent: AgentId,
        /// Who asks for it.
        by: String,
        /// Why: a word, so that it tells of no person.
        why: String,
    },
    /// Take that back: the agent is offered its calls again.
    UnpauseMember {
        /// Whom.
        agent: AgentId,
        /// Who asks for it.
        by: String,
        /// Why: a word, so that it tells of no person.
        why: String,
    },
    /// Take it away: it is there no longer for calls, and what happened in it stays.
    Delete {
        /// Who asks for it.
        by: String,
        /// Why: a word, so that it tells of no person.
        why: String,
    },
}

impl Command {
    /// Its name in ids, which must never change.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Configure { .. } => "configure_queue",
            Self::Create { .. } => "create_queue",
            Self::Change(_) => "change_queue",
            Self::SetCalendar(_) => "set_queue_calendar",
            Self::SetRouting(_) => "set_queue_routing",
            Self::Open { .. } => "open_queue",
            Self::Close { .. } => "close_queue",
            Self::FollowHours { .. } => "follow_queue_hours",
            Self::PauseMember { .. } => "pause_queue_member",
            Self::UnpauseMember { .. } => "unpause_queue_member",
            Self::Delete { .. } => "delete_queue",
        }
    }
}
