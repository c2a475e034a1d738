//! A queue in which nobody is there.

use super::{
    enqueue::{
        ELSEWHERE, created, enqueued, logged_in, logged_out, opened, overflow_of, serves,
        to_number, unstaffed,
    },
    *,
};
use crate::{
    call::{AnswerMode, OverflowCause},
    line,
    process::enqueue::Enqueue,
    queue,
    testing::{QUEUE, VISIT},
};

#[test]
fn a_call_for_which_nobody_is_there_is_sent_on_before_it_waits() {
    let nobody = process::<Enqueue>().hears([unstaffed(to_number()), enqueued()]);
    let (visit, cause, _) = overflow_of(&nobody.asked);
    assert_eq!((visit, cause), (VISIT, OverflowCause::Unstaffed));
    // An agent of another queue, or one who has gone home, is not there.
    let [login, ready] = logged_in();
    let wrong = vec![serves(&[ELSEWHERE]), login.clone(), ready.clone()];
    let gone = vec![serves(&[QUEUE]), login, ready, logged_out()];
    for staff in [wrong, gone] {
        let heard = process::<Enqueue>()
            .hears([unstaffed(to_number())])
            .hears(staff)
            .hears([enqueued()]);
        overflow_of(&heard.asked);
    }
    let somebody = process::<Enqueue>()
        .hears([unstaffed(to_number()), serves(&[QUEUE])])
        .hears(logged_in())
        .hears([enqueued()]);
    assert!(matches!(
        somebody.asked[..],
        [AnyCommand::Line(QUEUE, line::Command::OpenVisit { .. })]
    ));
}

#[test]
fn who_waits_is_sent_on_when_the_last_agent_goes() {
    let process = process::<Enqueue>()
        .hears([unstaffed(to_number()), serves(&[QUEUE])])
        .hears(logged_in())
        .hears([enqueued(), opened(AnswerMode::OnAgent, 0), logged_out()]);
    let (visit, cause, _) = overflow_of(&process.asked);
    assert_eq!((visit, cause), (VISIT, OverflowCause::Unstaffed));
}

#[test]
fn a_call_that_can_go_nowhere_else_waits_for_somebody_to_come() {
    let looping =
        process::<Enqueue>().hears([unstaffed(queue::OverflowTo::Queue(QUEUE)), enqueued()]);
    let refused = looping.asked[0].clone();
    let looping = looping.gets_refused(&refused, "call.overflow_loop", 3);
    assert!(matches!(
        looping.asked[..],
        [AnyCommand::Line(
            QUEUE,
            line::Command::OpenVisit { visit: VISIT, .. }
        )]
    ));
    // Without such a rule it waits from the start.
    let plain = process::<Enqueue>().hears([created(AnswerMode::OnAgent, 0), enqueued()]);
    assert!(matches!(
        plain.asked[..],
        [AnyCommand::Line(QUEUE, line::Command::OpenVisit { .. })]
    ));
}
