//! What is known of a session: two coordinates, whether the agent wants calls
//! and what the one voice unit is doing.

use super::event::{NextState, NotReadyReason};
use crate::{
    id::{CallId, OfferId, QueueId, SessionId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Whether the agent wants calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Routability {
    /// The session has not started or is over.
    #[default]
    LoggedOut,
    /// Yes.
    Ready,
    /// No, and why.
    NotReady(NotReadyReason),
}

/// What the agent is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Activity {
    /// Nothing.
    #[default]
    Idle,
    /// Taken for an offer.
    Reserved {
        /// Fence.
        offer: OfferId,
        /// Which call.
        call: CallId,
        /// Of which queue.
        queue: QueueId,
        /// When it falls by itself.
        until: Timestamp,
        /// Wrap-up after the call.
        wrap_up_ms: u64,
    },
    /// With a caller.
    OnContact {
        /// The accepted offer.
        offer: OfferId,
        /// Which call.
        call: CallId,
        /// Wrap-up after the call.
        wrap_up_ms: u64,
    },
    /// Work after a call.
    WrapUp {
        /// Which call.
        call: CallId,
        /// When it ends by itself.
        until: Timestamp,
    },
}

/// What has been folded from a session's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Session {
    /// Which; none before the first event.
    pub id: Option<SessionId>,
    /// Whether the agent wants calls.
    pub routability: Routability,
    /// What the agent is doing.
    pub activity: Activity,
    /// Asked for while engaged.
    pub next: Option<NextState>,
    /// Offers missed in a row.
    pub missed_count: u32,
}
