//! Why a configuration may be refused.

use super::event::{CAPACITY_MAX, Config};
use crate::{
    decider::Refusal,
    id::QueueId,
    queue::{LEVEL_MAX, SKILLS_MAX, TIER_MAX},
};
use std::collections::BTreeSet;

/// One hour.
const GRACE_MS_MAX: u64 = 3_600_000;

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is one of that name.
    #[error("agent of that name already exists")]
    AlreadyExists,
    /// There is none.
    #[error("agent does not exist")]
    Unknown,
    /// A name is 1 to 64 letters, digits, dots, dashes and underscores.
    #[error("name is not 1 to 64 letters, digits, dots, dashes or underscores")]
    InvalidName,
    /// A skill has a name and a level of 1 to 5.
    #[error("a skill has no valid name or level, or is named twice")]
    InvalidSkill,
    /// A tier is 1 to 20; a queue has one place, and the agent serves it.
    #[error("a place has no tier of 1 to 20, is named twice, or is in no queue of the agent")]
    InvalidPlace,
    /// Whoever has had no phone for so long is not there.
    #[error("registration_grace_ms is more than an hour")]
    InvalidGrace,
    /// An agent has a few calls at once at most.
    #[error("capacity is not 1 to 5")]
    InvalidCapacity,
}

impl Refusal for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::AlreadyExists => "agent.already_exists",
            Self::Unknown => "agent.unknown",
            Self::InvalidName => "agent.invalid_name",
            Self::InvalidSkill => "agent.invalid_skill",
            Self::InvalidPlace => "agent.invalid_place",
            Self::InvalidGrace => "agent.invalid_grace",
            Self::InvalidCapacity => "agent.invalid_capacity",
        }
    }
}

pub(super) fn check(name: &str, config: &Config) -> Result<(), Error> {
    if !crate::name::is_valid(name) {
        return Err(Error::InvalidName);
    }
    let skills: BTreeSet<&str> = config.skills.iter().map(|s| s.skill.as_str()).collect();
    let are_valid = config
        .skills
        .iter()
        .all(|s| crate::name::is_valid(&s.skill) && (1..=LEVEL_MAX).contains(&s.level));
    if !are_valid || skills.len() != config.skills.len() || skills.len() > SKILLS_MAX {
        return Err(Error::InvalidSkill);
    }
    let places: BTreeSet<QueueId> = config.places.iter().map(|place| place.queue).collect();
    let stand = config
        .places
        .iter()
        .all(|place| (1..=TIER_MAX).contains(&place.tier) && config.queues.contains(&place.queue));
    if !stand || places.len() != config.places.len() {
        return Err(Error::InvalidPlace);
    }
    if config.registration_grace_ms > GRACE_MS_MAX {
        return Err(Error::InvalidGrace);
    }
    if !(1..=CAPACITY_MAX).contains(&config.capacity) {
        return Err(Error::InvalidCapacity);
    }
    Ok(())
}
