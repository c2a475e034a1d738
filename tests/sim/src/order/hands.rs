//! Who is free, and who of them is to be rung first: told from events and configurations,
//! apart from the product's own reading of them.

use crate::in_vain::InVain;
use domain::{
    agent,
    any::{AnyEvent, Fact},
    id::{AgentId, CallId, QueueId, SessionId},
    queue::{Matching, Strategy, Terms},
    session::{self, NextState},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// Where an agent stands among the free of a queue: the lowest is rung first.
pub(super) type Rank = (Class, u64, Timestamp, AgentId);

/// Tier before penalty before preferred skills that are missing.
pub(super) type Class = (u8, u8, usize);

#[derive(Debug, Default, Clone)]
pub(super) struct Hands {
    hands: BTreeMap<AgentId, Hand>,
    /// Grows with whatever has an order.
    number: u64,
}

/// What an agent does, as far as that is certain.
#[derive(Debug, Default, Clone)]
struct Hand {
    session: Option<(SessionId, u64)>,
    /// Free, and since when; none while busy or away.
    idle_since: Option<Timestamp>,
    /// Since when it was idle before it was reserved.
    before: Option<Timestamp>,
    /// A refusal has told of something up to this version of its session that was not
    /// heard yet: until it is, nothing is certain.
    behind: Option<u64>,
    /// Left alone until then, also when it says that it is ready meanwhile, or has a call.
    rests_until: Option<Timestamp>,
    /// What the queue asks that it was reserved for.
    terms: Terms,
    /// Offers in a row that came to nothing, by whose fault.
    in_vain: InVain,
    /// It has asked, or was made, not to take calls when it is free again.
    goes: bool,
    /// Of this login.
    calls: u64,
    talk_ms: u64,
    /// Its calls, and since when it talks in each.
    talks: BTreeMap<CallId, Timestamp>,
    /// When it began to serve each queue.
    joined: BTreeMap<QueueId, u64>,
    /// When it was last reserved for each.
    taken: BTreeMap<QueueId, u64>,
}

impl Hands {
    /// Takes what the process heard.
    pub(super) fn hear(&mut self, fact: &Fact) {
        match &fact.event {
            AnyEvent::Agent(
                agent,
                agent::Event::Created { config, .. } | agent::Event::Configured { config, .. },
            ) => {
                let hand = self.hands.entry(*agent).or_default();
                hand.joined.retain(|queue, _| config.queues.contains(queue));
                for queue in &config.queues {
                    self.number += 1;
                    hand.joined.entry(*queue).or_insert(self.number);
                }
            }
            AnyEvent::Session(session, event) => {
                self.number += 1;
                let hand = self.hands.entry(session.agent).or_default();
                let told = Some((*session, fact.version));
                // Told twice.
                if hand.session >= told {
                    return;
                }
                hand.session = told;
                hand.behind = hand.behind.filter(|version| *version > fact.version);
                hand.hear(event, fact.at, self.number);
            }
            AnyEvent::Line(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Call(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => {}
        }
    }

    /// The session did not let itself be reserved, at that version.
    pub(super) fn refused(&mut self, agent: AgentId, version: u64) {
        let hand = self.hands.entry(agent).or_default();
        let heard = hand.session.map_or(0, |(_, version)| version);
        hand.behind = (version > heard).then_some(version);
    }

    /// Everybody who is free for certain.
    pub(super) fn free(&self, now: Timestamp) -> impl Iterator<Item = AgentId> {
        let free = self.hands.iter();
        let free = free.filter(move |(_, hand)| hand.free_since(now).is_some());
        free.map(|(agent, _)| *agent)
    }

    /// Whether it has a call for certain.
    pub(super) fn talks(&self, agent: AgentId) -> bool {
        let hand = self.hands.get(&agent);
        hand.is_some_and(|hand| !hand.talks.is_empty())
    }

    /// Whether that call is its own still.
    pub(super) fn has(&self, agent: AgentId, call: CallId) -> bool {
        let hand = self.hands.get(&agent);
        hand.is_some_and(|hand| hand.talks.contains_key(&call))
    }

    /// Where a free agent stands in a queue; only the class where chance or a round decides
    /// among those of one.
    pub(super) fn rank(
        &self,
        agent: AgentId,
        config: &agent::Config,
        queue: QueueId,
        (rules, strategy): (&Matching, Strategy),
        now: Timestamp,
    ) -> Option<Rank> {
        let hand = self.hands.get(&agent)?;
        let idle_since = hand.free_since(now)?;
        let class = class(config, queue, rules);
        let in_class = match strategy {
            // All, or chance, or whose turn it is: no standing order.
            Strategy::RingAll
            | Strategy::Random
            | Strategy::WeightedRandom
            | Strategy::OrderedRoundRobin => {
                return Some((class, 0, Timestamp::default(), AgentId(uuid::Uuid::nil())));
            }
            Strategy::LongestIdle | Strategy::RingProgressively => 0,
            Strategy::FewestCalls => hand.calls,
            Strategy::LeastTalkTime => hand.talk_ms,
            Strategy::RoundRobin => hand.taken.get(&queue).copied().unwrap_or(0),
            Strategy::Linear => hand.joined.get(&queue).copied()?,
            Strategy::BestSkill => lacking(config, rules),
        };
        Some((class, in_class, idle_since, agent))
    }
}

impl Hand {
    /// Since when it is free, if it is for certain.
    fn free_since(&self, now: Timestamp) -> Option<Timestamp> {
        let rests = self.rests_until.is_some_and(|until| until > now);
        self.idle_since.filter(|_| !rests && self.behind.is_none())
    }

    fn hear(&mut self, event: &session::Event, at: Timestamp, number: u64) {
        match event {
            session::Event::LoggedIn { .. } => {
                (self.idle_since, self.before) = (None, None);
                (self.calls, self.talk_ms) = (0, 0);
                self.talks.clear();
                self.rests_until = None;
                self.in_vain.clear();
                self.goes = false;
            }
            session::Event::LoggedOut { .. } | session::Event::BecameNotReady { .. } => {
                (self.idle_since, self.before) = (None, None);
                self.goes = false;
            }
            session::Event::BecameReady {} => {
                self.idle_since.get_or_insert(at);
                self.in_vain.clear();
                self.goes = false;
            }
            session::Event::Reserved { queue, terms, .. } => {
                self.terms = *terms;
                self.before = self.idle_since.take().or(self.before);
                self.taken.insert(*queue, number);
            }
            // Idle since before the offer.
            session::Event::ReservationReleased {
                not_before,
                reason,
                still,
                ..
            } => {
                self.idle_since = self.before;
                self.rests_until = *not_before;
                // What follows at once is heard with the next fact.
                let follows = self.in_vain.count(&self.terms, *reason);
                if still.is_some()
                    || self.goes
                    || follows.is_some_and(|follows| follows.is_too_many)
                {
                    (self.idle_since, self.before) = (None, None);
                }
            }
            session::Event::ConnectedToContact { call, .. } => {
                (self.idle_since, self.before) = (None, None);
                self.calls += 1;
                self.in_vain.clear();
                self.talks.insert(*call, at);
            }
            session::Event::ContactEnded { call, still } => {
                if let Some(since) = self.talks.remove(call) {
                    self.talk_ms += at.ms_since(since);
                }
                // It rings at the agent meanwhile: should that come to nothing, the agent
                // is idle since now.
                if still.is_some_and(|still| still.doing == session::Doing::Reserved) {
                    self.before = Some(at);
                }
            }
            session::Event::WrapUpStarted { .. } => {
                (self.idle_since, self.before) = (None, None);
            }
            session::Event::NextStateRequested { next, .. } => {
                self.goes = matches!(next, NextState::NotReady(_) | NextState::LoggedOut(_));
                if *next == NextState::Ready {
                    self.in_vain.clear();
                }
            }
            session::Event::WrapUpEnded { .. }
            | session::Event::WrapUpExtended { .. }
            | session::Event::Forced { .. } => {}
        }
    }
}

fn level(config: &agent::Config, skill: &str) -> u8 {
    let mut has = config.skills.iter();
    has.find(|has| has.skill == skill)
        .map_or(0, |has| has.level)
}

fn class(config: &agent::Config, queue: QueueId, rules: &Matching) -> Class {
    let place = config.place(queue);
    let wanted = rules.skills.iter().filter(|wanted| wanted.preferred);
    let missing = wanted.filter(|wanted| level(config, &wanted.skill) < wanted.level);
    (place.tier, place.penalty, missing.count())
}

/// How much is missing to the highest level of all skills asked for.
fn lacking(config: &agent::Config, rules: &Matching) -> u64 {
    let wanted = rules.skills.iter();
    let lacks = wanted.map(|wanted| 5 - level(config, &wanted.skill).min(5));
    lacks.map(u64::from).sum()
}
