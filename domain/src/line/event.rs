//! What can have happened in a waiting line. The stored schema: handle with care.

use crate::{
    call::AnswerMode,
    decider,
    id::{AgentId, CallId, OfferId, SessionId, VisitId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// The queue's rules that a visit keeps for its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitPolicy {
    /// Version of the queue's configuration that they come from.
    pub config_version: u32,
    /// When the caller is answered.
    pub answer_mode: AnswerMode,
    /// How long one agent's phone rings.
    pub ring_timeout_ms: u64,
    /// Wrap-up after the call.
    pub wrap_up_ms: u64,
    /// How long a caller waits at most; 0 for no limit.
    pub max_wait_ms: u64,
    /// By which the stay is measured; none of one from before that was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
}

/// What counts as served in time, and as hardly having called: as the queue said when the
/// call came, whatever it says later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Measure {
    /// T: answered up to this time, inclusive, is in time.
    pub threshold_ms: u64,
    /// S: abandoned under this time is a short abandon.
    pub short_abandon_ms: u64,
    /// How many of a hundred are to be answered within T.
    #[serde(default = "target_percent", skip_serializing_if = "is_target_percent")]
    pub target_percent: u8,
}

impl Measure {
    /// Whether so many of all are the target, or more; none without any.
    pub fn is_met(&self, part: u64, whole: u64) -> Option<bool> {
        let wanted = u128::from(self.target_percent) * u128::from(whole);
        (whole > 0).then(|| u128::from(part) * 100 >= wanted)
    }
}

/// So many of a hundred calls are to be answered in time, unless the queue says otherwise:
/// the usual 80 of "80/20".
pub const TARGET_PERCENT: u8 = 80;

pub(crate) const fn target_percent() -> u8 {
    TARGET_PERCENT
}

// serde hands over references.
pub(crate) const fn is_target_percent(value: &u8) -> bool {
    *value == TARGET_PERCENT
}

/// Why a call was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// No room.
    Full,
    /// Outside the queue's hours.
    Closed,
    /// Nobody was there, and the queue lets nobody wait for that.
    Empty,
}

/// Why an offer came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnCause {
    /// The phone rang too long.
    NoAnswer,
    /// Declined.
    Rejected,
    /// Busy.
    Busy,
    /// No phone responded.
    Unreachable,
    /// The offer could not be made or was taken back.
    Withdrawn,
}

/// How a visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitResult {
    /// An agent was connected.
    Answered,
    /// The caller hung up before that.
    Abandoned,
    /// Waited as long as the queue allows.
    Timeout,
    /// Older than any stay may become.
    Expired,
    /// Sent on to another queue or a number outside.
    Overflow,
    /// Left by a key that the caller pressed.
    ExitKey,
    /// Sent into another queue by a person.
    Requeued,
    /// The caller is rung back and keeps the place.
    Callback,
    /// Sent into a mailbox, to leave a message.
    Voicemail,
    /// Taken out by a person.
    Withdrawn,
    /// Ended by the system.
    System,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A call waits.
    #[serde(rename = "visit_opened")]
    Opened {
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
        /// Place in the line, from 1.
        position: u32,
        /// The rules it keeps.
        policy: VisitPolicy,
    },
    /// A call was not let in.
    #[serde(rename = "visit_rejected")]
    Rejected {
        /// Its stay that was not.
        visit: VisitId,
        /// Which call.
        call: CallId,
        /// Why.
        reason: RejectReason,
    },
    /// Given to an agent.
    #[serde(rename = "visit_matched")]
    Matched {
        /// Which.
        visit: VisitId,
        /// Which call.
        call: CallId,
        /// Fence.
        offer: OfferId,
        /// Whose reservation.
        session: SessionId,
    },
    /// Waits again, at its old place.
    #[serde(rename = "visit_returned")]
    Returned {
        /// Which.
        visit: VisitId,
        /// Which call.
        call: CallId,
        /// Which offer came to nothing.
        offer: OfferId,
        /// Whose.
        session: SessionId,
        /// Why.
        cause: ReturnCause,
        /// How many rounds of offers have come to nothing, from 1; phones that
        /// rang side by side are one round, and the last of them ends it.
        attempt: u32,
        /// Phones of other agents still ring for it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        still_ringing: bool,
    },
    /// Comes earlier or later than its queue's priority says.
    #[serde(rename = "visit_priority_changed")]
    PriorityChanged {
        /// Which.
        visit: VisitId,
        /// Which call.
        call: CallId,
        /// From now on: the higher is served first.
        priority: i32,
    },
    /// A person wants that agent to have it: nobody else is asked for a while.
    #[serde(rename = "visit_assigned")]
    Assigned {
        /// Which.
        visit: VisitId,
        /// Which call.
        call: CallId,
        /// Who is to have it.
        agent: AgentId,
        /// From then on others are asked too.
        until: Timestamp,
        /// Who decided so.
        by: String,
    },
    /// Over.
    #[serde(rename = "visit_closed")]
    Closed {
        /// Which.
        visit: VisitId,
        /// Which call.
        call: CallId,
        /// How.
        result: VisitResult,
        /// When, as the call's own stream says.
        closed_at: Timestamp,
        /// From the beginning of this stay to that instant.
        wait_ms: u64,
        /// By which it is measured.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        measure: Option<Measure>,
    },
}

impl Event {
    /// Of which stay.
    pub const fn visit(&self) -> VisitId {
        match self {
            Self::Opened { visit, .. }
            | Self::Rejected { visit, .. }
            | Self::Matched { visit, .. }
            | Self::Returned { visit, .. }
            | Self::PriorityChanged { visit, .. }
            | Self::Assigned { visit, .. }
            | Self::Closed { visit, .. } => *visit,
        }
    }
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Opened { .. } => "visit_opened",
            Self::Rejected { .. } => "visit_rejected",
            Self::Matched { .. } => "visit_matched",
            Self::Returned { .. } => "visit_returned",
            Self::PriorityChanged { .. } => "visit_priority_changed",
            Self::Assigned { .. } => "visit_assigned",
            Self::Closed { .. } => "visit_closed",
        }
    }
}
