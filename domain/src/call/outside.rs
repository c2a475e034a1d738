//! Legs that go out through a trunk: their rules. Which trunk takes a leg is the
//! adapter's to find; what becomes of it is decided here.

use super::{
    announcement,
    command::Destination,
    decide::{Decision, offer_ended},
    end::ended,
    error::Error,
    event::Event,
    state::{Call, Outside, Phase},
    voicemail,
    way::{OverflowCause, Target},
};
use crate::{
    cause::{By, EndReason, OfferOutcome, WireCause},
    id::{CallbackId, LegId, QueueId, TrunkId, VisitId},
    sealed::{Party, Sealed},
    time::Timestamp,
};

/// How long somebody outside is waited for, all trunks together: longer than
/// the ring of any network, so that its own announcement comes first.
pub const RING_OUTSIDE_MS: u64 = 90_000;

/// A call goes to a number outside.
pub(super) fn forward(at: Timestamp, number: String, leg: LegId) -> [Event; 2] {
    let target = Target::Number(number.clone());
    let until = at.plus_ms(RING_OUTSIDE_MS);
    [
        Event::Forwarded { number },
        Event::LegDialled { leg, target, until },
    ]
}

/// The queue does not serve the call: it goes where the queue says.
pub(super) fn overflow(
    call: &Call,
    at: Timestamp,
    visit: VisitId,
    cause: OverflowCause,
    to: Destination,
) -> Decision {
    match &call.phase {
        Phase::Unborn => Err(Error::Unknown),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
        Phase::Connected(_) | Phase::Forwarded(_) | Phase::Announcing | Phase::InMailbox => {
            Err(Error::AlreadyConnected)
        }
        Phase::Waiting | Phase::Offering(_) => leave(call, at, visit, cause, to),
    }
}

fn leave(
    call: &Call,
    at: Timestamp,
    visit: VisitId,
    cause: OverflowCause,
    to: Destination,
) -> Decision {
    let queue = match call.visit {
        Some((current, queue)) if current == visit => queue,
        Some(_) | None => return Err(Error::StaleVisit),
    };
    let withdrawn = call.offers().iter();
    let mut events: Vec<Event> = withdrawn
        .map(|offer| offer_ended(offer, OfferOutcome::Withdrawn, WireCause::default()))
        .collect();
    events.push(Event::Overflowed {
        visit,
        queue,
        cause,
        mailbox: match &to {
            Destination::Voicemail(voicemail) => Some(voicemail.mailbox),
            Destination::Queue { .. }
            | Destination::Forward { .. }
            | Destination::Callback(_)
            | Destination::Announcement(_) => None,
        },
        by: None,
        why: None,
    });
    match to {
        Destination::Forward { number, leg } => events.extend(forward(at, number, leg)),
        Destination::Announcement(announcement) => {
            events.extend(announcement::start(call, at, announcement)?);
        }
        Destination::Voicemail(voicemail) => {
            events.extend(voicemail::begin(call, at, voicemail)?);
        }
        Destination::Callback(callback) => {
            return ring_back(call, at, callback, (visit, queue), cause);
        }
        Destination::Queue {
            queue,
            config_version,
            answer_mode,
            visit,
            exit_keys,
            music,
        } => {
            no_loop(call, queue)?;
            events.push(Event::Enqueued {
                visit,
                queue,
                config_version,
                answer_mode,
                exit_keys,
                music,
            });
        }
    }
    Ok(events)
}

/// The caller goes home and keeps the place: whoever shows no number can not.
fn ring_back(
    call: &Call,
    at: Timestamp,
    callback: CallbackId,
    (visit, queue): (VisitId, QueueId),
    cause: OverflowCause,
) -> Decision {
    let party = call.party.clone().ok_or(Error::NoNumber)?;
    if call.is_placed {
        return Err(Error::NoNumber);
    }
    let mut events = vec![Event::CallbackRequested {
        callback,
        visit,
        queue,
        cause,
        party,
    }];
    let reason = EndReason::CallbackRequested;
    let wire = WireCause::default();
    events.extend(ended(call, at, By::System, reason, wire));
    Ok(events)
}

fn no_loop(call: &Call, queue: QueueId) -> Result<(), Error> {
    if call.queues.contains(&queue) {
        return Err(Error::OverflowLoop);
    }
    Ok(())
}

/// A trunk follows another one: told twice, it is the same attempt.
pub(super) fn trunk_selected(
    call: &Call,
    leg: LegId,
    (trunk, party): (TrunkId, Sealed<Party>),
    (after, after_at): (Option<WireCause>, Option<Timestamp>),
) -> Vec<Event> {
    match dialled(call, leg) {
        Some(outside) if outside.trunk != Some(trunk) => vec![Event::TrunkSelected {
            leg,
            trunk,
            party,
            after,
            after_at,
        }],
        Some(_) | None => vec![],
    }
}

/// Networks repeat 180, and 183 comes before, after or instead of it.
pub(super) fn progressed(call: &Call, leg: LegId, early_media: bool) -> Vec<Event> {
    match dialled(call, leg) {
        Some(outside) if !outside.alerting || (early_media && !outside.early_media) => {
            vec![Event::LegProgressed { leg, early_media }]
        }
        Some(_) | None => vec![],
    }
}

/// The caller is answered with the other side; of a call that we placed nobody is.
pub(super) fn answered(call: &Call, leg: LegId, codec: Option<String>) -> Vec<Event> {
    if dialled(call, leg).is_none() {
        return vec![];
    }
    let answered = Event::LegAnswered { leg, codec };
    match call.answered_at {
        None if !call.is_placed => vec![answered, Event::Answered {}],
        None | Some(_) => vec![answered],
    }
}

/// No trunk is left, or the other side does not want the call.
pub(super) fn failed(
    call: &Call,
    at: Timestamp,
    leg: LegId,
    outcome: OfferOutcome,
    wire: WireCause,
) -> Vec<Event> {
    let Some(outside) = dialled(call, leg) else {
        return vec![];
    };
    let (by, reason) = match outcome {
        OfferOutcome::Busy => (By::Outside, EndReason::OutsideBusy),
        OfferOutcome::NoAnswer => (By::Outside, EndReason::OutsideNoAnswer),
        OfferOutcome::Rejected => (By::Outside, EndReason::OutsideRejected),
        // No trunk was even tried: our own lack.
        OfferOutcome::Unreachable if outside.trunk.is_none() => (By::System, EndReason::NoTrunk),
        OfferOutcome::Unreachable
        | OfferOutcome::Withdrawn
        | OfferOutcome::AnsweredElsewhere
        | OfferOutcome::CallerGone => (By::Outside, EndReason::OutsideUnreachable),
    };
    ended(call, at, by, reason, wire)
}

/// Nobody has answered in time.
pub(super) fn time_out(call: &Call, at: Timestamp, leg: LegId) -> Decision {
    match dialled(call, leg) {
        Some(_) => {
            let reason = EndReason::OutsideNoAnswer;
            let wire = WireCause::default();
            Ok(ended(call, at, By::System, reason, wire))
        }
        None => {
            announcement::time_out(call, at, leg).or_else(|_| voicemail::time_out(call, at, leg))
        }
    }
}

/// The leg, if it is being dialled.
fn dialled(call: &Call, leg: LegId) -> Option<&Outside> {
    let outside = call.outside()?;
    (outside.leg == leg && outside.answered_at.is_none()).then_some(outside)
}
