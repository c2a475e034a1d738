//! Contacts by interval: how long agents had them, from the records of calls, by queue and
//! by agent.

use crate::{
    table::marks,
    value::{Columns, Corrupt, text, time},
    views::{ViewError, read_all},
};
use commands::ports::ReadStore;
use domain::{id::AgentId, time::Timestamp};

/// Contacts that agents handled, in the interval in which their call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handled {
    /// How many.
    pub contacts_count: u64,
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
        talk_ms: 0,
        hold_ms: 0,
        wrap_up_ms: 0,
    };

    /// AHT: the mean of talk, hold and wrap-up; none without a contact.
    pub const fn average_handling_ms(&self) -> Option<u64> {
        let whole = self.talk_ms + self.hold_ms + self.wrap_up_ms;
        whole.checked_div(self.contacts_count)
    }

    /// Both together.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            contacts_count: self.contacts_count + other.contacts_count,
            talk_ms: self.talk_ms + other.talk_ms,
            hold_ms: self.hold_ms + other.hold_ms,
            wrap_up_ms: self.wrap_up_ms + other.wrap_up_ms,
        }
    }
}

/// A contact is of the queue whose visit was answered. Of those who were rung back, the
/// dialling is in it, and some never answer: they are not the same kind of work.
pub(super) const SQL: &str = "SELECT cdr.ended_at / 900000000, COUNT(*), \
    CAST(SUM(cdr.talk_ms) AS BIGINT), CAST(SUM(cdr.hold_ms) AS BIGINT), \
    CAST(SUM(cdr.wrap_up_ms) AS BIGINT) \
    FROM cdr JOIN visits ON visits.call_id = cdr.call_id \
    WHERE visits.queue_id = $1 AND visits.result = 'answered' AND cdr.direction = 'inbound' \
    AND cdr.ended_at >= $2 AND cdr.ended_at < $3 GROUP BY 1";

/// The same by the agent who had them; the ids come behind it.
const BY_AGENT: &str = "SELECT cdr.agent_id, cdr.ended_at / 900000000, COUNT(*), \
    CAST(SUM(cdr.talk_ms) AS BIGINT), CAST(SUM(cdr.hold_ms) AS BIGINT), \
    CAST(SUM(cdr.wrap_up_ms) AS BIGINT) \
    FROM cdr WHERE cdr.direction = 'inbound' AND cdr.agent_connected_at IS NOT NULL \
    AND cdr.ended_at >= $1 AND cdr.ended_at < $2 AND cdr.agent_id IN ";

fn read_of_agent(columns: &mut Columns) -> Result<(AgentId, (i64, Handled)), Corrupt> {
    Ok((columns.id()?, read(columns)?))
}

/// The contacts of these agents that ended in that time, by agent and quarter of an hour.
pub(super) async fn by_agent(
    read: &dyn ReadStore,
    agents: &[AgentId],
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<(AgentId, (i64, Handled))>, ViewError> {
    if agents.is_empty() {
        return Ok(vec![]);
    }
    let ids = marks(3, agents.len());
    let sql = format!("{BY_AGENT}({ids}) GROUP BY 1, 2");
    let range = [time(from), time(until)].into_iter();
    let parameters = range.chain(agents.iter().map(text)).collect();
    read_all(read, &sql, parameters, read_of_agent).await
}

pub(super) fn read(columns: &mut Columns) -> Result<(i64, Handled), Corrupt> {
    Ok((
        columns.number()?,
        Handled {
            contacts_count: columns.number()?,
            talk_ms: columns.number()?,
            hold_ms: columns.number()?,
            wrap_up_ms: columns.number()?,
        },
    ))
}
