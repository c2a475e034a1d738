//! A call that is sent on stands in one line at a time.

use super::{
    enqueue::{
        ELSEWHERE, created, ended_in, enqueued, logged_in, logged_out, opened, opened_in, serves,
        unstaffed,
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

/// The other queue.
fn elsewhere() -> AnyEvent {
    let AnyEvent::Queue(_, elsewhere) = created(AnswerMode::OnAgent, 0) else {
        unreachable!("a queue is created");
    };
    AnyEvent::Queue(ELSEWHERE, elsewhere)
}

/// The call is sent on into it.
fn on_its_way(cause: OverflowCause) -> (AnyEvent, AnyEvent) {
    let overflowed = call::Event::Overflowed {
        mailbox: None,
        visit: VISIT,
        queue: QUEUE,
        cause,
        by: None,
        why: None,
    };
    let next = call::Event::Enqueued {
        visit: NEXT,
        queue: ELSEWHERE,
        config_version: 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
        music: None,
    };
    (AnyEvent::Call(CALL, overflowed), AnyEvent::Call(CALL, next))
}

fn sent_on_beside(before: impl IntoIterator<Item = AnyEvent>) -> Heard<Enqueue> {
    let (overflowed, next) = on_its_way(OverflowCause::Attempts);
    process::<Enqueue>()
        .hears([created(AnswerMode::OnAgent, 0), elsewhere()])
        .hears(before)
        .hears_at(second(20), enqueued())
        .hears_at(second(20), opened(AnswerMode::OnAgent, 0))
        .hears_at(second(40), overflowed)
        .hears_at(second(40), next)
}

fn let_go() -> AnyEvent {
    let closed = line::Event::Closed {
        visit: VISIT,
        call: CALL,
        result: VisitResult::Overflow,
        closed_at: second(40),
        wait_ms: 30_000,
        measure: None,
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
                visit,
                enqueued_at,
                joined_at,
                priority: None,
                previous,
                ..
            },
        ),
    ] = waiting.asked[..]
    else {
        panic!("{:?}", waiting.asked);
    };
    assert_eq!((visit, previous), (NEXT, Some(VISIT)));
    let since = (enqueued_at, joined_at);
    assert_eq!(since, (second(20), Some(second(40))), "it keeps its place");
}

#[test]
fn a_priority_of_its_own_goes_along_even_if_it_is_given_while_the_call_leaves() {
    let preferred = line::Event::PriorityChanged {
        visit: VISIT,
        call: CALL,
        priority: 7,
    };
    let waiting = sent_on()
        .hears_at(second(41), AnyEvent::Line(QUEUE, preferred))
        .hears_at(second(42), let_go());
    assert!(
        matches!(
            waiting.asked[..],
            [AnyCommand::Line(
                ELSEWHERE,
                line::Command::OpenVisit {
                    priority: Some(7),
                    ..
                }
            )]
        ),
        "{:?}",
        waiting.asked
    );
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
    let [login, ready] = logged_in();
    let staffed = [
        AnyEvent::Queue(QUEUE, config),
        serves(&[QUEUE]),
        login,
        ready,
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

/// The call leaves its second queue by a key, before that has let it in.
fn left_the_next_queue() -> AnyEvent {
    let left = call::Event::Overflowed {
        mailbox: None,
        visit: NEXT,
        queue: ELSEWHERE,
        cause: OverflowCause::ExitKey,
        by: None,
        why: None,
    };
    AnyEvent::Call(CALL, left)
}

#[test]
fn a_stay_that_is_over_before_the_old_line_has_let_go_is_opened_only_to_be_closed() {
    let gone = sent_on().hears_at(second(41), left_the_next_queue());
    assert_eq!(gone.asked, [], "it stands in the old line still");
    let gone = gone.hears_at(second(42), let_go());
    assert!(
        matches!(
            gone.asked[..],
            [AnyCommand::Line(
                ELSEWHERE,
                line::Command::OpenVisit { visit: NEXT, .. }
            )]
        ),
        "it was offered to that queue: {:?}",
        gone.asked
    );
    let gone = gone.hears_at(
        second(43),
        opened_in((NEXT, ELSEWHERE), AnswerMode::OnAgent, 0),
    );
    let close = line::Command::CloseVisit {
        visit: NEXT,
        result: VisitResult::ExitKey,
        closed_at: second(41),
    };
    assert_eq!(gone.asked, [AnyCommand::Line(ELSEWHERE, close)]);
}

/// A call that was sent on before its first line had answered.
fn sent_on_unopened() -> Heard<Enqueue> {
    let AnyEvent::Queue(_, elsewhere) = created(AnswerMode::OnAgent, 0) else {
        unreachable!("a queue is created");
    };
    let left = call::Event::Overflowed {
        mailbox: None,
        visit: VISIT,
        queue: QUEUE,
        cause: OverflowCause::ExitKey,
        by: None,
        why: None,
    };
    let next = call::Event::Enqueued {
        visit: NEXT,
        queue: ELSEWHERE,
        config_version: 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
        music: None,
    };
    let left = process::<Enqueue>()
        .hears([created(AnswerMode::OnAgent, 0)])
        .hears([AnyEvent::Queue(ELSEWHERE, elsewhere), enqueued()])
        .hears_at(second(40), AnyEvent::Call(CALL, left));
    assert!(is_close_of(VISIT, &left.asked), "{:?}", left.asked);
    let waits = left.hears_at(second(40), AnyEvent::Call(CALL, next));
    assert_eq!(waits.asked, [], "its first line has not answered");
    waits
}

fn is_close_of(stay: VisitId, asked: &[AnyCommand]) -> bool {
    matches!(
        asked,
        [AnyCommand::Line(_, line::Command::CloseVisit { visit, .. })] if *visit == stay
    )
}

fn is_opening_of(stay: VisitId, asked: &[AnyCommand]) -> bool {
    matches!(
        asked,
        [AnyCommand::Line(_, line::Command::OpenVisit { visit, .. })] if *visit == stay
    )
}

#[test]
fn a_call_that_leaves_before_it_was_let_in_is_in_one_line_at_a_time() {
    // Should the end have overtaken the beginning, it is asked for again.
    let heard = sent_on_unopened().hears([opened(AnswerMode::OnAgent, 0)]);
    assert!(is_close_of(VISIT, &heard.asked), "{:?}", heard.asked);
    let heard = heard.hears_at(second(42), let_go());
    assert!(is_opening_of(NEXT, &heard.asked), "{:?}", heard.asked);
    // The next one is a stay of its own: it ends when the call does.
    let place = (NEXT, ELSEWHERE);
    let ended = ended_in(place, EndReason::Hangup, By::Caller, Disposition::Abandoned);
    let heard = heard.hears_at(second(43), ended);
    assert!(is_close_of(NEXT, &heard.asked), "{:?}", heard.asked);
    let heard = heard.hears_at(second(44), opened_in(place, AnswerMode::OnAgent, 0));
    assert!(is_close_of(NEXT, &heard.asked), "{:?}", heard.asked);
}

#[test]
fn a_call_that_its_old_line_did_not_let_in_goes_on_to_the_next() {
    let rejected = line::Event::Rejected {
        visit: VISIT,
        call: CALL,
        reason: line::RejectReason::Full,
    };
    let heard = sent_on_unopened().hears([AnyEvent::Line(QUEUE, rejected)]);
    assert!(is_opening_of(NEXT, &heard.asked), "{:?}", heard.asked);
}

#[test]
fn a_line_is_asked_because_of_the_event_that_enqueued_the_call() {
    let waiting = sent_on();
    let because = Uuid::from_u128(u128::from(waiting.count));
    let heard = waiting.hears_at(second(41), let_go());
    assert!(is_opening_of(NEXT, &heard.asked), "{:?}", heard.asked);
    assert_eq!(heard.causes, [because]);
}

/// A run that reads the record anew does not hear what was refused: a call that could not be
/// sent on at once, and was let in, leaves its line like any other.
#[test]
fn a_stay_that_was_opened_after_all_is_closed_whatever_was_refused_before_it() {
    let left = call::Event::Overflowed {
        mailbox: None,
        visit: VISIT,
        queue: QUEUE,
        cause: OverflowCause::MaxWait,
        by: None,
        why: None,
    };
    let heard = process::<Enqueue>()
        .hears([unstaffed(queue::OverflowTo::Callback), enqueued()])
        .hears([opened(AnswerMode::OnAgent, 0), AnyEvent::Call(CALL, left)]);
    assert!(is_close_of(VISIT, &heard.asked), "{:?}", heard.asked);
}

/// The same of one that its line had no room for: it waits in the next one, which is told
/// when it is over.
#[test]
fn a_stay_that_was_rejected_after_all_stands_in_the_way_of_no_other() {
    let rejected = line::Event::Rejected {
        visit: VISIT,
        call: CALL,
        reason: line::RejectReason::Full,
    };
    let (full, next) = on_its_way(OverflowCause::Full);
    let heard = process::<Enqueue>()
        .hears([
            unstaffed(queue::OverflowTo::Callback),
            elsewhere(),
            enqueued(),
        ])
        .hears([AnyEvent::Line(QUEUE, rejected), full, next]);
    assert!(is_opening_of(NEXT, &heard.asked), "{:?}", heard.asked);
    let there = (NEXT, ELSEWHERE);
    let (reason, by) = (EndReason::Hangup, By::Caller);
    let heard = heard.hears([
        opened_in(there, AnswerMode::OnAgent, 0),
        ended_in(there, reason, by, Disposition::Abandoned),
    ]);
    assert!(is_close_of(NEXT, &heard.asked), "{:?}", heard.asked);
}

/// Who waits in a queue that is taken away goes where that queue had said.
#[test]
fn the_rules_of_a_queue_that_is_taken_away_hold_for_who_waits_in_it() {
    let deleted = queue::Event::Deleted {
        by: "carla".into(),
        why: "unused".into(),
    };
    let heard = process::<Enqueue>()
        .hears([unstaffed(queue::OverflowTo::Callback), serves(&[QUEUE])])
        .hears(logged_in())
        .hears([enqueued(), opened(AnswerMode::OnAgent, 0)])
        .hears([AnyEvent::Queue(QUEUE, deleted), logged_out()]);
    let [AnyCommand::Call(CALL, call::Command::OverflowCall { visit, .. })] = heard.asked[..]
    else {
        panic!("{:?}", heard.asked);
    };
    assert_eq!(visit, VISIT);
}
