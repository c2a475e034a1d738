//! The caller is answered before there is an agent.

use super::*;
use crate::{call::Error, testing::NOW};

#[test]
fn a_waiting_caller_is_answered() {
    let call = story(waiting())
        .when(Command::AnswerCall)
        .then([Event::Answered {}]);
    assert_eq!(call.state().answered_at, Some(NOW));
}

#[test]
fn a_caller_is_answered_while_an_agents_phone_rings() {
    story(ringing())
        .when(Command::AnswerCall)
        .then([Event::Answered {}]);
}

#[test]
fn a_caller_is_answered_once() {
    for history in [waiting_with_music(), connected(), held()] {
        story(history)
            .when(Command::AnswerCall)
            .refused(Error::AlreadyAnswered);
    }
}

#[test]
fn a_call_that_ended_first_is_not_answered() {
    story(over())
        .when(Command::AnswerCall)
        .refused(Error::AlreadyEnded);
}

#[test]
fn a_call_that_never_came_is_not_answered() {
    story([]).when(Command::AnswerCall).refused(Error::Unknown);
}
