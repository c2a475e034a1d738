//! What can have happened to an agent's configuration. The stored schema: handle with care.

use crate::{
    decider,
    id::QueueId,
    sealed::{Party, Sealed},
};
use serde::{Deserialize, Serialize};

/// How long a phone may be gone, unless another time is set: it starts again, or its
/// network changes.
pub const REGISTRATION_GRACE_MS: u64 = 10_000;

/// Calls that one agent has at once at most.
pub const CAPACITY_MAX: u8 = 5;

const fn standard_grace() -> u64 {
    REGISTRATION_GRACE_MS
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
const fn is_standard_grace(grace_ms: &u64) -> bool {
    *grace_ms == REGISTRATION_GRACE_MS
}

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
    /// When the last phone is gone, the agent stays as before for so long.
    #[serde(default = "standard_grace", skip_serializing_if = "is_standard_grace")]
    pub registration_grace_ms: u64,
    /// What the agent is good at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<Skill>,
    /// Where the agent stands in queues, if not in the first tier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// How many calls the agent may have at once, from 1 to [`CAPACITY_MAX`].
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub capacity: u8,
}

/// Something that an agent is good at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    /// Which.
    pub skill: String,
    /// How good, 1 to 5.
    pub level: u8,
}

/// Where an agent stands in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// In which.
    pub queue: QueueId,
    /// From 1: a tier is asked when nobody of those before is free.
    #[serde(default = "one")]
    pub tier: u8,
    /// Within the tier, the lower comes first.
    #[serde(default)]
    pub penalty: u8,
    /// Chance among the others where the queue draws by weight; 0 for none while
    /// anybody else is free.
    #[serde(default = "one")]
    pub weight: u8,
}

impl Place {
    /// Of an agent of whom nothing else is said.
    pub const fn first(queue: QueueId) -> Self {
        Self {
            queue,
            tier: 1,
            penalty: 0,
            weight: 1,
        }
    }
}

const fn one() -> u8 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
const fn is_one(capacity: &u8) -> bool {
    *capacity == 1
}

impl Config {
    /// Where the agent stands in a queue that it serves.
    pub fn place(&self, queue: QueueId) -> Place {
        let said = self.places.iter().find(|place| place.queue == queue);
        said.copied().unwrap_or_else(|| Place::first(queue))
    }
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
