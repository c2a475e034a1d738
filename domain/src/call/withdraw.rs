//! A person takes a call that waits out of its queue: it ends as by any other order.

use super::{
    command::Withdraw,
    decide::Decision,
    end::ended,
    error::Error,
    event::Event,
    state::{Call, Phase},
};
use crate::{
    cause::{By, EndReason, WireCause},
    id::{QueueId, VisitId},
    time::Timestamp,
};

pub(super) fn withdraw(call: &Call, at: Timestamp, withdraw: Withdraw) -> Decision {
    match &call.phase {
        Phase::Unborn => Err(Error::Unknown),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
        Phase::Connected(_) | Phase::Forwarded(_) | Phase::Announcing | Phase::InMailbox => {
            Err(Error::AlreadyConnected)
        }
        Phase::Waiting | Phase::Offering(_) => match call.visit {
            Some(stay) => take_out(call, at, stay, withdraw),
            None => Err(Error::StaleVisit),
        },
    }
}

/// The end that `hangUp` makes, with who and why before it.
fn take_out(
    call: &Call,
    at: Timestamp,
    (stay, queue): (VisitId, QueueId),
    Withdraw { visit, by, why }: Withdraw,
) -> Decision {
    if !crate::name::is_valid(&why) {
        return Err(Error::InvalidReason);
    }
    if visit != stay {
        // It has been sent on, by whatever hand: who waits elsewhere was not meant.
        return Err(Error::StaleVisit);
    }
    if call.is_placed {
        // Its queue would only place the next one: the promise is what is to be cancelled.
        return Err(Error::Placed);
    }
    let withdrawn = Event::Withdrawn {
        visit,
        queue,
        by,
        why,
    };
    let reason = EndReason::Operator;
    let end = ended(call, at, By::Supervisor, reason, WireCause::default());
    Ok([withdrawn].into_iter().chain(end).collect())
}
