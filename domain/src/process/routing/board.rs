//! Routing's picture of who waits and who is free. Kept indexed, so that a
//! match costs the same with ten agents and with ten thousand.

use crate::{
    id::{AgentId, CallId, OfferId, QueueId, SessionId, VisitId},
    line::VisitPolicy,
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
    queues: BTreeSet<QueueId>,
    /// A reservation has been asked for and not yet answered.
    wish: Option<OfferId>,
}

/// The whole picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Board {
    visits: BTreeMap<VisitId, Waiting>,
    agents: BTreeMap<AgentId, AgentRow>,
    wishes: BTreeMap<OfferId, (VisitId, AgentId)>,
    /// Visits that wait for an agent, in the order of their queue.
    pub(super) lines: BTreeMap<QueueId, BTreeSet<(Timestamp, VisitId)>>,
    /// Agents that are free, longest idle first.
    pub(super) free: BTreeMap<QueueId, BTreeSet<(Timestamp, AgentId)>>,
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
            .flat_map(|row| row.queues.iter().copied())
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
            queues: BTreeSet::new(),
            wish: None,
        })
    }

    pub(super) fn serve(&mut self, agent: AgentId, queues: &[QueueId]) {
        self.unindex(agent);
        self.row(agent).queues = queues.iter().copied().collect();
        self.index(agent);
    }

    pub(super) fn log_in(&mut self, session: SessionId) {
        self.unindex(session.agent);
        let row = self.row(session.agent);
        row.session = Some(session);
        row.activity = Activity::NotReady;
        row.not_before = None;
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
        let Some(row) = self.agents.get(&agent) else {
            return;
        };
        for queue in &row.queues {
            if let Some(free) = self.free.get_mut(queue) {
                free.remove(&(row.idle_since, agent));
            }
            if let Some(staffed) = self.staffed.get_mut(queue) {
                staffed.remove(&agent);
            }
        }
    }

    fn index(&mut self, agent: AgentId) {
        let Some(row) = self.agents.get(&agent) else {
            return;
        };
        let is_free =
            row.activity == Activity::Free && row.not_before.is_none() && row.wish.is_none();
        let is_staffed = matches!(row.activity, Activity::Free | Activity::Engaged);
        for queue in &row.queues {
            self.changed.insert(*queue);
            if is_free {
                self.free
                    .entry(*queue)
                    .or_default()
                    .insert((row.idle_since, agent));
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
