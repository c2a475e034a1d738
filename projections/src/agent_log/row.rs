//! A change of an agent's state.

use crate::value::{Columns, Corrupt, number, text, text_or_null, time, word};
use commands::ports::Value;
use domain::{
    id::{AgentId, CallId, OfferId, QueueId},
    session::{Doing, NotReadyCode, NotReadyReason, ReleaseReason, Still},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What an agent is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Takes calls and has none.
    Ready,
    /// Takes no calls.
    NotReady,
    /// Taken for an offer; the phone does not ring yet.
    Reserved,
    /// The phone rings.
    Ringing,
    /// With a caller.
    OnContact,
    /// Work after a call.
    WrapUp,
    /// Not logged in.
    LoggedOut,
}

/// From that instant on the agent is in that state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Position of the event that says so.
    pub position: u64,
    /// Who.
    pub agent: AgentId,
    /// Which login.
    pub session_number: u32,
    /// Since when.
    pub at: Timestamp,
    /// What; of an agent of several voice units what the one does that the event is about.
    pub state: State,
    /// What such an agent does meanwhile and first of all, if that is something else: the
    /// one state that counts.
    pub still: Option<Still>,
    /// Why no calls are taken.
    pub reason: Option<NotReadyReason>,
    /// In a word of the settings.
    pub code: Option<NotReadyCode>,
    /// Why an offer came to nothing, when this is what followed.
    pub released: Option<ReleaseReason>,
    /// Which offer.
    pub offer: Option<OfferId>,
    /// Which call.
    pub call: Option<CallId>,
    /// Which queue.
    pub queue: Option<QueueId>,
}

/// What an agent does first of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Primary {
    pub(super) state: State,
    pub(super) offer: Option<OfferId>,
    pub(super) call: Option<CallId>,
    pub(super) queue: Option<QueueId>,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "position",
    "agent_id",
    "session_number",
    "since_at",
    "state",
    "reason",
    "released",
    "offer_id",
    "call_id",
    "queue_id",
    "code",
    "still",
];

impl Row {
    pub(crate) fn values(&self) -> Vec<Value> {
        vec![
            number(self.position),
            text(self.agent),
            number(self.session_number),
            time(self.at),
            word(&self.state),
            word(&self.reason),
            word(&self.released),
            text_or_null(self.offer),
            text_or_null(self.call),
            text_or_null(self.queue),
            word(&self.code),
            word(&self.still),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            position: columns.number()?,
            agent: columns.id()?,
            session_number: columns.number()?,
            at: columns.time()?,
            state: columns.word()?,
            reason: columns.word_or_null()?,
            released: columns.word_or_null()?,
            offer: columns.id_or_null()?,
            call: columns.id_or_null()?,
            queue: columns.id_or_null()?,
            code: columns.word_or_null()?,
            still: columns.word_or_null()?,
        })
    }

    /// The state that the agent is in from then on, as its time is counted: its offer, call
    /// and queue too.
    pub(super) fn primary(&self) -> Primary {
        match self.still {
            None => Primary {
                state: self.state,
                offer: self.offer,
                call: self.call,
                queue: self.queue,
            },
            Some(still) => Primary {
                state: match still.doing {
                    Doing::Reserved => State::Reserved,
                    Doing::OnContact => State::OnContact,
                    Doing::WrapUp => State::WrapUp,
                },
                offer: still.offer,
                call: Some(still.call),
                queue: still.queue,
            },
        }
    }
}
