//! Routing's picture of who waits and who is free. Kept indexed, so that a
//! match costs the same with ten agents and with ten thousand.

use super::rank::{Rank, Record, rank};
use crate::{
    id::{AgentId, CallId, OfferId, QueueId, SessionId, VisitId},
    line::VisitPolicy,
    queue::Strategy,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A visit that is in the line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) call: CallId,
    pub(super) queue: QueueId,
    pub(super) enqueued_at: Timestamp,
    pub(super) policy: VisitPolicy,
    /// Agents whose offer of this visit came to nothing.
    pub(super) tried: BTreeSet<AgentId>,
    /// In an agent's hands, or asked to be.
    taken: bool,
}

impl Waiting {
    pub(super) const fn new(
        call: CallId,
        queue: QueueId,
        enqueued_at: Timestamp,
        policy: VisitPolicy,
    ) -> Self {
        Self {
            call,
            queue,
            enqueued_at,
            policy,
            tried: BTreeSet::new(),
            taken: false,
        }
    }
}

/// What an agent is believed to be doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Activity {
    LoggedOut,
    NotReady,
    Free,
    /// Reserved, with a caller, or in wrap-up.
    Engaged,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AgentRow {
    session: Option<SessionId>,
    /// Version of the session's stream up to which events were heard.
    seen_version: u64,
    pub(super) activity: Activity,
    /// Since when nothing was to do: longest idle comes first.
    idle_since: Timestamp,
    /// Not offered anything before this instant.
    not_before: Option<Timestamp>,
    queues: BTreeMap<QueueId, Member>,
    /// What it has done since logging in.
    record: Record,
    /// Since when it talks.
    talks_since: Option<Timestamp>,
    /// Where it stands among the free of each queue, while it is free.
    ranked: Vec<(QueueId, Rank)>,
    /// A reservation has been asked for and not yet answered.
    wish: Option<OfferId>,
}

/// An agent's place in a queue, in numbers that only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Member {
    /// When it began to serve the queue.
    pub(super) joined: u64,
    /// When it was last taken for an offer of it; 0 for never.
    pub(super) taken: u64,
}

/// The whole picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Board {
    visits: BTreeMap<VisitId, Waiting>,
    agents: BTreeMap<AgentId, AgentRow>,
    wishes: BTreeMap<OfferId, (VisitId, AgentId)>,
    /// Visits that wait for an agent, in the order of their queue.
    pub(super) lines: BTreeMap<QueueId, BTreeSet<(Timestamp, VisitId)>>,
    /// Agents that are free, in the order of the queue's strategy; the agent's id
    /// breaks every tie.
    pub(super) free: BTreeMap<QueueId, BTreeSet<(Rank, AgentId)>>,
    /// How each queue chooses; longest idle until it says something else.
    strategies: BTreeMap<QueueId, Strategy>,
    /// Counts joins and offers.
    sequence: u64,
    /// Agents logged in and ready or engaged: who could take a call of it.
    pub(super) staffed: BTreeMap<QueueId, BTreeSet<AgentId>>,
    /// Queues where something has changed since they were looked at.
    pub(super) changed: BTreeSet<QueueId>,
    /// When the pause of an agent is over.
    pauses: BTreeSet<(Timestamp, AgentId)>,
}

impl Board {
    pub(super) fn visit(&self, visit: VisitId) -> Option<&Waiting> {
        self.visits.get(&visit)
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

    pub(super) fn strategy(&self, queue: QueueId) -> Strategy {
        let known = self.strategies.get(&queue).copied();
        known.unwrap_or(Strategy::LongestIdle)
    }

    /// The queue chooses in that way from now on.
    pub(super) fn choose_by(&mut self, queue: QueueId, strategy: Strategy) {
        if self.strategy(queue) == strategy {
            return;
        }
        let members: Vec<AgentId> = self
            .agents
            .iter()
            .filter(|(_, row)| row.queues.contains_key(&queue))
            .map(|(agent, _)| *agent)
            .collect();
        for agent in &members {
            self.unindex(*agent);
        }
        self.strategies.insert(queue, strategy);
        for agent in members {
            self.index(agent);
        }
    }

    fn next_number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    // ---- visits

    pub(super) fn wait(&mut self, visit: VisitId, waiting: Waiting) {
        self.changed.insert(waiting.queue);
        self.lines
            .entry(waiting.queue)
            .or_default()
            .insert((waiting.enqueued_at, visit));
        self.visits.insert(visit, waiting);
    }

    pub(super) fn take(&mut self, visit: VisitId) {
        if let Some(waiting) = self.visits.get_mut(&visit) {
            waiting.taken = true;
            if let Some(line) = self.lines.get_mut(&waiting.queue) {
                line.remove(&(waiting.enqueued_at, visit));
            }
        }
    }

    /// Waits again, at its old place: the order is by when it was enqueued.
    fn put_back(&mut self, visit: VisitId) {
        if let Some(waiting) = self.visits.get_mut(&visit) {
            waiting.taken = false;
            self.changed.insert(waiting.queue);
            self.lines
                .entry(waiting.queue)
                .or_default()
                .insert((waiting.enqueued_at, visit));
        }
    }

    pub(super) fn give_back(&mut self, visit: VisitId, tried: AgentId) {
        if let Some(waiting) = self.visits.get_mut(&visit) {
            waiting.tried.insert(tried);
        }
        self.put_back(visit);
    }

    pub(super) fn forget_tried(&mut self, visit: VisitId) {
        if let Some(waiting) = self.visits.get_mut(&visit) {
            waiting.tried.clear();
        }
    }

    pub(super) fn close(&mut self, visit: VisitId) {
        self.take(visit);
        self.visits.remove(&visit);
    }

    // ---- agents

    fn row(&mut self, agent: AgentId) -> &mut AgentRow {
        self.agents.entry(agent).or_insert_with(|| AgentRow {
            session: None,
            seen_version: 0,
            activity: Activity::LoggedOut,
            idle_since: Timestamp::default(),
            not_before: None,
            queues: BTreeMap::new(),
            record: Record::default(),
            talks_since: None,
            ranked: vec![],
            wish: None,
        })
    }

    pub(super) fn serve(&mut self, agent: AgentId, queues: &[QueueId]) {
        self.unindex(agent);
        // Who goes on serving a queue keeps its place in it.
        let before = std::mem::take(&mut self.row(agent).queues);
        let mut members = BTreeMap::new();
        for queue in queues {
            let member = match before.get(queue) {
                Some(member) => *member,
                None => Member {
                    joined: self.next_number(),
                    taken: 0,
                },
            };
            members.insert(*queue, member);
        }
        self.row(agent).queues = members;
        self.index(agent);
    }

    pub(super) fn log_in(&mut self, session: SessionId) {
        self.unindex(session.agent);
        let row = self.row(session.agent);
        row.session = Some(session);
        row.activity = Activity::NotReady;
        row.not_before = None;
        row.record = Record::default();
        row.talks_since = None;
        self.index(session.agent);
    }

    /// The session's stream has said so.
    pub(super) fn set(&mut self, agent: AgentId, activity: Activity, at: Timestamp) {
        self.unindex(agent);
        let row = self.row(agent);
        if activity == Activity::Free && row.activity != Activity::Free {
            row.idle_since = at;
        }
        row.activity = activity;
        row.wish = None;
        self.index(agent);
    }

    /// The agent was taken for an offer of that queue.
    pub(super) fn taken(&mut self, agent: AgentId, queue: QueueId) {
        let number = self.next_number();
        self.unindex(agent);
        if let Some(member) = self.row(agent).queues.get_mut(&queue) {
            member.taken = number;
        }
        self.index(agent);
    }

    /// The agent talks from that instant on.
    pub(super) fn talks(&mut self, agent: AgentId, at: Timestamp) {
        self.unindex(agent);
        let row = self.row(agent);
        row.record.calls_count += 1;
        row.talks_since = Some(at);
        self.index(agent);
    }

    /// The agent talks no more.
    pub(super) fn stops_talking(&mut self, agent: AgentId, at: Timestamp) {
        self.unindex(agent);
        let row = self.row(agent);
        if let Some(since) = row.talks_since.take() {
            row.record.talk_ms = row.record.talk_ms.saturating_add(at.ms_since(since));
        }
        self.index(agent);
    }

    /// Events of the session were heard up to this version.
    pub(super) fn seen(&mut self, session: SessionId, version: u64) {
        let row = self.row(session.agent);
        if row.session == Some(session) {
            row.seen_version = version;
        }
    }

    /// Whether something decided on that version is newer than what was heard.
    pub(super) fn is_news(&self, session: SessionId, version: u64) -> bool {
        self.agents
            .get(&session.agent)
            .is_some_and(|row| row.session == Some(session) && version > row.seen_version)
    }

    /// A refusal has said so; the event that says when is on its way.
    pub(super) fn correct(&mut self, agent: AgentId, activity: Activity) {
        self.unindex(agent);
        self.row(agent).activity = activity;
        self.index(agent);
    }

    /// Free again without a contact: still idle since before the offer.
    pub(super) fn release(
        &mut self,
        agent: AgentId,
        offer: OfferId,
        not_before: Option<Timestamp>,
    ) {
        self.wishes.remove(&offer);
        self.unindex(agent);
        let row = self.row(agent);
        row.activity = Activity::Free;
        row.not_before = not_before;
        row.wish = None;
        if let Some(until) = not_before {
            self.pauses.insert((until, agent));
        }
        self.index(agent);
    }

    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.pauses.first().map(|(until, _)| *until)
    }

    /// Pauses that end at or before `now` are over.
    pub(super) fn wake(&mut self, now: Timestamp) {
        while let Some((until, agent)) = self.pauses.first().copied() {
            if until > now {
                break;
            }
            self.pauses.remove(&(until, agent));
            self.unindex(agent);
            let row = self.row(agent);
            if row.not_before == Some(until) {
                row.not_before = None;
            }
            self.index(agent);
        }
    }

    fn unindex(&mut self, agent: AgentId) {
        let Some(row) = self.agents.get_mut(&agent) else {
            return;
        };
        for (queue, rank) in std::mem::take(&mut row.ranked) {
            if let Some(free) = self.free.get_mut(&queue) {
                free.remove(&(rank, agent));
            }
        }
        for queue in row.queues.keys() {
            if let Some(staffed) = self.staffed.get_mut(queue) {
                staffed.remove(&agent);
            }
        }
    }

    fn index(&mut self, agent: AgentId) {
        let Some(row) = self.agents.get_mut(&agent) else {
            return;
        };
        let is_free =
            row.activity == Activity::Free && row.not_before.is_none() && row.wish.is_none();
        let is_staffed = matches!(row.activity, Activity::Free | Activity::Engaged);
        for (queue, member) in &row.queues {
            self.changed.insert(*queue);
            if is_free {
                let strategy = self.strategies.get(queue).copied();
                let strategy = strategy.unwrap_or(Strategy::LongestIdle);
                let place = rank(strategy, row.idle_since, *member, row.record);
                row.ranked.push((*queue, place));
                self.free.entry(*queue).or_default().insert((place, agent));
            }
            if is_staffed {
                self.staffed.entry(*queue).or_default().insert(agent);
            }
        }
    }

    // ---- wishes

    /// Asks for the agent: until the answer comes, neither is asked for again.
    pub(super) fn wish(
        &mut self,
        visit: VisitId,
        agent: AgentId,
        offer: OfferId,
    ) -> Option<Waiting> {
        let waiting = self.visits.get(&visit)?.clone();
        self.take(visit);
        self.unindex(agent);
        self.row(agent).wish = Some(offer);
        self.index(agent);
        self.wishes.insert(offer, (visit, agent));
        Some(waiting)
    }

    /// The agent was reserved: the line takes it from here.
    pub(super) fn granted(&mut self, offer: OfferId) {
        self.wishes.remove(&offer);
    }

    /// The reservation was refused: the visit waits again.
    pub(super) fn forget_wish(&mut self, offer: OfferId) {
        if let Some((visit, agent)) = self.wishes.remove(&offer) {
            self.unindex(agent);
            let row = self.row(agent);
            if row.wish == Some(offer) {
                row.wish = None;
            }
            self.index(agent);
            self.put_back(visit);
        }
    }

    /// Wishes that nobody will answer any more: forgotten, so that visit and
    /// agent are there again.
    pub(super) fn forget_all_wishes(&mut self) {
        let lost: Vec<OfferId> = self.wishes.keys().copied().collect();
        for offer in lost {
            self.forget_wish(offer);
        }
    }

    pub(super) fn mark_everything(&mut self) {
        self.changed.extend(self.lines.keys().copied());
    }
}
