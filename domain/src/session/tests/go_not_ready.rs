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
            Event::ContactEnded {
                call: CALL,
                still: None,
            },
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
            Event::ContactEnded {
                call: CALL,
                still: None,
            },
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
                note: None,
                still: None,
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
        .then([
            Event::ContactEnded {
                call: CALL,
                still: None,
            },
            LOGGED_OUT,
        ]);
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

fn coffee() -> NotReadyCode {
    NotReadyCode {
        code: "coffee".into(),
        is_paid: true,
        is_productive: false,
    }
}

fn for_coffee() -> Command {
    Command::GoNotReady {
        reason: NotReadyReason::Break,
        code: Some(coffee()),
    }
}

fn at_coffee() -> Event {
    Event::BecameNotReady {
        reason: NotReadyReason::Break,
        code: Some(coffee()),
    }
}

#[test]
fn a_word_for_the_reason_is_on_the_record_and_another_word_is_a_new_interval() {
    story(ready())
        .when(for_coffee())
        .then([at_coffee()])
        .when(for_coffee())
        .nothing()
        .when(go_not_ready(NotReadyReason::Break))
        .then([not_ready(NotReadyReason::Break)])
        .when(for_coffee())
        .then([at_coffee()]);
}

#[test]
fn a_word_that_was_said_in_a_contact_comes_with_the_pause_after_it() {
    let asked = Event::NextStateRequested {
        next: NextState::NotReady(NotReadyReason::Break),
        code: Some(coffee()),
    };
    story(on_contact_without_wrap_up())
        .when(for_coffee())
        .then([asked.clone()])
        .when(for_coffee())
        .nothing()
        .when(END_CONTACT)
        .then([
            Event::ContactEnded {
                call: CALL,
                still: None,
            },
            at_coffee(),
        ]);
    story(reserved())
        .when(for_coffee())
        .then([asked])
        .when(release(ReleaseReason::NoAnswer))
        .then([released(ReleaseReason::NoAnswer), at_coffee()]);
}

#[test]
fn a_pause_of_before_there_were_words_is_still_read() {
    let before = r#"{"agent_became_not_ready":{"reason":"break"}}"#;
    let read: Event = serde_json::from_str(before).unwrap();
    assert_eq!(read, not_ready(NotReadyReason::Break));
    assert_eq!(serde_json::to_string(&read).unwrap(), before);
    let now = serde_json::to_string(&at_coffee()).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&now).unwrap(), at_coffee());
}
