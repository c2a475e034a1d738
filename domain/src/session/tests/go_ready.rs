//! The agent takes calls.

use super::*;
use crate::session::Error;

#[test]
fn an_agent_comes_back_from_a_break() {
    story(on_break())
        .when(Command::GoReady)
        .then([Event::BecameReady {}]);
}

#[test]
fn a_ready_agent_is_ready() {
    story(ready()).when(Command::GoReady).nothing();
}

#[test]
fn going_ready_ends_the_wrap_up() {
    let session = story(wrapping_up()).when(Command::GoReady).then([
        Event::WrapUpEnded {
            call: CALL,
            by: WrapUpEndedBy::Agent,
            code: None,
            note: None,
            still: None,
        },
        Event::BecameReady {},
    ]);
    assert_eq!(session.state().activity(), Activity::Idle);
}

#[test]
fn going_ready_during_wrap_up_drops_what_was_asked_for_before() {
    let session = story(with(
        wrapping_up(),
        [requested(NextState::NotReady(NotReadyReason::Meal))],
    ))
    .when(Command::GoReady)
    .then([
        Event::WrapUpEnded {
            call: CALL,
            by: WrapUpEndedBy::Agent,
            code: None,
            note: None,
            still: None,
        },
        Event::BecameReady {},
    ]);
    assert_eq!(session.state().next, None);
}

#[test]
fn an_engaged_agent_comes_back_to_ready_anyway() {
    for history in [reserved(), on_contact()] {
        story(history).when(Command::GoReady).nothing();
    }
}

#[test]
fn an_engaged_agent_takes_back_a_break() {
    story(on_contact_without_wrap_up())
        .when(go_not_ready(NotReadyReason::Break))
        .then([requested(NextState::NotReady(NotReadyReason::Break))])
        .when(Command::GoReady)
        .then([requested(NextState::Ready)])
        .when(END_CONTACT)
        .then([
            Event::ContactEnded {
                call: CALL,
                still: None,
            },
            Event::BecameReady {},
        ]);
}

#[test]
fn what_was_asked_for_during_an_offer_does_not_outlive_it() {
    let session = story(reserved())
        .when(go_not_ready(NotReadyReason::Break))
        .then([requested(NextState::NotReady(NotReadyReason::Break))])
        .when(Command::GoReady)
        .then([requested(NextState::Ready)])
        .when(release(ReleaseReason::CallerGone))
        .then([released(ReleaseReason::CallerGone)]);
    assert_eq!(session.state().next, None);
}

#[test]
fn nobody_is_ready_without_a_login() {
    story([]).when(Command::GoReady).refused(Error::NotLoggedIn);
    story(gone())
        .when(Command::GoReady)
        .refused(Error::SessionEnded);
}
