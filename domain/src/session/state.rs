//! What is known of a session: two coordinates, whether the agent wants calls
//! and what the one voice unit is doing.

use super::event::{NextState, NotReadyCode, NotReadyReason, ReleaseReason};
use crate::{
    id::{CallId, OfferId, QueueId, SessionId},
    queue::Terms,
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
        /// What the queue asks of the agent.
        terms: Terms,
    },
    /// With a caller.
    OnContact {
        /// The accepted offer.
        offer: OfferId,
        /// Which call.
        call: CallId,
        /// Wrap-up after the call.
        wrap_up_ms: u64,
        /// The wrap-up ends only with a code.
        code_required: bool,
    },
    /// Work after a call.
    WrapUp {
        /// Which call.
        call: CallId,
        /// When it ends by itself.
        until: Timestamp,
        /// It ends only with a code.
        code_required: bool,
    },
}

/// What has been folded from a session's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Session {
    /// Which; none before the first event.
    pub id: Option<SessionId>,
    /// Whether the agent wants calls.
    pub routability: Routability,
    /// What the agent is doing.
    pub activity: Activity,
    /// Asked for while engaged.
    pub next: Option<NextState>,
    /// Why not ready, in a word of the settings.
    #[serde(default)]
    pub code: Option<NotReadyCode>,
    /// Why not ready next, in a word of the settings.
    #[serde(default)]
    pub next_code: Option<NotReadyCode>,
    /// Offers missed in a row.
    pub missed_count: u32,
    /// Offers in a row that came to nothing otherwise, by why.
    pub refused: Refused,
}

/// Offers in a row that came to nothing, by why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Refused {
    /// Declined.
    pub rejected: u32,
    /// The phone was busy.
    pub busy: u32,
    /// No phone responded.
    pub unreachable: u32,
}

impl Session {
    /// What becomes of the agent when its reservation ends for that reason, unless
    /// it is free again: what was asked for meanwhile, or what the queue says of so
    /// many offers in vain.
    pub const fn next_after_release(&self, reason: ReleaseReason) -> Option<NextState> {
        match self.next {
            Some(next @ (NextState::NotReady(_) | NextState::LoggedOut(_))) => return Some(next),
            None | Some(NextState::Ready) => {}
        }
        let Activity::Reserved { terms, .. } = self.activity else {
            return None;
        };
        let in_a_row = self.in_a_row(reason).saturating_add(1);
        match terms.after(reason) {
            Some((pause, reason)) if pause.in_a_row_max >= 1 && pause.in_a_row_max <= in_a_row => {
                Some(NextState::NotReady(reason))
            }
            Some(_) | None => None,
        }
    }

    /// How many offers in a row came to nothing for that reason.
    pub const fn in_a_row(&self, reason: ReleaseReason) -> u32 {
        match reason {
            ReleaseReason::NoAnswer => self.missed_count,
            ReleaseReason::Rejected => self.refused.rejected,
            ReleaseReason::Busy => self.refused.busy,
            ReleaseReason::Unreachable => self.refused.unreachable,
            ReleaseReason::CallerGone
            | ReleaseReason::Superseded
            | ReleaseReason::AnsweredElsewhere
            | ReleaseReason::TimedOut => 0,
        }
    }
}
