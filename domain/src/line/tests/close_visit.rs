//! A stay in the queue is over.

use super::*;

#[test]
fn a_visit_closes_with_its_result_and_its_wait() {
    for history in [waiting(), matched()] {
        for result in [
            VisitResult::Answered,
            VisitResult::Abandoned,
            VisitResult::Timeout,
            VisitResult::Withdrawn,
            VisitResult::System,
        ] {
            let line = story(history.clone())
                .when(close(result, second(12)))
                .then([closed(result, second(12), 12_000)]);
            assert!(line.state().visits.is_empty());
        }
    }
}

#[test]
fn a_visit_closes_exactly_once() {
    story(matched())
        .when(close(VisitResult::Answered, second(12)))
        .then([closed(VisitResult::Answered, second(12), 12_000)])
        .when(close(VisitResult::Abandoned, second(40)))
        .nothing();
}

#[test]
fn an_end_that_was_inferred_earlier_than_the_stay_is_at_its_beginning() {
    story([Event::Opened {
        visit: VISIT,
        call: CALL,
        enqueued_at: second(30),
        joined_at: None,
        priority: None,
        previous: None,
        position: 1,
        policy: POLICY,
    }])
    .when(close(VisitResult::Abandoned, second(12)))
    .then([closed(VisitResult::Abandoned, second(30), 0)]);
}

#[test]
fn a_visit_that_never_was_does_not_close() {
    story([])
        .when(close(VisitResult::Abandoned, second(12)))
        .nothing();
}

#[test]
fn one_caller_leaving_does_not_move_another() {
    let line = story([opened(VISIT, CALL, 1), opened(OTHER_VISIT, OTHER_CALL, 2)])
        .when(close(VisitResult::Abandoned, second(12)))
        .then([closed(VisitResult::Abandoned, second(12), 12_000)]);
    assert_eq!(line.state().visits[&OTHER_VISIT].call, OTHER_CALL);
}
