//! Who is fit for a queue's calls, in which order calls are served, and what
//! follows offers in vain. Everything is off unless set.

use super::error::Error;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Highest level of a skill.
pub const LEVEL_MAX: u8 = 5;
/// Highest tier of an agent.
pub const TIER_MAX: u8 = 20;
/// How long the first phones ring alone where the queue rings progressively and
/// does not say.
pub const RING_STEP_MS: u64 = 5_000;
/// Longest pause between two rounds of offers: it doubles up to this.
pub const RETRY_DELAY_MS_MAX: u64 = 60_000;

/// A queue's rules of matching.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matching {
    /// Skills that its calls ask for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<Requirement>,
    /// Priority of its calls: the higher is served first.
    #[serde(skip_serializing_if = "is_zero_i32")]
    pub priority: i32,
    /// Added to the priority by each round of offers in vain.
    #[serde(skip_serializing_if = "is_zero_u32")]
    pub retry_boost: u32,
    /// Waiting this long adds one to the priority; 0 for never.
    #[serde(skip_serializing_if = "is_zero_u64")]
    pub ageing_ms: u64,
    /// Weight among the queues of one agent: the higher is served first,
    /// whatever the priorities.
    #[serde(skip_serializing_if = "is_zero_u32")]
    pub weight: u32,
    /// Each further tier of agents is asked only after this much more waiting;
    /// 0 for as soon as nobody of the tiers before is free.
    #[serde(skip_serializing_if = "is_zero_u64")]
    pub tier_step_ms: u64,
    /// For this long only the agent who served the caller last is asked, if that
    /// one is there; 0 for not at all.
    #[serde(skip_serializing_if = "is_zero_u64")]
    pub last_agent_ms: u64,
    /// How long phones ring in the first, second, ... round of offers; the last
    /// value stays. Empty for the queue's ring timeout.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ring_timeouts_ms: Vec<u64>,
    /// Where phones ring progressively, after how long the next one joins in;
    /// 0 for [`RING_STEP_MS`].
    #[serde(skip_serializing_if = "is_zero_u64")]
    pub ring_step_ms: u64,
    /// Pause after a round of offers in vain; doubles with each round, up to
    /// [`RETRY_DELAY_MS_MAX`]. 0 for none.
    #[serde(skip_serializing_if = "is_zero_u64")]
    pub retry_delay_ms: u64,
    /// Rounds of offers after which the call leaves the queue for where it
    /// overflows to; 0 for no limit.
    #[serde(skip_serializing_if = "is_zero_u32")]
    pub attempts_max: u32,
}

/// A skill that calls ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Which.
    pub skill: String,
    /// Level at least, 1 to [`LEVEL_MAX`].
    pub level: u8,
    /// Nobody is left out for it; whoever has it comes first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preferred: bool,
    /// What is enough after some waiting: each step later than the one before,
    /// and lower.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relax: Vec<Relaxation>,
}

/// A step by which a requirement is relaxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relaxation {
    /// After so long a wait.
    pub after_ms: u64,
    /// This level is enough; 0 for none at all.
    pub level: u8,
}

impl Requirement {
    /// The level that is enough after so long a wait.
    pub fn level_after(&self, waited_ms: u64) -> u8 {
        let passed = self.relax.iter().rev();
        passed
            .into_iter()
            .find(|step| step.after_ms <= waited_ms)
            .map_or(self.level, |step| step.level)
    }
}

impl Matching {
    /// Nothing is set.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// The priority of a call, its own or that of all, after so many rounds of offers in
    /// vain; without what waiting adds.
    pub fn base(&self, own: Option<i32>, attempts: u32) -> i64 {
        let base = own.unwrap_or(self.priority);
        let boost = u64::from(self.retry_boost) * u64::from(attempts);
        i64::from(base).saturating_add(i64::try_from(boost).unwrap_or(i64::MAX))
    }

    /// Where a call of that priority stands in the line, the lowest first: by urgency, then
    /// by when it was enqueued first. Where priority grows with waiting, both are one
    /// instant: each point of priority is worth so much more waiting, so that the order of
    /// two calls never changes by time alone.
    pub fn place(&self, base: i64, enqueued_at: Timestamp) -> (i64, Timestamp) {
        match i64::try_from(self.ageing_ms).unwrap_or(i64::MAX) {
            0 => (base.saturating_neg(), enqueued_at),
            ageing_ms => {
                let ahead = base.saturating_mul(ageing_ms).saturating_mul(1_000);
                let micros = enqueued_at.micros().saturating_sub(ahead);
                (0, Timestamp::from_micros(micros))
            }
        }
    }

    /// How long phones ring after so many rounds in vain.
    pub fn ring_timeout_ms(&self, attempts: u32, otherwise: u64) -> u64 {
        let last = self.ring_timeouts_ms.len().saturating_sub(1);
        let round = usize::try_from(attempts).unwrap_or(usize::MAX).min(last);
        self.ring_timeouts_ms
            .get(round)
            .copied()
            .unwrap_or(otherwise)
    }

    /// The pause after the round of that number, from 1.
    pub fn retry_delay_ms(&self, attempt: u32) -> u64 {
        let doubled = attempt.saturating_sub(1).min(16);
        let delay = self.retry_delay_ms.saturating_mul(1 << doubled);
        delay.min(RETRY_DELAY_MS_MAX.max(self.retry_delay_ms))
    }

    /// After how long phones ring side by side with the next one.
    pub const fn ring_step_ms(&self) -> u64 {
        match self.ring_step_ms {
            0 => RING_STEP_MS,
            step => step,
        }
    }
}

/// A second to ten minutes.
const RING_MS: std::ops::RangeInclusive<u64> = 1_000..=600_000;
/// Rounds with a time of their own at most.
const RING_TIMEOUTS_MAX: usize = 20;
/// Skills that one queue or agent names at most.
pub const SKILLS_MAX: usize = 50;

pub(super) fn check(matching: &Matching) -> Result<(), Error> {
    if matching.ring_timeouts_ms.len() > RING_TIMEOUTS_MAX
        || !matching
            .ring_timeouts_ms
            .iter()
            .all(|ms| RING_MS.contains(ms))
        || (matching.ring_step_ms != 0 && !RING_MS.contains(&matching.ring_step_ms))
    {
        return Err(Error::InvalidRingTimeout);
    }
    if matching.skills.len() > SKILLS_MAX || !matching.skills.iter().all(is_valid) {
        return Err(Error::InvalidSkill);
    }
    let names: std::collections::BTreeSet<&str> = matching
        .skills
        .iter()
        .map(|wanted| wanted.skill.as_str())
        .collect();
    if names.len() != matching.skills.len() {
        return Err(Error::InvalidSkill);
    }
    Ok(())
}

fn is_valid(wanted: &Requirement) -> bool {
    let mut level = wanted.level;
    let mut after_ms = 0;
    // A step that asks for more, or comes before another, would narrow.
    let relaxes = wanted.relax.iter().all(|step| {
        let goes_on = step.level < level && step.after_ms > after_ms;
        (level, after_ms) = (step.level, step.after_ms);
        goes_on
    });
    crate::name::is_valid(&wanted.skill) && (1..=LEVEL_MAX).contains(&wanted.level) && relaxes
}

// serde hands over references.
const fn is_zero_i32(value: &i32) -> bool {
    *value == 0
}
const fn is_zero_u32(value: &u32) -> bool {
    *value == 0
}
const fn is_zero_u64(value: &u64) -> bool {
    *value == 0
}
