//! Routing's picture of who waits and who is free. Kept indexed, so that a
//! match costs the same with ten agents and with ten thousand.

mod agents;
mod callers;
mod visits;

pub(super) use agents::{Activity, AgentRow, Member, Standing};
pub(super) use callers::Callers;
pub(super) use visits::{Key, Waiting};

use super::rank::Rank;
use crate::{
    id::{AgentId, CallId, OfferId, QueueId, SessionId, VisitId},
    queue::{Config, Matching, Strategy, Terms},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

/// How a queue matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rules {
    pub(super) strategy: Strategy,
    pub(super) matching: Matching,
    pub(super) terms: Terms,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            strategy: Strategy::LongestIdle,
            matching: Matching::default(),
            terms: Terms::STANDARD,
        }
    }
}

/// The rules of a queue: how agents stand is by its present ones, what a call
/// asks for by those that it came under.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct QueueRules {
    /// The version in force.
    current: u32,
    versions: BTreeMap<u32, Rules>,
}

/// The whole picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Board {
    visits: BTreeMap<VisitId, Waiting>,
    /// Where each call in progress waits or has waited last, as the call says it.
    stays: BTreeMap<CallId, VisitId>,
    agents: BTreeMap<AgentId, AgentRow>,
    /// Offers that are asked for or live: of which visit, to whom.
    offers: BTreeMap<OfferId, (VisitId, AgentId)>,
    /// Of these, the ones that nobody has answered yet.
    wishes: BTreeSet<OfferId>,
    /// Visits that may be offered to an agent, in the order of their queue.
    pub(super) lines: BTreeMap<QueueId, BTreeSet<(Key, VisitId)>>,
    /// Agents that are free, in the order of the queue's strategy; the agent's id
    /// breaks every tie.
    pub(super) free: BTreeMap<QueueId, BTreeSet<(Rank, AgentId)>>,
    /// All agents of each queue, by what keeps them from a call.
    standing: BTreeMap<QueueId, BTreeMap<Standing, BTreeSet<AgentId>>>,
    /// Whom a person has paused in a queue, whether or not the agent serves it.
    paused: BTreeSet<(QueueId, AgentId)>,
    rules: BTreeMap<QueueId, QueueRules>,
    /// Where each queue's round stands: when the agent joined it that was taken last.
    rounds: BTreeMap<QueueId, u64>,
    /// The latest instant that was heard of.
    latest: Timestamp,
    /// Counts joins and offers.
    sequence: u64,
    /// Queues where something has changed since they were looked at.
    pub(super) changed: BTreeSet<QueueId>,
    /// When the pause of an agent is over.
    pauses: BTreeSet<(Timestamp, AgentId)>,
    /// When the next step of a visit's waiting comes.
    steps: BTreeSet<(Timestamp, VisitId)>,
    /// Who calls, and who served them last.
    pub(super) callers: Callers,
    /// Calls that an agent has sent on into another queue whose contact has not ended yet:
    /// one call is held once.
    handed_on: BTreeMap<CallId, AgentId>,
}

/// How a queue of which nothing is known matches.
static UNKNOWN: Rules = Rules {
    strategy: Strategy::LongestIdle,
    matching: OFF,
    terms: Terms::STANDARD,
};

/// Nothing is set.
const OFF: Matching = Matching {
    skills: vec![],
    priority: 0,
    retry_boost: 0,
    ageing_ms: 0,
    weight: 0,
    tier_step_ms: 0,
    last_agent_ms: 0,
    ring_timeouts_ms: vec![],
    ring_step_ms: 0,
    retry_delay_ms: 0,
    attempts_max: 0,
};

impl Board {
    pub(super) fn visit(&self, visit: VisitId) -> Option<&Waiting> {
        self.visits.get(&visit)
    }

    /// The place in the queue's line after that one, or the first.
    pub(super) fn next_in_line(
        &self,
        queue: QueueId,
        after: Option<(Key, VisitId)>,
    ) -> Option<(Key, VisitId)> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut behind = self.lines.get(&queue)?.range((after, Bound::Unbounded));
        behind.next().copied()
    }

    /// The agent has sent the call on: the caller is to have somebody else.
    pub(super) fn hands_on(&mut self, call: CallId, agent: AgentId) {
        self.callers.sent_on(call, agent);
        self.handed_on.insert(call, agent);
    }

    /// Who has sent the call on and holds it still.
    pub(super) fn still_has(&self, call: CallId) -> Option<AgentId> {
        self.handed_on.get(&call).copied()
    }

    pub(super) fn agent(&self, agent: AgentId) -> Option<&AgentRow> {
        self.agents.get(&agent)
    }

    pub(super) fn session_of(&self, agent: AgentId) -> Option<SessionId> {
        self.agents.get(&agent).and_then(|row| row.session)
    }

    pub(super) fn queues_of(&self, agent: AgentId) -> impl Iterator<Item = QueueId> + '_ {
        self.agents
            .get(&agent)
            .into_iter()
            .flat_map(|row| row.queues.keys().copied())
    }

    /// The rules in force.
    pub(super) fn rules(&self, queue: QueueId) -> &Rules {
        self.rules
            .get(&queue)
            .and_then(|rules| rules.versions.get(&rules.current))
            .unwrap_or(&UNKNOWN)
    }

    /// The rules that a visit came under.
    pub(super) fn rules_of(&self, visit: &Waiting) -> &Rules {
        self.rules
            .get(&visit.queue)
            .and_then(|rules| rules.versions.get(&visit.policy.config_version))
            .unwrap_or_else(|| self.rules(visit.queue))
    }

    /// Where the round of an ordered queue stands.
    pub(super) fn round(&self, queue: QueueId) -> u64 {
        self.rounds.get(&queue).copied().unwrap_or(0)
    }

    /// The queue matches in that way from now on; calls that wait already keep
    /// what they came under.
    pub(super) fn match_by(
        &mut self,
        queue: QueueId,
        version: u32,
        config: &Config,
        at: Timestamp,
    ) {
        let rules = Rules {
            strategy: config.strategy,
            matching: config.matching.clone(),
            terms: config.terms,
        };
        let stands = *self.rules(queue) == rules;
        let members: Vec<AgentId> = match stands {
            true => vec![],
            false => self
                .agents
                .iter()
                .filter(|(_, row)| row.queues.contains_key(&queue))
                .map(|(agent, _)| *agent)
                .collect(),
        };
        for agent in &members {
            self.unindex(*agent);
        }
        let in_use: BTreeSet<u32> = self
            .visits
            .values()
            .filter(|visit| visit.queue == queue)
            .map(|visit| visit.policy.config_version)
            .collect();
        let known = self.rules.entry(queue).or_default();
        known.versions.retain(|version, _| in_use.contains(version));
        known.versions.insert(version, rules);
        known.current = version;
        for agent in members {
            self.index(agent);
        }
        self.place_all(queue, at);
    }

    fn next_number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Visits in all lines, those that may be offered to somebody now, and agents who
    /// were asked for and have not answered.
    pub(super) fn gauges(&self) -> [(&'static str, usize); 3] {
        let waiting = self.lines.values().map(BTreeSet::len).sum();
        [
            ("ringledger_routing_visits_count", self.visits.len()),
            ("ringledger_routing_waiting_count", waiting),
            ("ringledger_routing_asked_count", self.wishes.len()),
        ]
    }

    // ---- offers

    /// Asks for the agent: until the answer comes, neither is asked for again.
    pub(super) fn wish(&mut self, visit: VisitId, agent: AgentId, offer: OfferId, at: Timestamp) {
        self.offers.insert(offer, (visit, agent));
        self.wishes.insert(offer);
        self.unindex(agent);
        self.row(agent).wish = Some(offer);
        self.index(agent);
        self.ring(visit, agent, offer, at);
    }

    /// The agent was reserved: the line takes it from here.
    pub(super) fn granted(
        &mut self,
        offer: OfferId,
        visit: VisitId,
        agent: AgentId,
        at: Timestamp,
    ) {
        self.wishes.remove(&offer);
        self.offers.insert(offer, (visit, agent));
        self.ring(visit, agent, offer, at);
    }

    /// The reservation is over: an offer that the line never knew is too.
    pub(super) fn over(&mut self, offer: OfferId, at: Timestamp) {
        self.wishes.remove(&offer);
        if let Some((visit, _)) = self.offers.remove(&offer) {
            self.hang_up_unmatched(visit, offer, at);
        }
    }

    /// The reservation was refused: the visit waits again.
    pub(super) fn forget_wish(&mut self, offer: OfferId, at: Timestamp) {
        if !self.wishes.remove(&offer) {
            return;
        }
        if let Some((visit, agent)) = self.offers.remove(&offer) {
            self.unindex(agent);
            let row = self.row(agent);
            if row.wish == Some(offer) {
                row.wish = None;
            }
            self.index(agent);
            self.hang_up_unmatched(visit, offer, at);
        }
    }

    /// Wishes that nobody will answer any more: forgotten, so that visit and
    /// agent are there again.
    pub(super) fn forget_all_wishes(&mut self, at: Timestamp) {
        let lost: Vec<OfferId> = self.wishes.iter().copied().collect();
        for offer in lost {
            self.forget_wish(offer, at);
        }
    }

    /// Visits for which nobody is asked and no phone rings.
    pub(super) fn unserved(&self) -> impl Iterator<Item = &Waiting> {
        self.visits.values().filter(|visit| visit.is_silent())
    }

    /// The latest instant that was heard of.
    pub(super) const fn now(&self) -> Timestamp {
        self.latest
    }

    pub(super) fn mark_everything(&mut self) {
        self.changed.extend(self.lines.keys().copied());
    }

    // ---- time

    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        let pause = self.pauses.first().map(|(until, _)| *until);
        let step = self.steps.first().map(|(until, _)| *until);
        [pause, step].into_iter().flatten().min()
    }

    /// The time as this process knows it, which does not go back though clocks do,
    /// but from where none can have been; pauses and steps that end at or before it
    /// are over.
    pub(super) fn reach(&mut self, at: Timestamp) -> Timestamp {
        self.latest = at.told_after(self.latest);
        self.wake_agents(self.latest);
        self.wake_visits(self.latest);
        self.latest
    }
}
