//! The agent is taken for one offer.

use super::*;
use crate::{
    session::Error,
    testing::{OTHER_CALL, OTHER_OFFER, OTHER_VISIT},
};

fn reserve_for_another() -> Command {
    Command::Reserve {
        offer: OTHER_OFFER,
        call: OTHER_CALL,
        visit: OTHER_VISIT,
        queue: QUEUE,
        until: RESERVED_UNTIL,
        wrap_up_ms: WRAP_UP_MS,
        choice: None,
        terms: crate::queue::Terms::STANDARD,
        capacity: 1,
    }
}

#[test]
fn a_ready_agent_is_reserved() {
    let session = story(ready())
        .when(reserve())
        .then([reserved_event(WRAP_UP_MS)]);
    assert_eq!(
        session.state().activity(),
        Activity::Reserved {
            offer: OFFER,
            call: CALL,
            queue: QUEUE,
            until: RESERVED_UNTIL,
            wrap_up_ms: WRAP_UP_MS,
            terms: crate::queue::Terms::STANDARD,
        }
    );
}

#[test]
fn one_agent_never_gets_two_calls() {
    for history in [reserved(), on_contact(), wrapping_up()] {
        story(history)
            .when(reserve_for_another())
            .refused(Error::Engaged);
    }
}

#[test]
fn an_agent_who_is_not_ready_is_not_reserved() {
    story(on_break()).when(reserve()).refused(Error::NotReady);
}

#[test]
fn an_agent_who_is_not_logged_in_is_not_reserved() {
    story([]).when(reserve()).refused(Error::NotLoggedIn);
    story(gone()).when(reserve()).refused(Error::SessionEnded);
}

#[test]
fn an_agent_who_was_released_is_reserved_again() {
    story(reserved())
        .when(release(ReleaseReason::CallerGone))
        .then([released(ReleaseReason::CallerGone)])
        .when(reserve_for_another())
        .then([Event::Reserved {
            offer: OTHER_OFFER,
            call: OTHER_CALL,
            visit: OTHER_VISIT,
            queue: QUEUE,
            until: RESERVED_UNTIL,
            wrap_up_ms: WRAP_UP_MS,
            choice: None,
            terms: crate::queue::Terms::STANDARD,
            capacity: 1,
            still: None,
        }]);
}
