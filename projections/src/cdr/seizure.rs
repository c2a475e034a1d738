//! Seizures: each use of a trunk for a call, and what became of it (ITU-T E.425).

use super::{
    leg::{Leg, Tried},
    row::{Direction, End, Row},
};
use domain::{
    cause::{By, Disposition, OfferOutcome, WireCause},
    id::TrunkId,
    q850,
    time::Timestamp,
};

/// What became of a seizure: exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SeizureOutcome {
    /// It was answered.
    Answered,
    /// The number was busy.
    Busy,
    /// It rang and nobody answered, whoever gave up: the caller too.
    NoAnswer,
    /// Whoever was called does not want the call.
    Rejected,
    /// Given up on our side before it rang: nothing is known of how far it would have come.
    Cancelled,
    /// The network did not bring it to the number.
    Failed,
    /// Something on the way had no room, did not work for now, or was silent.
    Congestion,
}

/// One use of a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seizure {
    /// Which trunk.
    pub trunk: TrunkId,
    /// From it, or out by it.
    pub direction: Direction,
    /// When the INVITE came, or went out.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: SeizureOutcome,
    /// From the answer to the end; 0 if unanswered.
    pub talk_ms: u64,
    /// From our INVITE to the first 18x or, without one, to the final response. Not known
    /// where neither came, and of what came in: there it is whoever called who waits.
    pub post_dial_delay_ms: Option<u64>,
}

/// Statuses that speak for a person without a cause beside them: of the others that are
/// counted as declined in a record (401, 402, 403, 407, 488) the trunk itself refuses us.
const SAID_BY_A_PERSON: [u16; 4] = [433, 603, 607, 608];

/// Q.850: call rejected.
const CALL_REJECTED: u8 = 21;

impl Row {
    /// Each use of a trunk for this call, the first first; none while it is in progress.
    pub fn seizures(&self) -> Vec<Seizure> {
        let Some(end) = &self.end else {
            return vec![];
        };
        let legs = self.legs.iter();
        let out = legs.flat_map(|leg| {
            let tried = leg.tried.iter().filter_map(tried);
            tried.chain(last(leg, end))
        });
        self.came_in(end).into_iter().chain(out).collect()
    }

    /// When the first INVITE of it went out by a trunk.
    pub(crate) fn went_out_at(&self) -> Option<Timestamp> {
        let legs = self.legs.iter();
        let first = |leg: &Leg| match leg.tried.first() {
            Some(tried) => tried.invited_at,
            None => leg.invited_at,
        };
        legs.filter_map(first).min()
    }

    fn came_in(&self, end: &End) -> Option<Seizure> {
        let trunk = self
            .trunk
            .filter(|_| self.direction == Direction::Inbound)?;
        let is_answered = self.answered_at.is_some();
        let has_rung = self.enqueued_at.is_some() || self.alerting_at.is_some();
        Some(Seizure {
            trunk,
            direction: Direction::Inbound,
            at: self.started_at,
            outcome: SeizureOutcome::of_inbound(end.disposition, is_answered, has_rung),
            talk_ms: self.billable_ms(),
            post_dial_delay_ms: None,
        })
    }
}

impl SeizureOutcome {
    /// Of a call that came in: what its trunk heard of us. A caller who leaves while it
    /// rings, in a queue or outside, was not answered.
    pub(crate) const fn of_inbound(
        disposition: Disposition,
        is_answered: bool,
        has_rung: bool,
    ) -> Self {
        if is_answered {
            return Self::Answered;
        }
        match disposition {
            Disposition::Busy => Self::Busy,
            Disposition::Rejected => Self::Rejected,
            Disposition::NoAnswer
            | Disposition::CallbackRequested
            // Nobody is reached without an answer, but for a record that was cut off.
            | Disposition::Answered
            | Disposition::Forwarded
            | Disposition::Voicemail => Self::NoAnswer,
            Disposition::Cancelled | Disposition::Abandoned if has_rung => Self::NoAnswer,
            Disposition::Cancelled | Disposition::Abandoned => Self::Cancelled,
            Disposition::Congestion => Self::Congestion,
            Disposition::Blocked | Disposition::Failed | Disposition::SystemError => Self::Failed,
        }
    }

    /// Of one that went out and was refused, by what that means, what was said, and the
    /// cause of it.
    fn of_refused(outcome: OfferOutcome, wire: &WireCause, cause: Option<u8>) -> Self {
        match outcome {
            OfferOutcome::Busy => Self::Busy,
            OfferOutcome::NoAnswer => Self::NoAnswer,
            OfferOutcome::Rejected if is_said_by_a_person(wire) => Self::Rejected,
            OfferOutcome::Rejected => Self::Failed,
            OfferOutcome::Unreachable
            | OfferOutcome::Withdrawn
            | OfferOutcome::AnsweredElsewhere
            | OfferOutcome::CallerGone => match cause {
                Some(cause) if !q850::is_congestion(cause) => Self::Failed,
                Some(_) | None => Self::Congestion,
            },
        }
    }

    /// Of the trunk with which the call ended unanswered.
    fn of_last(end: &End, has_rung: bool) -> Self {
        match end.reason.outside() {
            // We gave up a trunk that took the call and said nothing more of it.
            Some(OfferOutcome::NoAnswer) if end.by == By::System && !has_rung => Self::Failed,
            Some(outcome) => Self::of_refused(outcome, &said(end), end.q850_cause),
            None if has_rung => Self::NoAnswer,
            None => Self::Cancelled,
        }
    }
}

fn is_said_by_a_person(wire: &WireCause) -> bool {
    let status = wire.sip_status.unwrap_or_default();
    wire.q850() == Some(CALL_REJECTED) || SAID_BY_A_PERSON.contains(&status)
}

/// What the network said with the end.
fn said(end: &End) -> WireCause {
    WireCause {
        sip_status: end.sip_status,
        reason_header: end.reason_header.clone(),
        warning: None,
    }
}

/// Another trunk was tried after this one.
fn tried(tried: &Tried) -> Option<Seizure> {
    let at = tried.invited_at?;
    let wire = WireCause {
        sip_status: tried.sip_status,
        reason_header: tried.reason_header.clone(),
        warning: None,
    };
    // A trunk that was silent has given no final response.
    let failed_at = tried.failed_at.filter(|_| tried.sip_status.is_some());
    let heard_at = tried.progressed_at.or(failed_at);
    Some(Seizure {
        trunk: tried.trunk,
        direction: Direction::Outbound,
        at,
        outcome: SeizureOutcome::of_refused(OfferOutcome::of_outside(&wire), &wire, wire.cause()),
        talk_ms: 0,
        post_dial_delay_ms: heard_at.map(|heard| heard.ms_since(at)),
    })
}

/// The last trunk by which the leg went out, which may have taken it.
fn last(leg: &Leg, end: &End) -> Option<Seizure> {
    let (trunk, at) = leg.trunk.zip(leg.invited_at)?;
    let outcome = match leg.answered_at {
        Some(_) => SeizureOutcome::Answered,
        None => SeizureOutcome::of_last(end, leg.progressed_at.is_some()),
    };
    let final_at = leg.answered_at.or_else(|| refused_at(end));
    let heard_at = leg.progressed_at.or(final_at);
    Some(Seizure {
        trunk,
        direction: Direction::Outbound,
        at,
        outcome,
        talk_ms: leg.billable_ms(),
        post_dial_delay_ms: heard_at.map(|heard| heard.ms_since(at)),
    })
}

/// When the network refused the call with which it ended; none where it did not, or only
/// was silent.
fn refused_at(end: &End) -> Option<Timestamp> {
    let is_response = match end.reason.outside()? {
        OfferOutcome::Busy | OfferOutcome::Rejected => true,
        // Or we have given up.
        OfferOutcome::NoAnswer => end.by == By::Outside,
        OfferOutcome::Unreachable
        | OfferOutcome::Withdrawn
        | OfferOutcome::AnsweredElsewhere
        | OfferOutcome::CallerGone => !was_silent(end),
    };
    is_response.then_some(end.at)
}

/// The status beside a silence is ours (503), and so is the cause (38): a network that says
/// 503 alone means 41 by it.
fn was_silent(end: &End) -> bool {
    end.reason_header.is_none()
        && end.q850_cause == Some(38)
        && matches!(end.sip_status, None | Some(503))
}
