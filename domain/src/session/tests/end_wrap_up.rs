//! The time of the wrap-up is over.

use super::*;
use crate::{
    id::{CallId, SubjectId},
    sealed::Sealed,
    session::{CallNote, Error},
    testing::OTHER_CALL,
};

#[test]
fn after_wrap_up_the_agent_is_ready() {
    let session = story(wrapping_up()).when(END_WRAP_UP).then([
        Event::WrapUpEnded {
            call: CALL,
            by: WrapUpEndedBy::Timer,
            code: None,
            note: None,
            still: None,
        },
        Event::BecameReady {},
    ]);
    assert_eq!(session.state().activity(), Activity::Idle);
}

#[test]
fn the_timer_of_an_older_wrap_up_does_not_end_this_one() {
    story(wrapping_up())
        .when(Command::EndWrapUp {
            call: OTHER_CALL,
            until: second(80),
        })
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
                code: None,
                note: None,
                still: None,
            },
            Event::BecameReady {},
        ])
        .when(END_WRAP_UP)
        .nothing();
}

fn complete(code: Option<&str>) -> Command {
    Command::CompleteWrapUp {
        code: code.map(Into::into),
        note: None,
        call: None,
    }
}

#[test]
fn a_wrap_up_is_extended_and_ends_at_the_new_time() {
    let extended = Event::WrapUpExtended {
        call: CALL,
        until: second(110),
    };
    story(wrapping_up())
        .when(Command::ExtendWrapUp {
            by_ms: 30_000,
            call: None,
        })
        .then([extended])
        // The first timer, which was under way.
        .when(END_WRAP_UP)
        .nothing()
        .when(Command::EndWrapUp {
            call: CALL,
            until: second(110),
        })
        .then([
            Event::WrapUpEnded {
                call: CALL,
                by: WrapUpEndedBy::Timer,
                code: None,
                note: None,
                still: None,
            },
            Event::BecameReady {},
        ]);
    for by_ms in [0, 3_600_001] {
        story(wrapping_up())
            .when(Command::ExtendWrapUp { by_ms, call: None })
            .refused(Error::InvalidExtension);
    }
    for history in [ready(), on_contact()] {
        story(history)
            .when(Command::ExtendWrapUp {
                by_ms: 1,
                call: None,
            })
            .refused(Error::NoWrapUp);
    }
}

#[test]
fn an_agent_says_what_came_of_the_call() {
    story(wrapping_up())
        .when(complete(Some("sold")))
        .then([
            Event::WrapUpEnded {
                call: CALL,
                by: WrapUpEndedBy::Agent,
                code: Some("sold".into()),
                note: None,
                still: None,
            },
            Event::BecameReady {},
        ])
        .when(complete(None))
        .refused(Error::NoWrapUp);
}

#[test]
fn a_wrap_up_that_wants_a_code_ends_with_nothing_else() {
    story(wrapping_up_with_code())
        .when(END_WRAP_UP)
        .nothing()
        .when(Command::GoReady)
        .refused(Error::CodeRequired)
        .when(LOG_OUT)
        .refused(Error::CodeRequired)
        .when(complete(None))
        .refused(Error::CodeRequired)
        .when(complete(Some("sold")))
        .then([
            Event::WrapUpEnded {
                call: CALL,
                by: WrapUpEndedBy::Agent,
                code: Some("sold".into()),
                note: None,
                still: None,
            },
            Event::BecameReady {},
        ]);
}

#[test]
fn a_wrap_up_whose_phone_is_gone_is_ended_by_nobody() {
    let reason = LogoutReason::DeviceLost;
    for history in [wrapping_up(), wrapping_up_with_code()] {
        story(history).when(Command::LogOut { reason }).then([
            Event::WrapUpEnded {
                call: CALL,
                by: WrapUpEndedBy::Device,
                code: None,
                note: None,
                still: None,
            },
            Event::LoggedOut { reason },
        ]);
    }
}

fn noted(call: CallId) -> CallNote {
    CallNote {
        call,
        text: Sealed::new(SubjectId(CALL.0), "c2VhbGVk".into()),
    }
}

#[test]
fn a_note_is_kept_with_the_call_that_it_is_about_and_with_no_other() {
    let with = |call| Command::CompleteWrapUp {
        code: None,
        note: Some(noted(call)),
        call: None,
    };
    story(wrapping_up())
        .when(with(OTHER_CALL))
        .refused(Error::NoWrapUp)
        .when(with(CALL))
        .then([
            Event::WrapUpEnded {
                call: CALL,
                by: WrapUpEndedBy::Agent,
                code: None,
                note: Some(noted(CALL).text),
                still: None,
            },
            Event::BecameReady {},
        ]);
}
