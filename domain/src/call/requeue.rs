//! A person sends a call that waits into another queue.

use super::{
    command::Requeue,
    decide::{Decision, offer_ended},
    error::Error,
    event::Event,
    state::{Call, Phase},
    way::OverflowCause,
};
use crate::{
    cause::{OfferOutcome, WireCause},
    id::{QueueId, VisitId},
};

pub(super) fn requeue(call: &Call, requeue: Requeue) -> Decision {
    match &call.phase {
        Phase::Unborn => Err(Error::Unknown),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
        Phase::Connected(_) | Phase::Forwarded(_) | Phase::Announcing | Phase::InMailbox => {
            Err(Error::AlreadyConnected)
        }
        Phase::Waiting | Phase::Offering(_) => match call.visit {
            Some(stay) => go(call, stay, requeue),
            None => Err(Error::StaleVisit),
        },
    }
}

/// Where the call has been before does not matter: a person does not go round for ever.
fn go(call: &Call, (left, from): (VisitId, QueueId), requeue: Requeue) -> Decision {
    let Requeue {
        queue,
        config_version,
        answer_mode,
        visit,
        exit_keys,
        music,
        expected,
        by,
        why,
    } = requeue;
    if !crate::name::is_valid(&why) {
        return Err(Error::InvalidReason);
    }
    if expected.is_some_and(|expected| expected != left) {
        // Somebody else was faster, or the queue's own rules.
        return Err(Error::StaleVisit);
    }
    if call.is_placed {
        return Err(Error::Placed);
    }
    if queue == from {
        return Err(Error::SameQueue);
    }
    let withdrawn = call.offers().iter();
    let mut events: Vec<Event> = withdrawn
        .map(|offer| offer_ended(offer, OfferOutcome::Withdrawn, WireCause::default()))
        .collect();
    events.push(Event::Overflowed {
        visit: left,
        queue: from,
        cause: OverflowCause::Supervisor,
        mailbox: None,
        by: Some(by),
        why: Some(why),
    });
    events.push(Event::Enqueued {
        visit,
        queue,
        config_version,
        answer_mode,
        exit_keys,
        music,
    });
    Ok(events)
}
