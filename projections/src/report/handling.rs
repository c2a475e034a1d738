//! Contacts by interval: how long agents had them, from the records of calls, by queue and
//! by agent.

use crate::{
    cdr::{Contact, Leg, contacts},
    table::marks,
    value::{Columns, Corrupt, text, time},
    views::{ViewError, read_all},
};
use commands::ports::ReadStore;
use domain::{id::AgentId, id::QueueId, time::Timestamp};

/// Contacts that agents handled, in the interval in which their call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handled {
    /// How many.
    pub contacts_count: u64,
    /// Of those, how many ended as the agent sent the caller into another queue.
    pub transferred_count: u64,
    /// Time in conversation, hold excluded.
    pub talk_ms: u64,
    /// Time on hold.
    pub hold_ms: u64,
    /// Wrap-up after them, as far as it has ended.
    pub wrap_up_ms: u64,
}

impl Handled {
    /// None at all.
    pub(super) const NONE: Self = Self {
        contacts_count: 0,
        transferred_count: 0,
        talk_ms: 0,
        hold_ms: 0,
        wrap_up_ms: 0,
    };

    /// AHT: the mean of talk, hold and wrap-up; none without a contact.
    pub const fn average_handling_ms(&self) -> Option<u64> {
        let whole = self.talk_ms + self.hold_ms + self.wrap_up_ms;
        whole.checked_div(self.contacts_count)
    }

    /// Contacts that were transferred, and all: the two parts of the transfer rate.
    pub const fn transferred(&self) -> (u64, u64) {
        (self.transferred_count, self.contacts_count)
    }

    /// Both together.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            contacts_count: self.contacts_count + other.contacts_count,
            transferred_count: self.transferred_count + other.transferred_count,
            talk_ms: self.talk_ms + other.talk_ms,
            hold_ms: self.hold_ms + other.hold_ms,
            wrap_up_ms: self.wrap_up_ms + other.wrap_up_ms,
        }
    }

    fn of(contact: &Contact) -> Self {
        Self {
            contacts_count: 1,
            transferred_count: u64::from(contact.is_transferred),
            talk_ms: contact.talk_ms,
            hold_ms: contact.hold_ms,
            wrap_up_ms: contact.wrap_up_ms,
        }
    }
}

/// A contact is of the queue whose visit was answered. Of those who were rung back, the
/// dialling is in it, and some never answer: they are not the same kind of work. A call that
/// was transferred had several contacts: they are on its legs.
const OF_QUEUE: &str = "SELECT cdr.ended_at / 900000000, COUNT(*), \
    CAST(SUM(cdr.talk_ms) AS BIGINT), CAST(SUM(cdr.hold_ms) AS BIGINT), \
    CAST(SUM(cdr.wrap_up_ms) AS BIGINT) \
    FROM cdr JOIN visits ON visits.call_id = cdr.call_id \
    WHERE visits.queue_id = $1 AND visits.result = 'answered' AND cdr.direction = 'inbound' \
    AND cdr.transfers_count = 0 \
    AND cdr.ended_at >= $2 AND cdr.ended_at < $3 GROUP BY 1";

/// The same by the agent who had them; the ids come behind it.
const BY_AGENT: &str = "SELECT cdr.agent_id, cdr.ended_at / 900000000, COUNT(*), \
    CAST(SUM(cdr.talk_ms) AS BIGINT), CAST(SUM(cdr.hold_ms) AS BIGINT), \
    CAST(SUM(cdr.wrap_up_ms) AS BIGINT) \
    FROM cdr WHERE cdr.direction = 'inbound' AND cdr.agent_connected_at IS NOT NULL \
    AND cdr.transfers_count = 0 \
    AND cdr.ended_at >= $1 AND cdr.ended_at < $2 AND cdr.agent_id IN ";

/// Calls that were transferred, with their legs.
const TRANSFERRED: &str = "SELECT ended_at / 900000000, legs FROM cdr \
    WHERE transfers_count > 0 AND direction = 'inbound' \
    AND ended_at >= $1 AND ended_at < $2";

fn read_of_agent(columns: &mut Columns) -> Result<(AgentId, (i64, Handled)), Corrupt> {
    Ok((columns.id()?, read(columns)?))
}

/// The contacts of these agents that ended in that time, by agent and quarter of an hour.
pub(super) async fn by_agent(
    store: &dyn ReadStore,
    agents: &[AgentId],
    range: (Timestamp, Timestamp),
) -> Result<Vec<(AgentId, (i64, Handled))>, ViewError> {
    if agents.is_empty() {
        return Ok(vec![]);
    }
    let ids = marks(3, agents.len());
    let sql = format!("{BY_AGENT}({ids}) GROUP BY 1, 2");
    let times = [time(range.0), time(range.1)].into_iter();
    let parameters = times.chain(agents.iter().map(text)).collect();
    let mut handled = read_all(store, &sql, parameters, read_of_agent).await?;
    for (slot, contact) in transferred(store, range).await? {
        let agent = contact.agent.filter(|agent| agents.contains(agent));
        handled.extend(agent.map(|agent| (agent, (slot, Handled::of(&contact)))));
    }
    Ok(handled)
}

/// The contacts of that queue that ended in that time, by quarter of an hour.
pub(super) async fn of_queue(
    store: &dyn ReadStore,
    queue: QueueId,
    range: (Timestamp, Timestamp),
) -> Result<Vec<(i64, Handled)>, ViewError> {
    let parameters = vec![text(queue), time(range.0), time(range.1)];
    let mut handled = read_all(store, OF_QUEUE, parameters, read).await?;
    for (slot, contact) in transferred(store, range).await? {
        if contact.queue == Some(queue) {
            handled.push((slot, Handled::of(&contact)));
        }
    }
    Ok(handled)
}

/// Each contact of the calls that were transferred and ended in that time.
async fn transferred(
    store: &dyn ReadStore,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<(i64, Contact)>, ViewError> {
    let parameters = vec![time(from), time(until)];
    let calls = read_all(store, TRANSFERRED, parameters, |columns| {
        let slot: i64 = columns.number()?;
        let legs: Vec<Leg> = columns.word()?;
        Ok((slot, legs))
    });
    let calls = calls.await?.into_iter();
    Ok(calls
        .flat_map(|(slot, legs)| {
            let contacts: Vec<Contact> = contacts(&legs).collect();
            contacts.into_iter().map(move |contact| (slot, contact))
        })
        .collect())
}

fn read(columns: &mut Columns) -> Result<(i64, Handled), Corrupt> {
    Ok((
        columns.number()?,
        Handled {
            contacts_count: columns.number()?,
            transferred_count: 0,
            talk_ms: columns.number()?,
            hold_ms: columns.number()?,
            wrap_up_ms: columns.number()?,
        },
    ))
}
