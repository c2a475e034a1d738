//! One thing that happened, as an audit or a stream of events wants it.

use crate::value::{Columns, Corrupt, number, text, text_or_null, time};
use commands::ports::Value;
use domain::{
    id::{AgentId, CallId, EventId, QueueId},
    time::Timestamp,
};

/// One event. Rows are added and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Place in the one order of all events: the cursor of a stream.
    pub position: u64,
    /// Its id.
    pub event_id: EventId,
    /// The stream's category: `call`, `session`, `line`, `queue`, `agent`,
    /// `device`, `trunk`.
    pub category: String,
    /// Its number in its stream, from 1.
    pub version: u64,
    /// Wire name, for example `call_enqueued`.
    pub event_type: String,
    /// When it happened.
    pub at: Timestamp,
    /// The call that it belongs to.
    pub call: Option<CallId>,
    /// The agent that it is about.
    pub agent: Option<AgentId>,
    /// The queue that it names.
    pub queue: Option<QueueId>,
    /// The event's fields as a JSON object, without personal data.
    pub payload: String,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "position",
    "event_id",
    "category",
    "version",
    "event_type",
    "occurred_at",
    "call_id",
    "agent_id",
    "queue_id",
    "payload",
];

impl Row {
    pub(crate) fn values(&self) -> Vec<Value> {
        vec![
            number(self.position),
            text(self.event_id),
            text(&self.category),
            number(self.version),
            text(&self.event_type),
            time(self.at),
            text_or_null(self.call),
            text_or_null(self.agent),
            text_or_null(self.queue),
            text(&self.payload),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            position: columns.number()?,
            event_id: columns.id()?,
            category: columns.text()?,
            version: columns.number()?,
            event_type: columns.text()?,
            at: columns.time()?,
            call: columns.id_or_null()?,
            agent: columns.id_or_null()?,
            queue: columns.id_or_null()?,
            payload: columns.text()?,
        })
    }
}
