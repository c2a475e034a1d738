//! What a caller is told whom no queue serves: played once to the caller, who is
//! answered for it, and then the call ends. What it sounds like is the adapter's.

use super::{
    decide::Decision,
    end::ended,
    error::Error,
    event::Event,
    state::{Call, Phase},
};
use crate::{
    cause::{By, EndReason, WireCause},
    id::LegId,
    time::Timestamp,
};

/// How long an announcement may last: whoever records one is held to it.
pub const ANNOUNCEMENT_MS_MAX: u64 = 120_000;
/// So long after the longest one a call ends of which nobody has told that it is over:
/// its phone may have put us on hold, which stops the sound.
const GRACE_MS: u64 = 30_000;

/// The caller is answered and told. Nobody listens in a call that we placed.
pub(super) fn start(call: &Call, at: Timestamp, announcement: String) -> Decision {
    let Some(leg) = call.caller_leg.filter(|_| !call.is_placed) else {
        return Err(Error::NoCaller);
    };
    let answered = call.answered_at.is_none().then_some(Event::Answered {});
    let started = Event::AnnouncementStarted {
        leg,
        announcement,
        until: at.plus_ms(ANNOUNCEMENT_MS_MAX + GRACE_MS),
    };
    Ok(answered.into_iter().chain([started]).collect())
}

/// It was heard to its end.
pub(super) fn over(call: &Call, at: Timestamp, leg: LegId) -> Vec<Event> {
    match is_heard_on(call, leg) {
        true => the_end(call, at),
        false => vec![],
    }
}

/// Nobody has told that it is over.
pub(super) fn time_out(call: &Call, at: Timestamp, leg: LegId) -> Decision {
    match is_heard_on(call, leg) {
        true => Ok(the_end(call, at)),
        false => Err(Error::StaleLeg),
    }
}

fn the_end(call: &Call, at: Timestamp) -> Vec<Event> {
    let reason = EndReason::Announced;
    ended(call, at, By::System, reason, WireCause::default())
}

fn is_heard_on(call: &Call, leg: LegId) -> bool {
    let is_heard = match &call.phase {
        Phase::Announcing => true,
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::InMailbox
        | Phase::Ended(_) => false,
    };
    is_heard && call.caller_leg == Some(leg)
}
