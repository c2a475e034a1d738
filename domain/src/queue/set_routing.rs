//! A change of how a queue finds an agent for a call, and of nothing else.

use super::{
    event::{Config, Strategy},
    matching::{Matching, Requirement},
};
use serde::{Deserialize, Serialize};

/// What of a queue's routing is to be otherwise; what is not said stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SetRouting {
    /// Which agent first.
    pub strategy: Option<Strategy>,
    /// How long one agent's phone rings.
    pub ring_timeout_ms: Option<u64>,
    /// All skills that its calls ask for.
    pub skills: Option<Vec<Requirement>>,
    /// Priority of its calls.
    pub priority: Option<i32>,
    /// Added to the priority by each round of offers in vain.
    pub retry_boost: Option<u32>,
    /// Waiting this long adds one to the priority; 0 for never.
    pub ageing_ms: Option<u64>,
    /// Weight among the queues of one agent.
    pub weight: Option<u32>,
    /// How much later each further tier of agents is asked.
    pub tier_step_ms: Option<u64>,
    /// For how long only the agent who served the caller last is asked.
    pub last_agent_ms: Option<u64>,
    /// How long phones ring in each round of offers; empty for the ring timeout.
    pub ring_timeouts_ms: Option<Vec<u64>>,
    /// After how long the next phone joins in, where they ring progressively.
    pub ring_step_ms: Option<u64>,
    /// Pause after a round of offers in vain.
    pub retry_delay_ms: Option<u64>,
    /// Rounds of offers after which the call overflows; 0 for no limit.
    pub attempts_max: Option<u32>,
}

impl SetRouting {
    /// The rules with that routing, and all others as they are.
    #[must_use]
    pub fn of(self, current: &Config) -> Config {
        let now = current.clone();
        let rules = now.matching;
        Config {
            strategy: self.strategy.unwrap_or(now.strategy),
            ring_timeout_ms: self.ring_timeout_ms.unwrap_or(now.ring_timeout_ms),
            matching: Matching {
                skills: self.skills.unwrap_or(rules.skills),
                priority: self.priority.unwrap_or(rules.priority),
                retry_boost: self.retry_boost.unwrap_or(rules.retry_boost),
                ageing_ms: self.ageing_ms.unwrap_or(rules.ageing_ms),
                weight: self.weight.unwrap_or(rules.weight),
                tier_step_ms: self.tier_step_ms.unwrap_or(rules.tier_step_ms),
                last_agent_ms: self.last_agent_ms.unwrap_or(rules.last_agent_ms),
                ring_timeouts_ms: self.ring_timeouts_ms.unwrap_or(rules.ring_timeouts_ms),
                ring_step_ms: self.ring_step_ms.unwrap_or(rules.ring_step_ms),
                retry_delay_ms: self.retry_delay_ms.unwrap_or(rules.retry_delay_ms),
                attempts_max: self.attempts_max.unwrap_or(rules.attempts_max),
            },
            ..now
        }
    }
}
