//! An agent of the configuration file.

use crate::config::Secret;
use domain::{
    agent,
    id::{DEFAULT_TENANT, QueueId},
};
use serde::{Deserialize, Serialize};

/// An agent in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentEntry {
    /// Name: user part of the SIP address, and user name of the digest.
    pub name: String,
    /// Password of the digest.
    pub password: Secret,
    /// Queues that the agent serves.
    #[serde(default)]
    pub queues: Vec<String>,
    /// A registered phone logs the agent in, ready.
    #[serde(default)]
    pub ready_on_register: bool,
    /// So long the agent stays as before when the last phone is gone: 10 s unless it is set.
    #[serde(default)]
    pub registration_grace_ms: Option<u64>,
    /// What the agent is good at.
    #[serde(default)]
    pub skills: Vec<agent::Skill>,
    /// Where the agent stands in queues, if not in the first tier.
    #[serde(default)]
    pub places: Vec<PlaceEntry>,
    /// How many calls the agent may have at once, 1 to 5.
    #[serde(default = "one")]
    pub capacity: u8,
}

/// Where an agent stands in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceEntry {
    /// Name of the queue.
    pub queue: String,
    /// From 1: a tier is asked when nobody of those before is free.
    #[serde(default = "one")]
    pub tier: u8,
    /// Within the tier, the lower comes first.
    #[serde(default)]
    pub penalty: u8,
    /// Chance among the others where the queue draws by weight.
    #[serde(default = "one")]
    pub weight: u8,
}

const fn one() -> u8 {
    1
}

impl AgentEntry {
    /// The agent's places, by the ids of their queues.
    pub fn places(&self) -> Vec<agent::Place> {
        let places = self.places.iter().map(|place| agent::Place {
            queue: QueueId::named(DEFAULT_TENANT, &place.queue),
            tier: place.tier,
            penalty: place.penalty,
            weight: place.weight,
        });
        places.collect()
    }
}
