//! The agent logs in.

use super::*;
use crate::session::Error;

#[test]
fn an_agent_logs_in_not_ready() {
    story([])
        .when(Command::LogIn {
            session: SESSION,
            ready: false,
        })
        .then([logged_in(), not_ready(NotReadyReason::Login)]);
}

#[test]
fn an_agent_logs_in_and_takes_calls_at_once() {
    let session = story([])
        .when(Command::LogIn {
            session: SESSION,
            ready: true,
        })
        .then(ready());
    assert_eq!(session.state().id, Some(SESSION));
    assert_eq!(session.state().routability, Routability::Ready);
}

#[test]
fn one_session_has_one_login() {
    for history in [ready(), on_break(), reserved(), on_contact(), wrapping_up()] {
        story(history)
            .when(Command::LogIn {
                session: SESSION,
                ready: true,
            })
            .refused(Error::AlreadyLoggedIn);
    }
}

#[test]
fn a_session_that_is_over_does_not_start_again() {
    story(gone())
        .when(Command::LogIn {
            session: SESSION,
            ready: true,
        })
        .refused(Error::SessionEnded);
}
