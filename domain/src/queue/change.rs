//! A change of some of a queue's rules: what is not said stays as it is.

use super::{
    announce::SetAnnouncePosition,
    empty::Empty,
    event::{Config, Overflow, Strategy},
    exit::Exit,
    hours::Hours,
    matching::Matching,
    music::SetMusic,
    terms::Terms,
};
use crate::{calendar::Zone, call::AnswerMode, callback};
use serde::{Deserialize, Serialize};

/// What is to be otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// Which agent first.
    pub strategy: Option<Strategy>,
    /// How long one agent's phone rings.
    pub ring_timeout_ms: Option<u64>,
    /// Work after a call; 0 for none.
    pub wrap_up_ms: Option<u64>,
    /// When the caller is answered.
    pub answer_mode: Option<AnswerMode>,
    /// How long a caller waits at most; 0 for no limit.
    pub max_wait_ms: Option<u64>,
    /// A call that would wait longer does not wait here; 0 for never.
    pub expected_wait_max_ms: Option<u64>,
    /// No stay becomes older; 0 for no such net.
    pub visit_ttl_ms: Option<u64>,
    /// Callers in the queue at most.
    pub capacity: Option<u32>,
    /// Answered within this time counts as in time.
    pub service_level_threshold_ms: Option<u64>,
    /// How many of a hundred calls are to be answered in that time.
    pub service_level_target_percent: Option<u8>,
    /// Whoever leaves in less than this time has hardly called.
    pub short_abandon_ms: Option<u64>,
    /// Whose days its figures are of.
    pub time_zone: Option<Zone>,
    /// Numbers that lead here.
    pub numbers: Option<Vec<String>>,
    /// Where calls go that it does not serve.
    pub overflow: Option<Vec<Overflow>>,
    /// Who is fit for its calls, and in which order they are served.
    pub matching: Option<Matching>,
    /// What it asks of its agents.
    pub terms: Option<Terms>,
    /// When it takes calls.
    pub hours: SetHours,
    /// Keys by which a waiting caller leaves it.
    pub exits: Option<Vec<Exit>>,
    /// Whether calls wait where nobody is there.
    pub empty: Option<Empty>,
    /// How long a place is kept for whoever hangs up; 0 for never.
    pub resume_abandoned_ms: Option<u64>,
    /// How those are rung back who wait no longer.
    pub callback: Option<callback::Terms>,
    /// How callers who wait are told their place.
    pub announce_position: SetAnnouncePosition,
    /// What callers hear while they wait.
    pub music: SetMusic,
}

/// What is to become of a queue's hours.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetHours {
    /// They stay.
    #[default]
    Keep,
    /// It takes calls always.
    Always,
    /// These.
    To(Box<Hours>),
}

impl SetHours {
    pub(super) fn of(self, current: Option<Box<Hours>>) -> Option<Box<Hours>> {
        match self {
            Self::Keep => current,
            Self::Always => None,
            Self::To(hours) => Some(hours),
        }
    }
}

impl Change {
    /// The rules with what is said, and the others as they were.
    #[must_use]
    pub fn of(self, current: &Config) -> Config {
        let now = current.clone();
        Config {
            strategy: self.strategy.unwrap_or(now.strategy),
            ring_timeout_ms: self.ring_timeout_ms.unwrap_or(now.ring_timeout_ms),
            wrap_up_ms: self.wrap_up_ms.unwrap_or(now.wrap_up_ms),
            answer_mode: self.answer_mode.unwrap_or(now.answer_mode),
            max_wait_ms: self.max_wait_ms.unwrap_or(now.max_wait_ms),
            expected_wait_max_ms: self
                .expected_wait_max_ms
                .unwrap_or(now.expected_wait_max_ms),
            visit_ttl_ms: self.visit_ttl_ms.unwrap_or(now.visit_ttl_ms),
            capacity: self.capacity.unwrap_or(now.capacity),
            service_level_threshold_ms: self
                .service_level_threshold_ms
                .unwrap_or(now.service_level_threshold_ms),
            service_level_target_percent: self
                .service_level_target_percent
                .unwrap_or(now.service_level_target_percent),
            short_abandon_ms: self.short_abandon_ms.unwrap_or(now.short_abandon_ms),
            time_zone: self.time_zone.or(now.time_zone),
            numbers: self.numbers.unwrap_or(now.numbers),
            overflow: self.overflow.unwrap_or(now.overflow),
            matching: self.matching.unwrap_or(now.matching),
            terms: self.terms.unwrap_or(now.terms),
            hours: self.hours.of(now.hours),
            exits: self.exits.unwrap_or(now.exits),
            empty: self.empty.unwrap_or(now.empty),
            resume_abandoned_ms: self.resume_abandoned_ms.unwrap_or(now.resume_abandoned_ms),
            callback: self.callback.unwrap_or(now.callback),
            announce_position: self.announce_position.of(now.announce_position),
            music: self.music.of(now.music),
        }
    }
}
