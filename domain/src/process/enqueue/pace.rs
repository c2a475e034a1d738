//! How long a caller who comes now would wait: the place times the mean time of the last
//! contacts, shared by the calls that the agents who are there may have at once. Known only of queues that ask for it. A
//! board that shows it counts the same stays and contacts.

use super::{State, stays::Stay};
use crate::{
    any::{AnyEvent, Fact},
    call,
    id::{AgentId, CallId, QueueId, VisitId},
    line::{self, VisitResult},
    queue::{Away, CONTACTS_MAX, LAST_CONTACTS, Matching, RECENT_MS, expected_wait_ms},
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
    /// What became of the call before the line has heard how the stay ended.
    course: Course,
    /// Who has answered it.
    agent: Option<AgentId>,
}

impl Standing {
    /// Where it stands, as the matcher orders those who wait: the lower comes first.
    fn rank(&self, matching: &Matching) -> (i64, Timestamp) {
        let base = matching.base(self.priority, self.attempts);
        matching.place(base, self.enqueued_at)
    }
}

/// A call that an agent has or had.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Talk {
    queue: QueueId,
    answered_at: Timestamp,
    course: Course,
    agent: Option<AgentId>,
}

/// What is known of a contact before it counts: with the end of its call, as in the record
/// of it, even if somebody took it from its agent long before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Course {
    /// Since when the call is no more the agent's, who was the first to have it.
    left_at: Option<Timestamp>,
    /// Its agent has sent it into another queue, where somebody else may have it.
    is_handed_on: bool,
    /// Since when it is over.
    ended_at: Option<Timestamp>,
    /// The work after it.
    wrap_up_ms: u64,
}

impl Course {
    /// How long the contact took, once it counts.
    fn handled_ms(&self, answered_at: Timestamp) -> Option<u64> {
        let ended_at = self.ended_at?;
        let own_ms = self.left_at.unwrap_or(ended_at).ms_since(answered_at);
        Some(own_ms.saturating_add(self.wrap_up_ms))
    }
}

/// A contact that counts: who had it, where that is known, and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Contact {
    agent: Option<AgentId>,
    queue: QueueId,
    answered_at: Timestamp,
}

/// The lines, and the last contacts of the queues that ask for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pace {
    lines: BTreeMap<QueueId, BTreeMap<VisitId, Standing>>,
    /// In which line each call stands.
    stands: BTreeMap<CallId, (QueueId, VisitId)>,
    /// Calls that an agent has answered and that are not over.
    talks: BTreeMap<CallId, Talk>,
    /// Contacts whose agents have sent the call on, of calls that are not over.
    handed_on: BTreeMap<CallId, Vec<Talk>>,
    /// Contacts that are over: by when they were answered, how long they took.
    contacts: BTreeMap<QueueId, BTreeMap<Timestamp, BTreeMap<CallId, u64>>>,
    /// Those of each call: one, unless it was sent on.
    found: BTreeMap<CallId, Vec<Contact>>,
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
                    course: Course::default(),
                    agent: None,
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

    /// Where the stay stands, by those rules; none if it is not in that line.
    pub(super) fn rank(
        &self,
        queue: QueueId,
        visit: VisitId,
        matching: &Matching,
    ) -> Option<(i64, Timestamp)> {
        Some(self.lines.get(&queue)?.get(&visit)?.rank(matching))
    }

    /// Who stands in the line.
    pub(super) fn visits(&self, queue: QueueId) -> impl Iterator<Item = VisitId> {
        let line = self.lines.get(&queue).into_iter();
        line.flat_map(|line| line.keys().copied())
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
        let talk = Talk {
            queue,
            answered_at,
            course: standing.course,
            agent: standing.agent,
        };
        self.counts(call, talk, at, asks);
    }

    /// Takes note of the end of a call, or of the agent's part in it.
    fn hear_call(
        &mut self,
        call: CallId,
        at: Timestamp,
        event: &call::Event,
        asks: impl Fn(QueueId) -> bool,
    ) {
        if let call::Event::AgentConnected { session, .. } = event {
            if let Some(standing) = self.standing_of(call) {
                standing.agent = Some(session.agent);
            }
        } else if let call::Event::TakenOver { .. } = event {
            if let Some(course) = self.course(call) {
                course.left_at.get_or_insert(at);
            }
        } else if let call::Event::Transferred { .. } = event {
            self.hands_on(call, at);
        } else if let call::Event::Ended { ended_at, .. } = event {
            self.is_over(call, (*ended_at, at), asks);
        }
    }

    /// The agent's part in the call is over; it counts with the end of the call.
    fn hands_on(&mut self, call: CallId, at: Timestamp) {
        let Some(course) = self.course(call) else {
            return;
        };
        course.left_at.get_or_insert(at);
        course.is_handed_on = true;
        if let Some(talk) = self.talks.remove(&call) {
            self.handed_on.entry(call).or_default().push(talk);
        }
    }

    fn is_over(
        &mut self,
        call: CallId,
        (ended_at, at): (Timestamp, Timestamp),
        asks: impl Fn(QueueId) -> bool,
    ) {
        for mut talk in self.handed_on.remove(&call).unwrap_or_default() {
            talk.course.ended_at.get_or_insert(ended_at);
            self.counts(call, talk, at, &asks);
        }
        let Some(course) = self.course(call) else {
            return;
        };
        course.ended_at.get_or_insert(ended_at);
        if let Some(talk) = self.talks.remove(&call) {
            self.counts(call, talk, at, asks);
        }
    }

    /// Of a call that does not count yet.
    fn course(&mut self, call: CallId) -> Option<&mut Course> {
        if self.talks.contains_key(&call) {
            return self.talks.get_mut(&call).map(|talk| &mut talk.course);
        }
        self.standing_of(call).map(|standing| &mut standing.course)
    }

    fn standing_of(&mut self, call: CallId) -> Option<&mut Standing> {
        let (queue, visit) = self.stands.get(&call)?;
        self.lines.get_mut(queue)?.get_mut(visit)
    }

    /// The course of that agent's contact in the call, as long as it does not count yet.
    fn course_of(&mut self, call: CallId, agent: AgentId) -> Option<&mut Course> {
        let is_own = |known: Option<AgentId>| known.is_none_or(|known| known == agent);
        let gone = self.handed_on.get(&call);
        let index = gone.and_then(|gone| gone.iter().rposition(|it| it.agent == Some(agent)));
        let is_current = self.talks.get(&call).is_some_and(|talk| is_own(talk.agent));
        if is_current {
            return self.talks.get_mut(&call).map(|talk| &mut talk.course);
        }
        if let Some(index) = index {
            let gone = self.handed_on.get_mut(&call)?;
            return gone.get_mut(index).map(|talk| &mut talk.course);
        }
        let standing = self.standing_of(call)?;
        is_own(standing.agent).then_some(&mut standing.course)
    }

    /// The contact is one of the last, or is to be once its call is over.
    fn counts(&mut self, call: CallId, talk: Talk, at: Timestamp, asks: impl Fn(QueueId) -> bool) {
        match talk.course.handled_ms(talk.answered_at) {
            None if talk.course.is_handed_on => {
                self.handed_on.entry(call).or_default().push(talk);
            }
            None => _ = self.talks.insert(call, talk),
            Some(handled_ms) if asks(talk.queue) => {
                let contact = Contact {
                    agent: talk.agent,
                    queue: talk.queue,
                    answered_at: talk.answered_at,
                };
                self.handled(call, contact, handled_ms, at);
            }
            Some(_) => {}
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
                    self.worked(*call, agent, at.ms_since(since));
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

    fn worked(&mut self, call: CallId, agent: AgentId, ms: u64) {
        let of_call = self.found.get(&call).into_iter().flatten().rev();
        let mut own = of_call.filter(|it| it.agent.is_none_or(|known| known == agent));
        let took = match own.next().copied() {
            Some(contact) => {
                let contacts = self.contacts.get_mut(&contact.queue);
                let contacts = contacts.and_then(|it| it.get_mut(&contact.answered_at));
                contacts.and_then(|contacts| contacts.get_mut(&call))
            }
            None => {
                let course = self.course_of(call, agent);
                course.map(|course| &mut course.wrap_up_ms)
            }
        };
        if let Some(took) = took {
            *took = took.saturating_add(ms);
        }
    }

    fn forgets(&mut self, call: CallId, queue: QueueId, answered_at: Timestamp) {
        if let Some(contacts) = self.found.get_mut(&call) {
            contacts.retain(|it| (it.queue, it.answered_at) != (queue, answered_at));
            if contacts.is_empty() {
                self.found.remove(&call);
            }
        }
    }

    fn handled(&mut self, call: CallId, contact: Contact, handled_ms: u64, at: Timestamp) {
        let queue = contact.queue;
        let contacts = self.contacts.entry(queue).or_default();
        let calls = contacts.entry(contact.answered_at).or_default();
        calls.insert(call, handled_ms);
        self.found.entry(call).or_default().push(contact);
        let mut count: usize = contacts.values().map(BTreeMap::len).sum();
        let mut gone = vec![];
        while count > LAST_CONTACTS {
            let Some(mut oldest) = contacts.first_entry() else {
                break;
            };
            if count <= CONTACTS_MAX && oldest.key().plus_ms(RECENT_MS) >= at {
                break;
            }
            count -= 1;
            let answered_at = *oldest.key();
            if let Some((call, _)) = oldest.get_mut().pop_first() {
                gone.push((call, answered_at));
            }
            if oldest.get().is_empty() {
                oldest.remove();
            }
        }
        for (call, answered_at) in gone {
            self.forgets(call, queue, answered_at);
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
                self.ranks_one(*queue, event.visit());
            }
            AnyEvent::Session(session, event) => pace.hear_session(session.agent, fact.at, event),
            AnyEvent::Queue(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Person(..)
            | AnyEvent::Device(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
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
        let units = self.staff.units(stay.queue, &[Away::Paused]);
        let own = self.carried.get(&call).and_then(|own| own.priority);
        let mine = matching.place(matching.base(own, 0), stay.enqueued_at);
        let line = self.pace.lines.get(&stay.queue);
        let line = line.into_iter().flat_map(BTreeMap::values);
        let ahead = line.filter(|other| other.rank(matching) <= mine);
        let place = u64::try_from(ahead.count()).ok()?.saturating_add(1);
        let contacts = self.pace.last(stay.queue, stay.since);
        expected_wait_ms(place, contacts, units)
    }
}
