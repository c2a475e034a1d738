//! What can have happened to a queue's configuration. The stored schema: handle with care.

use super::{
    announce::AnnouncePosition, empty::Empty, exit::Exit, hand::Hand, hours::Hours,
    matching::Matching, terms::Terms,
};
use crate::{
    calendar::Zone,
    call::{AnswerMode, OverflowCause},
    callback, decider,
    id::{AgentId, MailboxId, QueueId},
    line::{Measure, TARGET_PERCENT, is_target_percent, target_percent},
};
use serde::{Deserialize, Serialize};

/// Which agent is offered a call first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The one that has been idle longest.
    LongestIdle,
    /// The one with the fewest calls since logging in.
    FewestCalls,
    /// The one that has talked least since logging in.
    LeastTalkTime,
    /// In turn: the one that was rung for this queue longest ago.
    RoundRobin,
    /// From the top: the one that has served the queue longest.
    Linear,
    /// Anyone, each with the same chance.
    Random,
    /// Anyone, each with a chance by the agent's weight in the queue.
    WeightedRandom,
    /// Round and round in the order of joining, on from whoever was rung last.
    OrderedRoundRobin,
    /// The one whose levels of the skills that the queue asks for are highest.
    BestSkill,
    /// Everybody who is free at once; the first who answers gets the call.
    RingAll,
    /// The longest idle first; the others join in, one after the other.
    RingProgressively,
}

impl Strategy {
    /// Several phones ring side by side for one call.
    pub const fn rings_beside(self) -> bool {
        match self {
            Self::RingAll | Self::RingProgressively => true,
            Self::LongestIdle
            | Self::FewestCalls
            | Self::LeastTalkTime
            | Self::RoundRobin
            | Self::Linear
            | Self::Random
            | Self::WeightedRandom
            | Self::OrderedRoundRobin
            | Self::BestSkill => false,
        }
    }
}

/// Where a call goes that the queue does not serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverflowTo {
    /// Into another queue.
    Queue(QueueId),
    /// To a number outside.
    Number(String),
    /// Home, to be rung back.
    Callback,
    /// Home, after the announcement of that name.
    Announcement(String),
    /// Into a mailbox, to leave a message.
    Mailbox(MailboxId),
}

/// What becomes of calls that the queue does not serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overflow {
    /// In which case.
    pub when: OverflowCause,
    /// Where they go.
    pub to: OverflowTo,
}

/// A caller who leaves in less time is a short abandon, unless the queue says otherwise.
pub const SHORT_ABANDON_MS: u64 = 5_000;

/// A stay of more than a day is one that something is wrong with, unless the queue says
/// otherwise.
pub const VISIT_TTL_MS: u64 = 86_400_000;

const fn visit_ttl_ms() -> u64 {
    VISIT_TTL_MS
}

// serde hands over references.
const fn is_visit_ttl_ms(value: &u64) -> bool {
    *value == VISIT_TTL_MS
}

const fn short_abandon_ms() -> u64 {
    SHORT_ABANDON_MS
}

// serde hands over references.
const fn is_short_abandon_ms(value: &u64) -> bool {
    *value == SHORT_ABANDON_MS
}
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// A queue's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Which agent first.
    pub strategy: Strategy,
    /// How long one agent's phone rings.
    pub ring_timeout_ms: u64,
    /// Work after a call; 0 for none.
    pub wrap_up_ms: u64,
    /// When the caller is answered.
    pub answer_mode: AnswerMode,
    /// How long a caller waits at most; 0 for no limit.
    pub max_wait_ms: u64,
    /// A call that would wait longer, as far as that is known, does not wait here; 0 for
    /// never.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub expected_wait_max_ms: u64,
    /// No stay becomes older, however it came to be stuck; 0 for no such net.
    #[serde(default = "visit_ttl_ms", skip_serializing_if = "is_visit_ttl_ms")]
    pub visit_ttl_ms: u64,
    /// Callers in the queue at most.
    pub capacity: u32,
    /// Answered within this time counts as in time.
    pub service_level_threshold_ms: u64,
    /// How many of a hundred calls are to be answered in that time.
    #[serde(default = "target_percent", skip_serializing_if = "is_target_percent")]
    pub service_level_target_percent: u8,
    /// Whoever leaves in less than this time has hardly called: a short abandon.
    #[serde(
        default = "short_abandon_ms",
        skip_serializing_if = "is_short_abandon_ms"
    )]
    pub short_abandon_ms: u64,
    /// Whose days the figures of today are of; without it that of the hours, else UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Zone>,
    /// Numbers that lead here, as they stand in the Request-URI.
    #[serde(default)]
    pub numbers: Vec<String>,
    /// Where calls go that it does not serve; in the other cases they end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overflow: Vec<Overflow>,
    /// Who is fit for its calls, and in which order they are served.
    #[serde(default, skip_serializing_if = "Matching::is_off")]
    pub matching: Matching,
    /// What it asks of its agents.
    #[serde(default, skip_serializing_if = "Terms::is_standard")]
    pub terms: Terms,
    /// When it takes calls; always, without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Box<Hours>>,
    /// Keys by which a waiting caller leaves it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exits: Vec<Exit>,
    /// Whether calls wait where nobody is there.
    #[serde(default, skip_serializing_if = "Empty::is_off")]
    pub empty: Empty,
    /// A caller who hangs up and calls again within this time comes back to the place
    /// that was left, once; 0 for never.
    // Its first name, in events of the first days.
    #[serde(default, alias = "ring_back_ms", skip_serializing_if = "is_zero")]
    pub resume_abandoned_ms: u64,
    /// How those are rung back who wait no longer.
    #[serde(default, skip_serializing_if = "callback::Terms::is_standard")]
    pub callback: callback::Terms,
    /// How callers who wait are told their place; they are not, without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce_position: Option<Box<AnnouncePosition>>,
    /// What callers hear while they wait and while they are held, by its name in the
    /// settings; our own track, without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub music: Option<String>,
}

/// A queue of which only the name was said; the file, the API and what else makes
/// queues start from this.
impl Default for Config {
    fn default() -> Self {
        Self {
            strategy: Strategy::LongestIdle,
            ring_timeout_ms: 30_000,
            wrap_up_ms: 0,
            answer_mode: AnswerMode::Immediate,
            max_wait_ms: 3_600_000,
            expected_wait_max_ms: 0,
            visit_ttl_ms: VISIT_TTL_MS,
            capacity: 1_000,
            service_level_threshold_ms: 20_000,
            service_level_target_percent: TARGET_PERCENT,
            short_abandon_ms: SHORT_ABANDON_MS,
            time_zone: None,
            numbers: vec![],
            overflow: vec![],
            matching: Matching::default(),
            terms: Terms::STANDARD,
            hours: None,
            exits: vec![],
            empty: Empty::default(),
            resume_abandoned_ms: 0,
            callback: callback::Terms::STANDARD,
            announce_position: None,
            music: None,
        }
    }
}

impl Config {
    /// How old a stay may become that waits so long at most; 0 for any age. A longest wait
    /// of more than the default makes that longer: nobody chose it.
    pub fn ttl_ms(&self, max_wait_ms: u64) -> u64 {
        match self.visit_ttl_ms {
            0 => 0,
            ttl_ms => ttl_ms.max(max_wait_ms),
        }
    }

    /// By which a call is measured that comes now.
    pub const fn measure(&self) -> Measure {
        Measure {
            threshold_ms: self.service_level_threshold_ms,
            target_percent: self.service_level_target_percent,
            short_abandon_ms: self.short_abandon_ms,
        }
    }

    /// The zone of its days.
    pub fn zone(&self) -> Zone {
        let of_hours = self.hours.as_deref().map(|hours| hours.zone);
        self.time_zone.or(of_hours).unwrap_or(Zone::UTC)
    }

    /// Where a call goes in that case.
    pub fn overflow(&self, cause: OverflowCause) -> Option<&OverflowTo> {
        self.overflow
            .iter()
            .find(|rule| rule.when == cause)
            .map(|rule| &rule.to)
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was made.
    #[serde(rename = "queue_created")]
    Created {
        /// Its name, for ever.
        name: String,
        /// Everything that can change.
        config: Config,
        /// Of a queue that was there before: its changes go on being counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        config_version: Option<u32>,
    },
    /// It was changed.
    #[serde(rename = "queue_configured")]
    Configured {
        /// Counts the changes; being made first was 1.
        config_version: u32,
        /// Everything that can change.
        config: Config,
    },
    /// A person has opened it: it takes calls, whatever its hours say.
    #[serde(rename = "queue_opened")]
    Opened {
        /// Who.
        by: String,
        /// Why, in a word.
        why: String,
    },
    /// A person has closed it: it takes no calls, whatever its hours say.
    #[serde(rename = "queue_closed")]
    Closed {
        /// Who.
        by: String,
        /// Why, in a word.
        why: String,
    },
    /// What was said by hand does not count any more: its hours do.
    #[serde(rename = "queue_hours_followed")]
    HoursFollowed {
        /// Who took it back.
        by: String,
        /// Why, in a word.
        why: String,
    },
    /// A person wants that agent to be offered none of its calls for now.
    #[serde(rename = "queue_member_paused")]
    MemberPaused {
        /// Whom.
        agent: AgentId,
        /// Who.
        by: String,
        /// Why, in a word.
        why: String,
    },
    /// The agent is offered its calls again.
    #[serde(rename = "queue_member_unpaused")]
    MemberUnpaused {
        /// Whom.
        agent: AgentId,
        /// Who took it back.
        by: String,
        /// Why, in a word.
        why: String,
    },
    /// It was taken away. Made again under its name, it is the same queue.
    #[serde(rename = "queue_deleted")]
    Deleted {
        /// Who.
        by: String,
        /// Why, in a word.
        why: String,
    },
}

impl Event {
    /// The name of a queue that is made with it.
    pub fn made(&self) -> Option<&str> {
        match self {
            Self::Created { name, .. } => Some(name),
            Self::Configured { .. }
            | Self::Opened { .. }
            | Self::Closed { .. }
            | Self::HoursFollowed { .. }
            | Self::MemberPaused { .. }
            | Self::MemberUnpaused { .. }
            | Self::Deleted { .. } => None,
        }
    }

    /// The configuration from now on, and its version, which is 1 of a queue that was never
    /// there; none of an event that leaves it as it is.
    pub const fn configured(&self) -> Option<(u32, &Config)> {
        match self {
            Self::Created {
                config,
                config_version,
                ..
            } => match config_version {
                Some(version) => Some((*version, config)),
                None => Some((1, config)),
            },
            Self::Configured {
                config_version,
                config,
            } => Some((*config_version, config)),
            Self::Opened { .. }
            | Self::Closed { .. }
            | Self::HoursFollowed { .. }
            | Self::MemberPaused { .. }
            | Self::MemberUnpaused { .. }
            | Self::Deleted { .. } => None,
        }
    }

    /// What counts of the queue's doors from now on, where the event says so: a
    /// person's word, or (none) its hours.
    pub const fn hand(&self) -> Option<Option<Hand>> {
        match self {
            Self::Opened { .. } => Some(Some(Hand::Open)),
            Self::Closed { .. } => Some(Some(Hand::Closed)),
            Self::HoursFollowed { .. } => Some(None),
            Self::Created { .. }
            | Self::Configured { .. }
            | Self::MemberPaused { .. }
            | Self::MemberUnpaused { .. }
            | Self::Deleted { .. } => None,
        }
    }

    /// Whose membership is paused from now on (true) or not any more, where the event says
    /// so.
    pub const fn paused(&self) -> Option<(AgentId, bool)> {
        match self {
            Self::MemberPaused { agent, .. } => Some((*agent, true)),
            Self::MemberUnpaused { agent, .. } => Some((*agent, false)),
            Self::Created { .. }
            | Self::Configured { .. }
            | Self::Opened { .. }
            | Self::Closed { .. }
            | Self::HoursFollowed { .. }
            | Self::Deleted { .. } => None,
        }
    }
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Created { .. } => "queue_created",
            Self::Configured { .. } => "queue_configured",
            Self::Opened { .. } => "queue_opened",
            Self::Closed { .. } => "queue_closed",
            Self::HoursFollowed { .. } => "queue_hours_followed",
            Self::MemberPaused { .. } => "queue_member_paused",
            Self::MemberUnpaused { .. } => "queue_member_unpaused",
            Self::Deleted { .. } => "queue_deleted",
        }
    }
}
