//! How long a caller who comes now would wait: the place times the mean time of the last
//! contacts, shared by the agents who are there. Known only of queues that ask for it.

use super::State;
use crate::{
    id::{AgentId, CallId, QueueId},
    queue::{Away, LAST_CONTACTS, RECENT_MS, expected_wait_ms},
    session,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// No more than so many are remembered of a queue.
const CONTACTS_MAX: usize = 1_000;

/// A contact that is over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Contact {
    agent: AgentId,
    ended_at: Timestamp,
    handled_ms: u64,
}

/// A contact that lasts, or the work after it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Under {
    queue: QueueId,
    since: Timestamp,
}

/// The last contacts of the queues that ask for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pace {
    contacts: BTreeMap<QueueId, VecDeque<Contact>>,
    under_way: BTreeMap<AgentId, Under>,
}

impl Pace {
    /// Takes note of what an agent does; `asks` says whether a queue wants to know.
    pub(super) fn hear(
        &mut self,
        agent: AgentId,
        at: Timestamp,
        event: &session::Event,
        asks: impl Fn(QueueId) -> bool,
    ) {
        match event {
            session::Event::ConnectedToContact { queue, .. } => {
                let under = Under {
                    queue: *queue,
                    since: at,
                };
                self.under_way.insert(agent, under);
            }
            session::Event::ContactEnded { .. } => {
                let under = self.under_way.get(&agent).copied();
                if let Some(under) = under.filter(|under| asks(under.queue)) {
                    self.ended(agent, at, under);
                }
            }
            session::Event::WrapUpEnded { .. } => {
                let Some(under) = self.under_way.remove(&agent) else {
                    return;
                };
                let contacts = self.contacts.get_mut(&under.queue);
                let mut contacts = contacts.into_iter().flatten().rev();
                if let Some(contact) = contacts.find(|contact| contact.agent == agent) {
                    contact.handled_ms = at.ms_since(under.since);
                }
            }
            session::Event::LoggedOut { .. } => _ = self.under_way.remove(&agent),
            session::Event::LoggedIn { .. }
            | session::Event::BecameReady {}
            | session::Event::BecameNotReady { .. }
            | session::Event::NextStateRequested { .. }
            | session::Event::Reserved { .. }
            | session::Event::ReservationReleased { .. }
            | session::Event::WrapUpStarted { .. }
            | session::Event::WrapUpExtended { .. }
            | session::Event::Forced { .. } => {}
        }
    }

    fn ended(&mut self, agent: AgentId, at: Timestamp, under: Under) {
        let contacts = self.contacts.entry(under.queue).or_default();
        contacts.push_back(Contact {
            agent,
            ended_at: at,
            handled_ms: at.ms_since(under.since),
        });
        let is_old = |contact: &Contact| contact.ended_at.plus_ms(RECENT_MS) < at;
        while contacts.len() > CONTACTS_MAX
            || (contacts.len() > LAST_CONTACTS && contacts.front().is_some_and(is_old))
        {
            contacts.pop_front();
        }
    }

    /// How many the last contacts are, and what they took together.
    fn last(&self, queue: QueueId, at: Timestamp) -> (u64, u64) {
        let latest = self.contacts.get(&queue).into_iter().flatten().rev();
        let counts = |(index, contact): &(usize, &Contact)| {
            *index < LAST_CONTACTS || contact.ended_at.plus_ms(RECENT_MS) >= at
        };
        let looked_at = latest.enumerate().take_while(counts);
        looked_at.fold((0, 0), |(count, sum), (_, contact)| {
            (count + 1, sum + contact.handled_ms)
        })
    }
}

impl State {
    /// How long the call would wait that comes into the queue now, at that place; none while
    /// nobody is there, or no contact is known: then nothing is.
    pub(super) fn expected_wait_ms(
        &self,
        call: CallId,
        queue: QueueId,
        enqueued_at: Timestamp,
    ) -> Option<u64> {
        let (_, config) = self.queues.get(&queue)?;
        let there = self.staff.count(queue, &[Away::Paused]);
        let place = |call: &CallId, otherwise: Timestamp| {
            let carried = self.carried.get(call);
            let own = carried.and_then(|carried| carried.priority);
            let placed = self.placed.get(call).copied();
            let since = carried.map(|carried| carried.enqueued_at).or(placed);
            let since = since.unwrap_or(otherwise);
            config.matching.place(config.matching.base(own, 0), since)
        };
        let mine = place(&call, enqueued_at);
        let line = self.waiting.get(&queue).into_iter().flatten();
        let ahead = line.filter(|(_, other)| place(other, enqueued_at) <= mine);
        let place = u64::try_from(ahead.count()).ok()?.saturating_add(1);
        expected_wait_ms(place, self.pace.last(queue, enqueued_at), there)
    }
}
