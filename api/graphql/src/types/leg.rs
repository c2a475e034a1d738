//! The legs of a call and the stretches of time on each.

use crate::{
    id::Named,
    scalar::{DateTime, Duration},
    types::{
        LegMedia,
        words::{LegOutcome, LegRole, SegmentEnd, SegmentKind, SupervisionEnd},
    },
};
use async_graphql::{ID, Object, SimpleObject};
use projections::cdr;

/// A trunk that did not take a call.
#[derive(SimpleObject)]
pub(crate) struct TrunkTried {
    /// Which.
    trunk_id: ID,
    /// Final SIP status that it sent; null where it was silent.
    sip_status: Option<i32>,
    /// Reason header that it sent, verbatim.
    reason_header: Option<String>,
}

/// A leg.
pub(crate) struct Leg {
    leg: cdr::Leg,
    dialled: Option<String>,
}

impl Leg {
    /// A leg of a record.
    pub(crate) fn of(row: &cdr::Row, leg: &cdr::Leg) -> Self {
        Self {
            leg: leg.clone(),
            dialled: row.dialled(leg).map(str::to_owned),
        }
    }
}

/// One dialog of a call: the caller's, that of an agent's phone or of a supervisor's.
#[Object]
impl Leg {
    /// Id of the leg, as it stands in events.
    async fn id(&self) -> ID {
        ID(self.leg.leg.to_string())
    }

    /// The leg that it was made for; null for the caller's.
    async fn parent_id(&self) -> Option<ID> {
        self.leg.parent.map(|leg| ID(leg.to_string()))
    }

    /// What it is to the call.
    async fn role(&self) -> LegRole {
        self.leg.role.into()
    }

    /// The number outside that it was to reach; null of any other leg, and once whoever
    /// was rung back is erased.
    async fn dialled(&self) -> Option<&str> {
        self.dialled.as_deref()
    }

    /// Whose phone.
    async fn agent_id(&self) -> Option<ID> {
        self.leg.agent.map(Named::opaque)
    }

    /// The trunk that it went out by, the last that was tried; null of any other leg.
    async fn trunk_id(&self) -> Option<ID> {
        self.leg.trunk.map(Named::opaque)
    }

    /// Trunks that were tried before it, in order.
    async fn trunks_tried(&self) -> Vec<TrunkTried> {
        let tried = self.leg.tried.iter();
        tried
            .map(|tried| TrunkTried {
                trunk_id: tried.trunk.opaque(),
                sip_status: tried.sip_status.map(i32::from),
                reason_header: tried.reason_header.clone(),
            })
            .collect()
    }

    /// The codec that was agreed on with its phone, by its name in SDP; of the caller's leg
    /// known when the sound is measured, shortly after the end. Null where there was none.
    async fn codec(&self) -> Option<&str> {
        self.leg.codec()
    }

    /// What the agent's phone says that it is, of a leg that was connected.
    async fn device(&self) -> Option<&str> {
        self.leg.device.as_deref()
    }

    /// When it began.
    async fn started_at(&self) -> DateTime {
        DateTime(self.leg.started_at)
    }

    /// When its phone rang first.
    async fn alerting_at(&self) -> Option<DateTime> {
        self.leg.alerting_at.map(DateTime)
    }

    /// When it was answered.
    async fn answered_at(&self) -> Option<DateTime> {
        self.leg.answered_at.map(DateTime)
    }

    /// When it was released.
    async fn ended_at(&self) -> Option<DateTime> {
        self.leg.ended_at.map(DateTime)
    }

    /// From its beginning to its end.
    async fn duration_ms(&self) -> Duration {
        Duration(self.leg.duration_ms())
    }

    /// From its answer to its end; 0 if unanswered.
    async fn billable_ms(&self) -> Duration {
        Duration(self.leg.billable_ms())
    }

    /// What became of an offer that was not accepted, or that its agent has transferred the
    /// call.
    async fn outcome(&self) -> Option<LegOutcome> {
        self.leg.outcome.map(Into::into)
    }

    /// The queue into which its agent has sent the caller.
    async fn transferred_to(&self) -> Option<ID> {
        self.leg.transferred_to.map(Named::opaque)
    }

    /// Why the supervision ended; null of any other leg.
    async fn supervision_end(&self) -> Option<SupervisionEnd> {
        self.leg.supervision_end.map(Into::into)
    }

    /// Final SIP status that its phone sent.
    async fn sip_status(&self) -> Option<i32> {
        self.leg.sip_status.map(i32::from)
    }

    /// Reason header that its phone sent, verbatim.
    async fn reason_header(&self) -> Option<&str> {
        self.leg.reason_header.as_deref()
    }

    /// What was measured of its sound, once the call is over; null of a leg over which
    /// nothing went.
    async fn media(&self) -> Option<LegMedia> {
        let measured = self.leg.measured.as_ref();
        measured.map(|measured| LegMedia(measured.media))
    }

    /// What went on, in order; none overlaps another.
    async fn segments(&self) -> Vec<Segment> {
        self.leg.segments.iter().cloned().map(Segment).collect()
    }
}

/// A segment.
pub(crate) struct Segment(cdr::Segment);

/// A stretch of time on a leg.
#[Object]
impl Segment {
    /// What went on.
    async fn kind(&self) -> SegmentKind {
        self.0.kind.into()
    }

    /// When it began.
    async fn started_at(&self) -> DateTime {
        DateTime(self.0.started_at)
    }

    /// When it was over; null while it goes on.
    async fn ended_at(&self) -> Option<DateTime> {
        self.0.ended_at.map(DateTime)
    }

    /// How long it was.
    async fn duration_ms(&self) -> Duration {
        Duration(self.0.duration_ms())
    }

    /// Why it was over, where what follows does not tell it.
    async fn end_reason(&self) -> Option<SegmentEnd> {
        self.0.end.map(Into::into)
    }

    /// Of which queue.
    async fn queue_id(&self) -> Option<ID> {
        self.0.queue.map(Named::opaque)
    }

    /// With which agent.
    async fn agent_id(&self) -> Option<ID> {
        self.0.agent.map(Named::opaque)
    }
}
