//! The agent takes no calls.

use super::*;
use crate::session::Error;

#[test]
fn an_idle_agent_goes_on_a_break_at_once() {
    story(ready())
        .when(go_not_ready(NotReadyReason::Break))
        .then([not_ready(NotReadyReason::Break)]);
}

#[test]
fn a_changed_reason_is_a_new_interval() {
    story(on_break())
        .when(go_not_ready(NotReadyReason::Meal))
        .then([not_ready(NotReadyReason::Meal)]);
}

#[test]
fn the_same_reason_again_changes_nothing() {
    story(on_break())
        .when(go_not_ready(NotReadyReason::Break))
        .nothing();
}

#[test]
fn a_break_asked_for_while_the_phone_rings_comes_after_the_offer() {
    story(reserved())
        .when(go_not_ready(NotReadyReason::Break))
        .then([requested(NextState::NotReady(NotReadyReason::Break))])
        .when(release(ReleaseReason::NoAnswer))
        .then([
            released(ReleaseReason::NoAnswer),
            not_ready(NotReadyReason::Break),
        ]);
}

#[test]
fn a_break_asked_for_while_the_phone_rings_outlives_the_conversation() {
    story(reserved_without_wrap_up())
        .when(go_not_ready(NotReadyReason::Break))
        .then([requested(NextState::NotReady(NotReadyReason::Break))])
        .when(CONFIRM_CONNECT)
        .then([connected_event()])
        .when(END_CONTACT)
        .then([
            Event::ContactEnded { call: CALL },
            not_ready(NotReadyReason::Break),
        ]);
}

#[test]
fn a_break_asked_for_during_a_contact_or_wrap_up_comes_afterwards() {
    story(on_contact_without_wrap_up())
        .when(go_not_ready(NotReadyReason::Meal))
        .then([requested(NextState::NotReady(NotReadyReason::Meal))])
        .when(END_CONTACT)
        .then([
            Event::ContactEnded { call: CALL },
            not_ready(NotReadyReason::Meal),
        ]);
    story(wrapping_up())
        .when(go_not_ready(NotReadyReason::Meal))
        .then([requested(NextState::NotReady(NotReadyReason::Meal))])
        .when(END_WRAP_UP)
        .then([
            Event::WrapUpEnded {
                call: CALL,
                by: WrapUpEndedBy::Timer,
                code: None,
            },
            not_ready(NotReadyReason::Meal),
        ]);
}

#[test]
fn the_last_wish_counts() {
    story(on_contact_without_wrap_up())
        .when(go_not_ready(NotReadyReason::Meal))
        .then([requested(NextState::NotReady(NotReadyReason::Meal))])
        .when(go_not_ready(NotReadyReason::Meal))
        .nothing()
        .when(LOG_OUT)
        .then([requested(NextState::LoggedOut(LogoutReason::Agent))])
        .when(END_CONTACT)
        .then([Event::ContactEnded { call: CALL }, LOGGED_OUT]);
}

#[test]
fn nobody_is_not_ready_without_a_login() {
    story([])
        .when(go_not_ready(NotReadyReason::Break))
        .refused(Error::NotLoggedIn);
    story(gone())
        .when(go_not_ready(NotReadyReason::Break))
        .refused(Error::SessionEnded);
}
