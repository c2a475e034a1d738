//! How long a caller who comes now would wait: the place times the mean time of the last
//! contacts, shared by the agents who are there. Known only of queues that ask for it. A
//! board that shows it counts the same stays and contacts.

use super::{State, stays::Stay};
use crate::{
    any::{AnyEvent, Fact},
    call,
    id::{AgentId, CallId, QueueId, VisitId},
    line::{self, VisitResult},
    queue::{Away, CONTACTS_MAX, LAST_CONTACTS, RECENT_MS, expected_wait_ms},
    session,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Somebody in a line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Standing {
    call: CallId,
    enqueued_at: Timestamp,
    priority: Option<i32>,
    /// Rounds of offers in vain.
    attempts: u32,
    /// We placed the call: its contact is of another kind.
    is_placed: bool,
    /// The call is over, and the line has not heard how the stay ended.
    ended_at: Option<Timestamp>,
    /// So is the work after it.
    wrap_up_ms: u64,
}

/// The lines, and the last contacts of the queues that ask for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pace {
    lines: BTreeMap<QueueId, BTreeMap<VisitId, Standing>>,
    /// In which line each call stands.
    stands: BTreeMap<CallId, (QueueId, VisitId)>,
    /// Calls that an agent has: of which queue, since when.
    talks: BTreeMap<CallId, (QueueId, Timestamp)>,
    /// Contacts that are over: by when they were answered, how long they took.
    contacts: BTreeMap<QueueId, BTreeMap<Timestamp, BTreeMap<CallId, u64>>>,
    /// Where the contact of each of those calls is.
    found: BTreeMap<CallId, (QueueId, Timestamp)>,
    /// After which calls each agent works, and since when.
    works: BTreeMap<AgentId, BTreeMap<CallId, Timestamp>>,
}

impl Pace {
    /// Takes note of what a line says; `asks` says whether a queue wants to know.
    fn hear_line(
        &mut self,
        queue: QueueId,
        at: Timestamp,
        event: &line::Event,
        is_placed: impl Fn(&CallId) -> bool,
        asks: impl Fn(QueueId) -> bool,
    ) {
        match event {
            line::Event::Opened {
                visit,
                call,
                enqueued_at,
                priority,
                ..
            } => {
                let standing = Standing {
                    call: *call,
                    enqueued_at: *enqueued_at,
                    priority: *priority,
                    attempts: 0,
                    is_placed: is_placed(call),
                    ended_at: None,
                    wrap_up_ms: 0,
                };
                let line = self.lines.entry(queue).or_default();
                line.insert(*visit, standing);
                self.stands.insert(*call, (queue, *visit));
            }
            line::Event::Returned {
                visit,
                attempt,
                still_ringing: false,
                ..
            } => {
                if let Some(standing) = self.standing(queue, *visit) {
                    standing.attempts = *attempt;
                }
            }
            line::Event::PriorityChanged {
                visit, priority, ..
            } => {
                if let Some(standing) = self.standing(queue, *visit) {
                    standing.priority = Some(*priority);
                }
            }
            line::Event::Closed {
                visit,
                result,
                closed_at,
                ..
            } => {
                let answered = (*result == VisitResult::Answered).then_some(*closed_at);
                self.leaves((queue, *visit), at, answered, asks);
            }
            line::Event::Rejected { .. }
            | line::Event::Matched { .. }
            | line::Event::Returned { .. }
            | line::Event::Assigned { .. } => {}
        }
    }

    fn standing(&mut self, queue: QueueId, visit: VisitId) -> Option<&mut Standing> {
        self.lines.get_mut(&queue)?.get_mut(&visit)
    }

    fn leaves(
        &mut self,
        (queue, visit): (QueueId, VisitId),
        at: Timestamp,
        answered_at: Option<Timestamp>,
        asks: impl Fn(QueueId) -> bool,
    ) {
        let line = self.lines.get_mut(&queue);
        let Some(standing) = line.and_then(|line| line.remove(&visit)) else {
            return;
        };
        let call = standing.call;
        if self.stands.get(&call) == Some(&(queue, visit)) {
            self.stands.remove(&call);
        }
        let Some(answered_at) = answered_at.filter(|_| !standing.is_placed) else {
            return;
        };
        match standing.ended_at {
            None => _ = self.talks.insert(call, (queue, answered_at)),
            Some(ended_at) if asks(queue) => {
                let handled_ms = ended_at.ms_since(answered_at);
                let handled_ms = handled_ms.saturating_add(standing.wrap_up_ms);
                self.handled(call, (queue, answered_at), handled_ms, at);
            }
            Some(_) => {}
        }
    }

    /// Takes note of the end of a call, or of the agent's part in it.
    fn hear_call(
        &mut self,
        call: CallId,
        at: Timestamp,
        event: &call::Event,
        asks: impl Fn(QueueId) -> bool,
    ) {
        let ended_at = if let call::Event::TakenOver { .. } = event {
            at
        } else if let call::Event::Ended { ended_at, .. } = event {
            *ended_at
        } else {
            return;
        };
        match self.talks.remove(&call) {
            Some((queue, answered_at)) if asks(queue) => {
                let handled_ms = ended_at.ms_since(answered_at);
                self.handled(call, (queue, answered_at), handled_ms, at);
            }
            Some(_) => {}
            None => {
                let stands = self.stands.get(&call).copied();
                let standing = stands.and_then(|(queue, visit)| self.standing(queue, visit));
                if let Some(standing) = standing {
                    standing.ended_at.get_or_insert(ended_at);
                }
            }
        }
    }

    /// Takes note of the work after calls.
    fn hear_session(&mut self, agent: AgentId, at: Timestamp, event: &session::Event) {
        match event {
            session::Event::WrapUpStarted { call, .. } => {
                self.works.entry(agent).or_default().insert(*call, at);
            }
            session::Event::WrapUpEnded { call, .. } => {
                let works = self.works.get_mut(&agent);
                let since = works.and_then(|works| works.remove(call));
                if let Some(since) = since {
                    self.worked(*call, at.ms_since(since));
                }
            }
            session::Event::LoggedOut { .. } => _ = self.works.remove(&agent),
            session::Event::LoggedIn { .. }
            | session::Event::BecameReady {}
            | session::Event::BecameNotReady { .. }
            | session::Event::NextStateRequested { .. }
            | session::Event::Reserved { .. }
            | session::Event::ReservationReleased { .. }
            | session::Event::ConnectedToContact { .. }
            | session::Event::ContactEnded { .. }
            | session::Event::WrapUpExtended { .. }
            | session::Event::Forced { .. } => {}
        }
    }

    fn worked(&mut self, call: CallId, ms: u64) {
        let took = match (self.found.get(&call), self.stands.get(&call)) {
            (Some((queue, answered_at)), _) => {
                let contacts = self.contacts.get_mut(queue);
                let contacts = contacts.and_then(|contacts| contacts.get_mut(answered_at));
                contacts.and_then(|contacts| contacts.get_mut(&call))
            }
            (None, Some((queue, visit))) => {
                let line = self.lines.get_mut(queue);
                let standing = line.and_then(|line| line.get_mut(visit));
                standing.map(|standing| &mut standing.wrap_up_ms)
            }
            (None, None) => None,
        };
        if let Some(took) = took {
            *took = took.saturating_add(ms);
        }
    }

    fn handled(
        &mut self,
        call: CallId,
        place: (QueueId, Timestamp),
        handled_ms: u64,
        at: Timestamp,
    ) {
        let (queue, answered_at) = place;
        let contacts = self.contacts.entry(queue).or_default();
        let calls = contacts.entry(answered_at).or_default();
        calls.insert(call, handled_ms);
        self.found.insert(call, place);
        let mut count: usize = contacts.values().map(BTreeMap::len).sum();
        while count > LAST_CONTACTS {
            let Some(mut oldest) = contacts.first_entry() else {
                break;
            };
            if count <= CONTACTS_MAX && oldest.key().plus_ms(RECENT_MS) >= at {
                break;
            }
            count -= 1;
            if let Some((call, _)) = oldest.get_mut().pop_first() {
                self.found.remove(&call);
            }
            if oldest.get().is_empty() {
                oldest.remove();
            }
        }
    }

    /// How many the last contacts are, and what they took together.
    fn last(&self, queue: QueueId, at: Timestamp) -> (u64, u64) {
        let contacts = self.contacts.get(&queue).into_iter().flatten().rev();
        let latest = contacts.flat_map(|(answered_at, calls)| {
            let took = calls.values().rev();
            took.map(|took| (*answered_at, *took))
        });
        let counts = |(index, (answered_at, _)): &(usize, (Timestamp, u64))| {
            *index < LAST_CONTACTS || answered_at.plus_ms(RECENT_MS) >= at
        };
        let looked_at = latest.enumerate().take_while(counts);
        looked_at.fold((0, 0), |(count, sum), (_, (_, took))| {
            (count + 1, sum + took)
        })
    }
}

impl State {
    /// Takes note of what tells how fast callers are served.
    pub(super) fn hears_pace(&mut self, fact: &Fact) {
        let Self {
            queues,
            placed,
            pace,
            ..
        } = self;
        let asks = |queue| {
            let rules = queues.get(&queue);
            rules.is_some_and(|(_, config)| config.expected_wait_max_ms > 0)
        };
        match &fact.event {
            AnyEvent::Call(call, event) => pace.hear_call(*call, fact.at, event, asks),
            AnyEvent::Line(queue, event) => {
                let is_placed = |call: &CallId| placed.contains_key(call);
                pace.hear_line(*queue, fact.at, event, is_placed, asks);
            }
            AnyEvent::Session(session, event) => pace.hear_session(session.agent, fact.at, event),
            AnyEvent::Queue(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Person(..)
            | AnyEvent::Device(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => {}
        }
    }

    /// How long the call would wait that comes into the queue with that stay; none while
    /// nobody is there, or no contact is known: then nothing is.
    pub(super) fn expected_wait_ms(&self, call: CallId, stay: &Stay) -> Option<u64> {
        let (_, config) = self.queues.get(&stay.queue)?;
        let matching = &config.matching;
        let there = self.staff.count(stay.queue, &[Away::Paused]);
        let own = self.carried.get(&call).and_then(|own| own.priority);
        let mine = matching.place(matching.base(own, 0), stay.enqueued_at);
        let line = self.pace.lines.get(&stay.queue);
        let line = line.into_iter().flat_map(BTreeMap::values);
        let ahead = line.filter(|other| {
            let base = matching.base(other.priority, other.attempts);
            matching.place(base, other.enqueued_at) <= mine
        });
        let place = u64::try_from(ahead.count()).ok()?.saturating_add(1);
        let contacts = self.pace.last(stay.queue, stay.since);
        expected_wait_ms(place, contacts, there)
    }
}
