//! A call that is sent on stands in one line at a time.

use super::{
    enqueue::{
        ELSEWHERE, created, ended_in, enqueued, logged_in, logged_out, opened, opened_in, serves,
    },
    *,
};
use crate::{
    call::{self, AnswerMode, OverflowCause},
    cause::{By, Disposition, EndReason},
    id::VisitId,
    line::{self, VisitResult},
    process::enqueue::Enqueue,
    queue,
    testing::{CALL, QUEUE, VISIT},
};

const NEXT: VisitId = crate::testing::OTHER_VISIT;

/// A call that was sent on from the line it stands in to another one.
fn sent_on() -> Heard<Enqueue> {
    sent_on_beside([])
}

fn sent_on_beside(before: impl IntoIterator<Item = AnyEvent>) -> Heard<Enqueue> {
    let AnyEvent::Queue(_, elsewhere) = created(AnswerMode::OnAgent, 0) else {
        unreachable!("a queue is created");
    };
    let elsewhere = AnyEvent::Queue(ELSEWHERE, elsewhere);
    let overflowed = call::Event::Overflowed {
        visit: VISIT,
        queue: QUEUE,
        cause: OverflowCause::Attempts,
    };
    let next = call::Event::Enqueued {
        visit: NEXT,
        queue: ELSEWHERE,
        config_version: 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
    };
    process::<Enqueue>()
        .hears([created(AnswerMode::OnAgent, 0), elsewhere])
        .hears(before)
        .hears([enqueued(), opened(AnswerMode::OnAgent, 0)])
        .hears_at(second(40), AnyEvent::Call(CALL, overflowed))
        .hears_at(second(40), AnyEvent::Call(CALL, next))
}

fn let_go() -> AnyEvent {
    let closed = line::Event::Closed {
        visit: VISIT,
        call: CALL,
        result: VisitResult::Overflow,
        closed_at: second(40),
        wait_ms: 30_000,
    };
    AnyEvent::Line(QUEUE, closed)
}

#[test]
fn the_next_line_lets_a_call_in_when_the_last_one_has_let_it_go() {
    let waiting = sent_on();
    assert_eq!(waiting.asked, [], "it stands in the old line still");
    let waiting = waiting.hears_at(second(41), let_go());
    let [
        AnyCommand::Line(
            ELSEWHERE,
            line::Command::OpenVisit {
                visit, enqueued_at, ..
            },
        ),
    ] = waiting.asked[..]
    else {
        panic!("{:?}", waiting.asked);
    };
    assert_eq!((visit, enqueued_at), (NEXT, second(40)));
}

#[test]
fn a_call_that_ends_between_two_lines_is_counted_by_the_next_one() {
    let place = (NEXT, ELSEWHERE);
    let ended = ended_in(place, EndReason::Hangup, By::Caller, Disposition::Abandoned);
    let over = sent_on().hears_at(second(41), ended);
    assert_eq!(over.asked, [], "the next line does not know it");
    let over = over.hears_at(second(42), let_go());
    let [AnyCommand::Line(ELSEWHERE, line::Command::OpenVisit { .. })] = over.asked[..] else {
        panic!("{:?}", over.asked);
    };
    let opened = opened_in(place, AnswerMode::OnAgent, 0);
    let over = over.hears_at(second(43), opened);
    assert!(matches!(
        over.asked[..],
        [AnyCommand::Line(
            ELSEWHERE,
            line::Command::CloseVisit {
                visit: NEXT,
                result: VisitResult::Abandoned,
                ..
            }
        )]
    ));
}

#[test]
fn a_call_that_was_sent_on_is_not_ended_because_its_old_queue_is_deserted() {
    let AnyEvent::Queue(_, queue::Event::Created { config, .. }) = created(AnswerMode::OnAgent, 0)
    else {
        unreachable!("a queue is created");
    };
    let mut nobody_waits = config;
    nobody_waits.empty.leave = Some(vec![]);
    let config = queue::Event::Configured {
        config_version: 2,
        config: nobody_waits,
    };
    let staffed = [
        AnyEvent::Queue(QUEUE, config),
        serves(&[QUEUE]),
        logged_in(),
    ];
    // Before it is sent on it would be ended.
    let waits = process::<Enqueue>()
        .hears([created(AnswerMode::OnAgent, 0)])
        .hears(staffed.clone())
        .hears([enqueued(), opened(AnswerMode::OnAgent, 0), logged_out()]);
    assert!(matches!(
        waits.asked[..],
        [AnyCommand::Call(CALL, call::Command::EndCall { .. })]
    ));
    let gone = sent_on_beside(staffed).hears([logged_out()]);
    assert_eq!(gone.asked, []);
}
