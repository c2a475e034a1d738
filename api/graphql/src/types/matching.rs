//! How a queue matches calls and agents: as it is shown and as it is asked for.

use crate::{
    error::Fault,
    id::Named,
    scalar::{Duration, count},
};
use async_graphql::{ID, InputObject, SimpleObject};
use domain::{agent, id::QueueId, queue};

/// How a queue matches calls and agents. Everything is off unless set.
#[derive(SimpleObject)]
pub(crate) struct Matching {
    /// Skills that its calls ask for.
    skills: Vec<SkillRequirement>,
    /// Priority of its calls: the higher is served first.
    priority: i32,
    /// Added to the priority by each round of offers in vain.
    retry_boost: i32,
    /// Waiting this long adds one to the priority; 0 for never.
    ageing_ms: Duration,
    /// Weight among the queues of one agent: the higher is served first.
    weight: i32,
    /// Each further tier of agents is asked only after this much more waiting;
    /// 0 for as soon as nobody of the tiers before is free.
    tier_step_ms: Duration,
    /// For this long only the agent who served the caller last is asked.
    last_agent_ms: Duration,
    /// How long phones ring in the first, second, ... round of offers.
    ring_timeouts_ms: Vec<Duration>,
    /// Where phones ring progressively, after how long the next one joins in.
    ring_step_ms: Duration,
    /// Pause after a round of offers in vain; doubles with each round.
    retry_delay_ms: Duration,
    /// Rounds of offers after which the call overflows; 0 for no limit.
    attempts_max: i32,
}

/// A skill that calls ask for.
#[derive(SimpleObject)]
pub(crate) struct SkillRequirement {
    /// Which.
    skill: String,
    /// Level at least, 1 to 5.
    level: i32,
    /// Nobody is left out for it; whoever has it comes first.
    preferred: bool,
    /// What is enough after some waiting.
    relax: Vec<SkillRelaxation>,
}

/// A step by which a requirement is relaxed.
#[derive(SimpleObject)]
pub(crate) struct SkillRelaxation {
    /// After so long a wait.
    after_ms: Duration,
    /// This level is enough; 0 for none at all.
    level: i32,
}

impl From<&queue::Matching> for Matching {
    fn from(rules: &queue::Matching) -> Self {
        Self {
            skills: rules.skills.iter().map(Into::into).collect(),
            priority: rules.priority,
            retry_boost: count(rules.retry_boost),
            ageing_ms: Duration(rules.ageing_ms),
            weight: count(rules.weight),
            tier_step_ms: Duration(rules.tier_step_ms),
            last_agent_ms: Duration(rules.last_agent_ms),
            ring_timeouts_ms: rules
                .ring_timeouts_ms
                .iter()
                .copied()
                .map(Duration)
                .collect(),
            ring_step_ms: Duration(rules.ring_step_ms),
            retry_delay_ms: Duration(rules.retry_delay_ms),
            attempts_max: count(rules.attempts_max),
        }
    }
}

impl From<&queue::Requirement> for SkillRequirement {
    fn from(wanted: &queue::Requirement) -> Self {
        let relax = wanted.relax.iter().map(|step| SkillRelaxation {
            after_ms: Duration(step.after_ms),
            level: i32::from(step.level),
        });
        Self {
            skill: wanted.skill.clone(),
            level: i32::from(wanted.level),
            preferred: wanted.preferred,
            relax: relax.collect(),
        }
    }
}

/// How a queue is to match calls and agents.
#[derive(InputObject, Default)]
pub(crate) struct MatchingInput {
    /// Skills that its calls ask for.
    #[graphql(default)]
    skills: Vec<SkillRequirementInput>,
    /// Priority of its calls: the higher is served first.
    #[graphql(default = 0)]
    priority: i32,
    /// Added to the priority by each round of offers in vain.
    #[graphql(default = 0)]
    retry_boost: i32,
    /// Waiting this long adds one to the priority; 0 for never.
    #[graphql(default_with = "Duration(0)")]
    ageing_ms: Duration,
    /// Weight among the queues of one agent: the higher is served first.
    #[graphql(default = 0)]
    weight: i32,
    /// Each further tier of agents is asked only after this much more waiting;
    /// 0 for as soon as nobody of the tiers before is free.
    #[graphql(default_with = "Duration(0)")]
    tier_step_ms: Duration,
    /// For this long only the agent who served the caller last is asked, if that
    /// one is there.
    #[graphql(default_with = "Duration(0)")]
    last_agent_ms: Duration,
    /// How long phones ring in the first, second, ... round of offers; the last
    /// value stays. Empty for the queue's ring timeout.
    #[graphql(default)]
    ring_timeouts_ms: Vec<Duration>,
    /// Where phones ring progressively, after how long the next one joins in; 0
    /// for five seconds.
    #[graphql(default_with = "Duration(0)")]
    ring_step_ms: Duration,
    /// Pause after a round of offers in vain; doubles with each round, up to a
    /// minute.
    #[graphql(default_with = "Duration(0)")]
    retry_delay_ms: Duration,
    /// Rounds of offers after which the call overflows; 0 for no limit.
    #[graphql(default = 0)]
    attempts_max: i32,
}

/// A skill that calls are to ask for.
#[derive(InputObject)]
pub(crate) struct SkillRequirementInput {
    /// Which: one of the settings' list of skills.
    skill: String,
    /// Level at least, 1 to 5.
    level: i32,
    /// Nobody is left out for it; whoever has it comes first.
    #[graphql(default)]
    preferred: bool,
    /// What is enough after some waiting: each step later than the one before,
    /// and lower.
    #[graphql(default)]
    relax: Vec<SkillRelaxationInput>,
}

/// A step by which a requirement is relaxed.
#[derive(InputObject)]
pub(crate) struct SkillRelaxationInput {
    /// After so long a wait.
    after_ms: Duration,
    /// This level is enough; 0 for none at all.
    level: i32,
}

/// A level outside of what there is stays outside: the rules refuse it.
pub(crate) fn level(value: i32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

/// The skills that calls are to ask for.
pub(crate) fn skills_of(skills: &[SkillRequirementInput]) -> Vec<queue::Requirement> {
    let skills = skills.iter().map(|wanted| queue::Requirement {
        skill: wanted.skill.clone(),
        level: level(wanted.level),
        preferred: wanted.preferred,
        relax: wanted
            .relax
            .iter()
            .map(|step| queue::Relaxation {
                after_ms: step.after_ms.0,
                level: level(step.level),
            })
            .collect(),
    });
    skills.collect()
}

impl MatchingInput {
    /// The rules that are asked for; a negative count is none.
    pub(crate) fn rules(&self) -> queue::Matching {
        queue::Matching {
            skills: skills_of(&self.skills),
            priority: self.priority,
            retry_boost: u32::try_from(self.retry_boost).unwrap_or(0),
            ageing_ms: self.ageing_ms.0,
            weight: u32::try_from(self.weight).unwrap_or(0),
            tier_step_ms: self.tier_step_ms.0,
            last_agent_ms: self.last_agent_ms.0,
            ring_timeouts_ms: self.ring_timeouts_ms.iter().map(|ms| ms.0).collect(),
            ring_step_ms: self.ring_step_ms.0,
            retry_delay_ms: self.retry_delay_ms.0,
            attempts_max: u32::try_from(self.attempts_max).unwrap_or(0),
        }
    }
}

/// Something that an agent is good at.
#[derive(SimpleObject)]
pub(crate) struct AgentSkill {
    /// Which.
    skill: String,
    /// How good, 1 to 5.
    level: i32,
}

impl From<&agent::Skill> for AgentSkill {
    fn from(skill: &agent::Skill) -> Self {
        Self {
            skill: skill.skill.clone(),
            level: i32::from(skill.level),
        }
    }
}

/// Where an agent stands in a queue.
#[derive(SimpleObject)]
pub(crate) struct AgentPlace {
    /// In which.
    queue_id: ID,
    /// From 1: a tier is asked when nobody of those before is free.
    tier: i32,
    /// Within the tier, the lower comes first.
    penalty: i32,
    /// Chance among the others where the queue draws by weight.
    weight: i32,
}

impl From<&agent::Place> for AgentPlace {
    fn from(place: &agent::Place) -> Self {
        Self {
            queue_id: place.queue.opaque(),
            tier: i32::from(place.tier),
            penalty: i32::from(place.penalty),
            weight: i32::from(place.weight),
        }
    }
}

/// Something that an agent is to be good at.
#[derive(InputObject)]
pub(crate) struct AgentSkillInput {
    /// Which: one of the settings' list of skills.
    skill: String,
    /// How good, 1 to 5.
    level: i32,
}

impl AgentSkillInput {
    pub(crate) fn skill(&self) -> agent::Skill {
        agent::Skill {
            skill: self.skill.clone(),
            level: level(self.level),
        }
    }
}

/// Where an agent is to stand in a queue.
#[derive(InputObject)]
pub(crate) struct AgentPlaceInput {
    /// In which.
    queue_id: ID,
    /// From 1: a tier is asked when nobody of those before is free.
    #[graphql(default = 1)]
    tier: i32,
    /// Within the tier, the lower comes first.
    #[graphql(default = 0)]
    penalty: i32,
    /// Chance among the others where the queue draws by weight.
    #[graphql(default = 1)]
    weight: i32,
}

impl AgentPlaceInput {
    pub(crate) fn place(&self) -> Result<agent::Place, Fault> {
        Ok(agent::Place {
            queue: QueueId::read(&self.queue_id, "queueId")?,
            // One outside of what there is is refused by the rules.
            tier: u8::try_from(self.tier).unwrap_or(0),
            penalty: level(self.penalty),
            weight: level(self.weight),
        })
    }
}
