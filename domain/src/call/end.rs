//! The end of a call: what each reason means.

use super::{
    decide::{Decision, offer_ended},
    error::Error,
    event::Event,
    state::{Call, Phase},
    supervision,
};
use crate::{
    cause::{By, Disposition, EndCause, EndReason, EndResult, OfferOutcome, WireCause},
    id::VisitId,
    q850,
    time::Timestamp,
};

pub(super) fn end(
    call: &Call,
    at: Timestamp,
    reason: EndReason,
    ended_at: Option<Timestamp>,
    visit: Option<VisitId>,
) -> Decision {
    let by = match reason {
        EndReason::Operator => By::Supervisor,
        EndReason::Hangup
        | EndReason::Cancelled
        | EndReason::UnknownAddress
        | EndReason::NotAllowed
        | EndReason::NoCommonCodec
        | EndReason::NoMediaPort
        | EndReason::Overload
        | EndReason::QueueFull
        | EndReason::QueueClosed
        | EndReason::NobodyThere
        | EndReason::MaxWait
        | EndReason::VisitExpired
        | EndReason::NoTrunk
        | EndReason::OutsideBusy
        | EndReason::OutsideNoAnswer
        | EndReason::OutsideRejected
        | EndReason::OutsideUnreachable
        | EndReason::MediaSilence
        | EndReason::SignallingLost
        | EndReason::NodeLost
        | EndReason::CallbackRequested
        | EndReason::CallbackWithdrawn
        | EndReason::Announced
        | EndReason::VoicemailTaken
        | EndReason::NoCredit
        | EndReason::NoPrice
        | EndReason::AccountSuspended
        | EndReason::Shutdown => By::System,
    };
    match &call.phase {
        Phase::Unborn => Err(Error::Unknown),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
        // An accepted call has left the queue: the limit of waiting is over.
        Phase::Connected(_) | Phase::Forwarded(_) | Phase::Announcing | Phase::InMailbox
            if matches!(
                reason,
                EndReason::MaxWait
                    | EndReason::VisitExpired
                    | EndReason::NobodyThere
                    | EndReason::CallbackWithdrawn
                    | EndReason::Announced
                    | EndReason::VoicemailTaken
            ) =>
        {
            Err(Error::AlreadyConnected)
        }
        // It was sent on in the meantime, and may be served there.
        Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox
            if visit.is_some() && visit != call.visit.map(|(current, _)| current) =>
        {
            Err(Error::StaleVisit)
        }
        Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox => {
            let at = ended_at.map_or(at, |earlier| {
                earlier.clamp(call.last_at, at.max(call.last_at))
            });
            Ok(ended(call, at, by, reason, WireCause::default()))
        }
    }
}

/// The end of the call; before it, of several phones that rang side by side, the
/// ends of all but the one that the end itself names; and that of a supervision.
pub(super) fn ended(
    call: &Call,
    at: Timestamp,
    by: By,
    reason: EndReason,
    wire: WireCause,
) -> Vec<Event> {
    let beside = call.offers().iter().skip(1);
    let mut events: Vec<Event> = beside
        .map(|offer| offer_ended(offer, OfferOutcome::CallerGone, WireCause::default()))
        .collect();
    events.extend(supervision::ended_with(call, reason));
    events.push(the_end(call, at, by, reason, wire));
    events
}

fn the_end(call: &Call, at: Timestamp, by: By, reason: EndReason, wire: WireCause) -> Event {
    let reached = reached(call);
    let heard = heard(reason, &wire);
    let (result, refusal_status, q850, disposition) = verdict(reason, reached, heard);
    // A caller who got 200 OK gets a BYE, which has no status; and of a call that
    // we placed nobody waits for one.
    let refusal_status = match call.answered_at {
        None if !call.is_placed => refusal_status,
        None | Some(_) => None,
    };
    let (session, offer) = call.engaged().unzip();
    // An agent who rings back has closed the stay, whether or not the person answers.
    let visit = call.visit.filter(|_| !is_ringing_back(call));
    let (visit, queue) = visit.unzip();
    Event::Ended {
        cause: EndCause {
            result,
            reason,
            by,
            sip_status: wire.sip_status.or(refusal_status),
            q850,
            reason_header: wire.reason_header,
        },
        disposition,
        ended_at: at,
        incomplete: matches!(
            reason,
            EndReason::NodeLost | EndReason::MediaSilence | EndReason::SignallingLost
        ),
        session,
        offer,
        visit,
        queue,
    }
}

/// What the network outside said of its own failure, in the words of Q.850; and what a
/// BYE or CANCEL says of itself, which has no status to say it for it.
fn heard(reason: EndReason, wire: &WireCause) -> Option<u8> {
    match reason.outside() {
        Some(_) => wire.cause(),
        None if matches!(reason, EndReason::Hangup | EndReason::Cancelled) => wire.q850(),
        None => None,
    }
}

/// Whom the caller has reached so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// Nobody; in a queue or before it.
    Nobody,
    /// Nobody; a number outside is being dialled.
    Ringback,
    /// An agent.
    Agent,
    /// Somebody outside.
    Outside,
    /// Nobody; an announcement is heard.
    Announcement,
    /// Nobody; a mailbox.
    Mailbox,
}

const fn is_ringing_back(call: &Call) -> bool {
    match &call.phase {
        Phase::Connected(_) => call.is_placed,
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox
        | Phase::Ended(_) => false,
    }
}

const fn reached(call: &Call) -> Reached {
    match &call.phase {
        Phase::Connected(connection) if !connection.is_talking() => Reached::Ringback,
        Phase::Connected(_) => Reached::Agent,
        Phase::Forwarded(outside) => match outside.answered_at {
            Some(_) => Reached::Outside,
            None => Reached::Ringback,
        },
        Phase::Announcing => Reached::Announcement,
        Phase::InMailbox => Reached::Mailbox,
        Phase::Unborn | Phase::Waiting | Phase::Offering(_) | Phase::Ended(_) => Reached::Nobody,
    }
}

/// What each reason means: result, SIP status that an unanswered caller gets,
/// Q.850 cause (that which was `heard`, if any), disposition. A call that reached somebody stays ANSWERED or
/// FORWARDED, whatever ended it; one that reached a mailbox VOICEMAIL, but for a crash,
/// which loses what was said.
const fn verdict(
    reason: EndReason,
    reached: Reached,
    heard: Option<u8>,
) -> (EndResult, Option<u16>, Option<u8>, Disposition) {
    use Disposition as D;
    use EndResult as R;
    let talked = matches!(
        reached,
        Reached::Agent | Reached::Outside | Reached::Mailbox
    );
    let (result, status, q850, disposition) = match reason {
        EndReason::Hangup | EndReason::Operator if talked => {
            (R::Success, None, Some(16), D::Answered)
        }
        EndReason::Hangup | EndReason::Cancelled => (R::Caller, Some(487), Some(16), D::Abandoned),
        EndReason::UnknownAddress => (R::Caller, Some(404), Some(1), D::Failed),
        EndReason::NotAllowed => (R::Caller, Some(403), Some(21), D::Blocked),
        EndReason::NoCredit => (R::Caller, Some(402), Some(21), D::Blocked),
        EndReason::NoPrice => (R::Caller, Some(403), Some(21), D::Blocked),
        EndReason::AccountSuspended => (R::Caller, Some(403), Some(21), D::Blocked),
        EndReason::NoCommonCodec => (R::Caller, Some(488), Some(65), D::Failed),
        EndReason::NoMediaPort => (R::Ours, Some(503), Some(47), D::Congestion),
        EndReason::Overload => (R::Ours, Some(503), Some(42), D::Congestion),
        EndReason::QueueFull => (R::Ours, Some(486), Some(17), D::Busy),
        EndReason::QueueClosed => (R::Caller, Some(480), Some(20), D::NoAnswer),
        EndReason::NobodyThere => (R::Ours, Some(480), Some(20), D::NoAnswer),
        EndReason::CallbackRequested => (R::Success, Some(480), Some(16), D::CallbackRequested),
        EndReason::CallbackWithdrawn => (R::Ours, Some(480), Some(31), D::Cancelled),
        EndReason::Announced => (R::Success, None, Some(16), D::NoAnswer),
        EndReason::VoicemailTaken => (R::Success, None, Some(16), D::Voicemail),
        EndReason::MaxWait => (R::Ours, Some(480), Some(19), D::NoAnswer),
        EndReason::VisitExpired => (R::Ours, Some(480), Some(102), D::NoAnswer),
        EndReason::NoTrunk => (R::Ours, Some(503), Some(34), D::Congestion),
        EndReason::OutsideBusy => (R::Upstream, Some(486), Some(17), D::Busy),
        EndReason::OutsideNoAnswer => (R::Upstream, Some(480), Some(19), D::NoAnswer),
        EndReason::OutsideRejected => (R::Upstream, Some(403), Some(21), D::Rejected),
        EndReason::OutsideUnreachable => match heard {
            Some(cause) if !q850::is_congestion(cause) => {
                (R::Upstream, Some(503), Some(cause), D::Failed)
            }
            Some(_) | None => (R::Upstream, Some(503), Some(38), D::Congestion),
        },
        // A caller who vanished while waiting has left the queue.
        EndReason::MediaSilence | EndReason::SignallingLost => {
            (R::Indeterminate, Some(480), Some(102), D::Abandoned)
        }
        EndReason::NodeLost => (R::Ours, Some(503), Some(41), D::SystemError),
        EndReason::Operator => (R::Ours, Some(480), Some(31), D::Failed),
        EndReason::Shutdown => (R::Ours, Some(503), Some(41), D::SystemError),
    };
    let q850 = match heard {
        Some(cause) => Some(cause),
        None => q850,
    };
    let disposition = match (reached, disposition) {
        (Reached::Agent, _) => D::Answered,
        (Reached::Outside, _) => D::Forwarded,
        // Gone while it rang outside: not out of a queue.
        (Reached::Ringback, D::Abandoned) => D::Cancelled,
        // What was said was in memory, and is gone.
        (Reached::Mailbox, D::SystemError) if matches!(reason, EndReason::NodeLost) => {
            D::SystemError
        }
        (Reached::Mailbox, _) => D::Voicemail,
        // It was told to, in the end.
        (Reached::Announcement, D::Abandoned) => D::NoAnswer,
        (Reached::Ringback | Reached::Announcement | Reached::Nobody, disposition) => disposition,
    };
    (result, status, q850, disposition)
}
