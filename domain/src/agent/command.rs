//! What may be asked of an agent's configuration.

use super::event::{Config, Place, Skill};
use crate::id::QueueId;
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
    /// Let it serve a queue, at that place, or at another place than before.
    ServeQueue {
        /// Which queue, and where in it.
        place: Place,
    },
    /// Let it serve a queue no longer.
    LeaveQueue {
        /// Which.
        queue: QueueId,
    },
    /// Say how good it is at something.
    AssignSkill {
        /// At what, and how good.
        skill: Skill,
    },
    /// Say that it is not good at something any more.
    RemoveSkill {
        /// At what.
        skill: String,
    },
    /// Say how many calls it may have at once; those that it has go on.
    SetCapacity {
        /// From 1 on.
        capacity: u8,
    },
}

impl Command {
    /// Its name in ids, which must never change.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Configure { .. } => "configure_agent",
            Self::Create { .. } => "create_agent",
            Self::ServeQueue { .. } => "serve_queue",
            Self::LeaveQueue { .. } => "leave_queue",
            Self::AssignSkill { .. } => "assign_skill",
            Self::RemoveSkill { .. } => "remove_skill",
            Self::SetCapacity { .. } => "set_capacity",
        }
    }
}
