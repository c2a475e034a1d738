//! The agent logs out.

use super::*;
use crate::session::Error;

#[test]
fn an_idle_agent_logs_out_at_once() {
    for history in [ready(), on_break()] {
        let session = story(history).when(LOG_OUT).then([LOGGED_OUT]);
        assert_eq!(session.state().routability, Routability::LoggedOut);
    }
}

#[test]
fn an_agent_who_logs_out_during_wrap_up_ends_it() {
    story(wrapping_up()).when(LOG_OUT).then([
        Event::WrapUpEnded {
            call: CALL,
            by: WrapUpEndedBy::Agent,
            code: None,
            note: None,
            still: None,
        },
        LOGGED_OUT,
    ]);
}

#[test]
fn a_logout_during_a_contact_waits_for_its_end() {
    story(on_contact_without_wrap_up())
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
fn a_logout_during_a_contact_waits_for_the_wrap_up_too() {
    story(on_contact())
        .when(LOG_OUT)
        .then([requested(NextState::LoggedOut(LogoutReason::Agent))])
        .when(END_CONTACT)
        .then([
            Event::ContactEnded {
                call: CALL,
                still: None,
            },
            Event::WrapUpStarted {
                call: CALL,
                until: second(80),
                code_required: false,
                still: None,
            },
        ])
        .when(END_WRAP_UP)
        .then([
            Event::WrapUpEnded {
                call: CALL,
                by: WrapUpEndedBy::Timer,
                code: None,
                note: None,
                still: None,
            },
            LOGGED_OUT,
        ]);
}

#[test]
fn a_logout_while_the_phone_rings_waits_for_the_outcome() {
    story(reserved())
        .when(LOG_OUT)
        .then([requested(NextState::LoggedOut(LogoutReason::Agent))])
        .when(release(ReleaseReason::CallerGone))
        .then([released(ReleaseReason::CallerGone), LOGGED_OUT]);
}

#[test]
fn a_lost_phone_logs_out_with_its_own_reason() {
    story(ready())
        .when(Command::LogOut {
            reason: LogoutReason::DeviceLost,
        })
        .then([Event::LoggedOut {
            reason: LogoutReason::DeviceLost,
        }]);
}

#[test]
fn a_logout_asked_for_twice_is_asked_for_once() {
    story(on_contact())
        .when(LOG_OUT)
        .then([requested(NextState::LoggedOut(LogoutReason::Agent))])
        .when(LOG_OUT)
        .nothing();
}

#[test]
fn nobody_logs_out_twice_or_without_a_login() {
    story(gone()).when(LOG_OUT).refused(Error::SessionEnded);
    story([]).when(LOG_OUT).refused(Error::NotLoggedIn);
}
