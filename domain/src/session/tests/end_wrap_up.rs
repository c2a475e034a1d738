//! The time of the wrap-up is over.

use super::*;
use crate::testing::OTHER_CALL;

#[test]
fn after_wrap_up_the_agent_is_ready() {
    let session = story(wrapping_up()).when(END_WRAP_UP).then([
        Event::WrapUpEnded {
            call: CALL,
            by: WrapUpEndedBy::Timer,
        },
        Event::BecameReady {},
    ]);
    assert_eq!(session.state().activity, Activity::Idle);
}

#[test]
fn the_timer_of_an_older_wrap_up_does_not_end_this_one() {
    story(wrapping_up())
        .when(Command::EndWrapUp { call: OTHER_CALL })
        .nothing();
}

#[test]
fn a_timer_that_fires_twice_or_too_late_changes_nothing() {
    for history in [
        vec![],
        ready(),
        on_break(),
        reserved(),
        on_contact(),
        gone(),
    ] {
        story(history).when(END_WRAP_UP).nothing();
    }
    story(wrapping_up())
        .when(Command::GoReady)
        .then([
            Event::WrapUpEnded {
                call: CALL,
                by: WrapUpEndedBy::Agent,
            },
            Event::BecameReady {},
        ])
        .when(END_WRAP_UP)
        .nothing();
}
