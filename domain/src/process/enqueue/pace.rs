//! How long a caller who comes now would wait: the place times the mean time of the last
//! contacts, shared by the agents who are there. Known only of queues that ask for it.

use super::State;
use crate::{
    id::{AgentId, CallId, QueueId},
    queue::Away,
    session,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Contacts of this time are looked at, if they are more than the last ones.
const RECENT_MS: u64 = 30 * 60_000;
/// As many last contacts are looked at in any case.
const LAST_CONTACTS: usize = 50;
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

    /// The mean of the last contacts; none without one.
    fn mean_ms(&self, queue: QueueId) -> Option<u64> {
        let contacts = self.contacts.get(&queue)?;
        let sum: u64 = contacts.iter().map(|contact| contact.handled_ms).sum();
        sum.checked_div(u64::try_from(contacts.len()).ok()?)
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
        let mean_ms = self.pace.mean_ms(queue)?;
        let there = self.staff.count(queue, &[Away::Paused]);
        let place = |call: &CallId, otherwise: Timestamp| {
            let carried = self.carried.get(call);
            let own = carried.and_then(|carried| carried.priority);
            let since = carried.map_or(otherwise, |carried| carried.enqueued_at);
            config.matching.place(config.matching.base(own, 0), since)
        };
        let mine = place(&call, enqueued_at);
        let line = self.waiting.get(&queue).into_iter().flatten();
        let ahead = line.filter(|(_, other)| place(other, enqueued_at) <= mine);
        let place = u64::try_from(ahead.count()).ok()?.saturating_add(1);
        place.saturating_mul(mean_ms).checked_div(there)
    }
}
