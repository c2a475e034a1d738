//! What may be asked of a waiting line.

use super::event::{RejectReason, ReturnCause, VisitPolicy, VisitResult};
use crate::{
    id::{AgentId, CallId, OfferId, SessionId, VisitId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// For how long a call is kept for one agent at most.
pub const ASSIGNED_MS_MAX: u64 = 3_600_000;

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Let a call in.
    OpenVisit {
        /// Its stay.
        visit: VisitId,
        /// Which call.
        call: CallId,
        /// When it was enqueued first.
        enqueued_at: Timestamp,
        /// When this stay began, where that is later: it has the place of a call or of a stay
        /// before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        joined_at: Option<Timestamp>,
        /// A priority of its own that it brings from the stay before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<i32>,
        /// The stay in another queue that it comes from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous: Option<VisitId>,
        /// Open visits at most.
        capacity: u32,
        /// The queue's rules at that moment.
        policy: VisitPolicy,
        /// The queue takes nobody at that moment, and why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        barred: Option<RejectReason>,
    },
    /// Give it to an agent.
    MatchVisit {
        /// Which.
        visit: VisitId,
        /// Fence.
        offer: OfferId,
        /// Whose reservation.
        session: SessionId,
        /// Others may have it beside: the first who answers gets it.
        #[serde(default)]
        beside: bool,
    },
    /// Back to waiting: the offer came to nothing.
    ReturnVisit {
        /// Which.
        visit: VisitId,
        /// Which offer.
        offer: OfferId,
        /// Why.
        cause: ReturnCause,
    },
    /// Serve it earlier or later.
    ChangePriority {
        /// Which.
        visit: VisitId,
        /// The higher is served first.
        priority: i32,
    },
    /// Ask only that agent for a while, if it is there.
    AssignVisit {
        /// Which.
        visit: VisitId,
        /// Whom.
        agent: AgentId,
        /// For how long, up to [`ASSIGNED_MS_MAX`](super::ASSIGNED_MS_MAX).
        for_ms: u64,
        /// Who decides so.
        by: String,
    },
    /// It is over.
    CloseVisit {
        /// Which.
        visit: VisitId,
        /// How.
        result: VisitResult,
        /// When, as the call's own stream says.
        closed_at: Timestamp,
    },
}
