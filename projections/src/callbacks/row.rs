//! One callback.

use crate::{
    caller::Caller,
    value::{Columns, Corrupt, number, text, text_or_null, time_or_null, word},
};
use commands::ports::Value;
use domain::{
    callback::Wanted,
    cause::EndReason,
    id::{CallId, CallbackId, QueueId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Where a callback is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for its time.
    Pending,
    /// A call is under way.
    Trying,
    /// The person was reached.
    Connected,
    /// The person was rung as often as was promised, in vain.
    Exhausted,
    /// It can not be tried, and only a person can change that.
    GivenUp,
    /// Its time was over.
    Expired,
    /// It was not wanted any more.
    Cancelled,
}

/// One attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its call.
    pub call: CallId,
    /// When it was placed.
    pub started_at: Timestamp,
    /// When it was known what came of it.
    pub ended_at: Option<Timestamp>,
    /// How it ended, if it reached nobody.
    pub reason: Option<EndReason>,
    /// The person was rung.
    pub is_counted: bool,
}

/// A callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub callback: CallbackId,
    /// Position of the event that last changed the row.
    pub position: u64,
    /// Where it is.
    pub state: State,
    /// The queue whose agents ring back.
    pub queue: QueueId,
    /// Whom.
    pub person: Caller,
    /// Since when the person waits.
    pub place_at: Timestamp,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// The call in which it was.
    pub requested_in: Option<CallId>,
    /// The next attempt is not before this instant.
    pub not_before: Timestamp,
    /// From then on nobody is rung any more.
    pub expires_at: Timestamp,
    /// Attempts in which the person is rung, at most.
    pub attempts_max: u32,
    /// What was tried, in order.
    pub attempts: Vec<Attempt>,
    /// When it was over.
    pub closed_at: Option<Timestamp>,
    /// Who has cancelled or rescheduled it last.
    pub decided_by: Option<String>,
    /// Who is to ring back, if that one is there.
    pub wanted: Option<Wanted>,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "callback_id",
    "position",
    "state",
    "queue_id",
    "subject",
    "from_user",
    "from_host",
    "from_name",
    "place_at",
    "requested_at",
    "requested_in",
    "not_before",
    "expires_at",
    "attempts_max",
    "attempts",
    "closed_at",
    "decided_by",
    "wanted",
];

impl Row {
    pub(crate) fn values(&self) -> Vec<Value> {
        let [subject, user, host, name] = self.person.values();
        vec![
            text(self.callback),
            number(self.position),
            word(&self.state),
            text(self.queue),
            subject,
            user,
            host,
            name,
            time_or_null(Some(self.place_at)),
            time_or_null(Some(self.requested_at)),
            text_or_null(self.requested_in),
            time_or_null(Some(self.not_before)),
            time_or_null(Some(self.expires_at)),
            number(self.attempts_max),
            word(&self.attempts),
            time_or_null(self.closed_at),
            text_or_null(self.decided_by.as_ref()),
            word(&self.wanted),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            callback: columns.id()?,
            position: columns.number()?,
            state: columns.word()?,
            queue: columns.id()?,
            person: Caller::read(columns)?,
            place_at: columns.time()?,
            requested_at: columns.time()?,
            requested_in: columns.id_or_null()?,
            not_before: columns.time()?,
            expires_at: columns.time()?,
            attempts_max: columns.number()?,
            attempts: columns.word()?,
            closed_at: columns.time_or_null()?,
            decided_by: columns.text_or_null()?,
            wanted: columns.word_or_null()?,
        })
    }
}
