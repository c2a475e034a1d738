//! The queues and agents of a world.

use super::{
    World,
    doors::{mailbox, with_callbacks, with_doors, with_mailbox, with_nets},
    terms::with_terms,
};
use crate::{
    action::Posted,
    chance::Chance,
    options::Terms,
    violation::{Violation, must},
};
use domain::{
    agent,
    any::AnyCommand,
    call::{AnswerMode, OverflowCause},
    id::{AgentId, DEFAULT_TENANT, QueueId},
    mailbox::{Command, Config},
    queue,
};

fn queue_name(number: u64) -> String {
    format!("queue{number}")
}

fn agent_name(number: u64) -> String {
    format!("agent{number}")
}

pub(super) fn names(terms: &Terms) -> (Vec<QueueId>, Vec<AgentId>) {
    let queues = (0..terms.queues)
        .map(|number| QueueId::named(DEFAULT_TENANT, &queue_name(number)))
        .collect();
    let agents = (0..terms.agents)
        .map(|number| AgentId::named(DEFAULT_TENANT, &agent_name(number)))
        .collect();
    (queues, agents)
}

const STRATEGIES: [queue::Strategy; 11] = [
    queue::Strategy::LongestIdle,
    queue::Strategy::FewestCalls,
    queue::Strategy::LeastTalkTime,
    queue::Strategy::RoundRobin,
    queue::Strategy::Linear,
    queue::Strategy::Random,
    queue::Strategy::WeightedRandom,
    queue::Strategy::OrderedRoundRobin,
    queue::Strategy::BestSkill,
    queue::Strategy::RingAll,
    queue::Strategy::RingProgressively,
];

const SKILLS: [&str; 3] = ["german", "billing", "sales"];

/// Half of the queues have no rules of matching; the others some of each kind.
fn matching(draw: &mut Chance) -> queue::Matching {
    if draw.percent(50) {
        return queue::Matching::default();
    }
    let mut wanted = SKILLS.to_vec();
    wanted.retain(|_| draw.percent(30));
    let skills = wanted.into_iter().map(|skill| {
        let level = draw.between(1, 6) as u8;
        let steps = [
            (draw.between(1_000, 10_000), level.saturating_sub(2)),
            (draw.between(10_000, 30_000), 0),
        ];
        let mut before = level;
        let relax = steps.into_iter().filter(|(_, level)| {
            let is_lower = *level < before;
            before = before.min(*level);
            is_lower
        });
        queue::Requirement {
            skill: skill.into(),
            level,
            preferred: draw.percent(30),
            relax: relax
                .map(|(after_ms, level)| queue::Relaxation { after_ms, level })
                .collect(),
        }
    });
    let skills = skills.collect();
    let mut sometimes = |value: u64| draw.below(2) * value;
    queue::Matching {
        skills,
        priority: sometimes(10) as i32,
        retry_boost: sometimes(5) as u32,
        ageing_ms: sometimes(7_000),
        weight: sometimes(3) as u32,
        tier_step_ms: sometimes(6_000),
        last_agent_ms: 0,
        ring_timeouts_ms: vec![15_000, 10_000, 5_000],
        ring_step_ms: sometimes(3_000),
        retry_delay_ms: sometimes(2_000),
        attempts_max: sometimes(4) as u32,
    }
}

fn overflow(
    draw: &mut Chance,
    next: Option<QueueId>,
    matching: &queue::Matching,
) -> Vec<queue::Overflow> {
    let Some(next) = next.filter(|_| draw.percent(50)) else {
        return vec![];
    };
    let mut cases = vec![
        OverflowCause::Full,
        OverflowCause::MaxWait,
        OverflowCause::Unstaffed,
    ];
    cases.retain(|_| draw.percent(60));
    if matching.attempts_max > 0 {
        cases.push(OverflowCause::Attempts);
    } else {
        cases.truncate(2);
    }
    let to = queue::OverflowTo::Queue(next);
    let rules = cases.into_iter();
    rules
        .map(|when| queue::Overflow {
            when,
            to: to.clone(),
        })
        .collect()
}

fn skills(draw: &mut Chance) -> Vec<agent::Skill> {
    let mut skills = SKILLS.to_vec();
    skills.retain(|_| draw.percent(60));
    let skills = skills.into_iter().map(|skill| agent::Skill {
        skill: skill.into(),
        level: draw.between(1, 6) as u8,
    });
    skills.collect()
}

fn places(draw: &mut Chance, queues: &[QueueId]) -> Vec<agent::Place> {
    let places = queues.iter().map(|queue| agent::Place {
        queue: *queue,
        tier: draw.between(1, 4) as u8,
        penalty: draw.below(3) as u8,
        weight: draw.below(4) as u8,
    });
    places.collect()
}

/// Some queues ask who served the caller last, and that one alone at first.
fn with_last_agent(draw: &mut Chance, mut config: queue::Config) -> queue::Config {
    if draw.percent(25) {
        config.matching.last_agent_ms = draw.between(2_000, 12_000);
    }
    config
}

/// Some queues that answer at once tell those who wait their places.
fn with_told_places(draw: &mut Chance, mut config: queue::Config) -> queue::Config {
    let tells = draw.percent(50);
    let told = queue::AnnouncePosition {
        sounds: "english".into(),
        every_ms: draw.between(10_000, 40_000),
        first_ms: draw.between(1_000, 10_000),
        up_to: draw.between(1, 5) as u32,
    };
    if tells && config.answer_mode == AnswerMode::Immediate {
        config.announce_position = Some(Box::new(told));
    }
    config
}

impl World {
    /// Configures everything before the first call.
    #[allow(
        clippy::too_many_lines,
        reason = "one thing after the other, each made once"
    )]
    pub(super) fn provision(&mut self) -> Result<(), Violation> {
        let (queues, _) = names(&self.terms);
        let mut draw = self.chance.split(0x0a7c);
        let mut doors = self.chance.split(0xd00a);
        let mut rings = self.chance.split(0xca11);
        let mut nets = self.chance.split(0x4e75);
        let mut boxes = self.chance.split(0xb0c5);
        let mut lasts = self.chance.split(0x1a57);
        let mut asks = self.chance.split(0xa5c5);
        let mut tells = self.chance.split(0x7e11);
        let config = Config {
            messages_max: boxes.between(1, 6) as u32,
            ..Config::default()
        };
        let name = "mailbox".into();
        let configure = Command::Configure { name, config };
        self.configure(AnyCommand::Mailbox(mailbox(), configure))?;
        for number in 0..self.terms.queues {
            let matching = matching(&mut draw);
            // On to the queue behind it, never back.
            let next = queues.get(number as usize + 1).copied();
            let overflow = overflow(&mut draw, next, &matching);
            let matching = queue::Matching {
                attempts_max: match overflow.is_empty() {
                    true => 0,
                    false => matching.attempts_max,
                },
                ..matching
            };
            let config = queue::Config {
                strategy: draw.one_of(&STRATEGIES).copied().unwrap_or(STRATEGIES[0]),
                ring_timeout_ms: self.chance.between(5_000, 25_000),
                wrap_up_ms: self.chance.below(2) * 10_000,
                answer_mode: if self.chance.percent(50) {
                    AnswerMode::Immediate
                } else {
                    AnswerMode::OnAgent
                },
                max_wait_ms: self.chance.below(2) * 120_000,
                capacity: self.chance.between(2, 40) as u32,
                overflow,
                matching,
                ..queue::Config::default()
            };
            let behind = queues.get(number as usize + 1..).unwrap_or_default();
            let config = match self.options.calm {
                true => config,
                false => {
                    let config = with_doors(&mut doors, behind, self.wall(0), config);
                    let config = with_callbacks(&mut rings, config);
                    let config = with_nets(&mut nets, behind, config);
                    let config = with_last_agent(&mut lasts, config);
                    let config = with_terms(&mut asks, config);
                    let config = with_told_places(&mut tells, config);
                    with_mailbox(&mut boxes, config)
                }
            };
            let name = queue_name(number);
            let id = QueueId::named(DEFAULT_TENANT, &name);
            self.configure(AnyCommand::Queue(
                id,
                queue::Command::Create { name, config },
            ))?;
        }
        let mut units = self.chance.split(0x0217);
        // In some worlds agents may have several calls at once.
        let is_roomy = !self.options.calm && units.percent(40);
        for number in 0..self.terms.agents {
            let mut serves = queues.clone();
            serves.retain(|_| self.chance.percent(70));
            let config = agent::Config {
                display_name: None,
                skills: skills(&mut draw),
                places: places(&mut draw, &serves),
                queues: serves,
                ready_on_register: self.chance.percent(50),
                registration_grace_ms: agent::REGISTRATION_GRACE_MS,
                capacity: match is_roomy && units.percent(60) {
                    true => units.between(2, 3) as u8,
                    false => 1,
                },
            };
            let name = agent_name(number);
            let id = AgentId::named(DEFAULT_TENANT, &name);
            self.configure(AnyCommand::Agent(
                id,
                agent::Command::Create { name, config },
            ))?;
        }
        Ok(())
    }

    fn configure(&mut self, command: AnyCommand) -> Result<(), Violation> {
        let posted = Posted {
            command,
            at: self.wall(0),
            asked_by: None,
        };
        let outcome = self.all.handle(posted.at, posted.command, None);
        must(outcome.is_ok(), || format!("provisioning: {outcome:?}"))?;
        self.hear_news()
    }
}
