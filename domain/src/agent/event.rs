//! What can have happened to an agent's configuration. The stored schema: handle with care.

use crate::{
    decider,
    id::QueueId,
    sealed::{Party, Sealed},
};
use serde::{Deserialize, Serialize};

/// What can change of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The person's name, where it is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Sealed<Party>>,
    /// The queues that the agent serves.
    pub queues: Vec<QueueId>,
    /// A registered phone logs the agent in, ready.
    pub ready_on_register: bool,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was made.
    #[serde(rename = "agent_created")]
    Created {
        /// Its name, for ever.
        name: String,
        /// Everything that can change.
        config: Config,
    },
    /// It was changed.
    #[serde(rename = "agent_configured")]
    Configured {
        /// Counts the changes; being made was 1.
        config_version: u32,
        /// Everything that can change.
        config: Config,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Created { .. } => "agent_created",
            Self::Configured { .. } => "agent_configured",
        }
    }
}
