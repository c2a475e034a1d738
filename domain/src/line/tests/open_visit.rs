//! A call is let in.

use super::*;
use crate::line::Error;

#[test]
fn callers_wait_one_behind_the_other() {
    story([])
        .when(open(VISIT, CALL, 10))
        .then([opened(VISIT, CALL, 1)])
        .when(open(OTHER_VISIT, OTHER_CALL, 10))
        .then([opened(OTHER_VISIT, OTHER_CALL, 2)]);
}

#[test]
fn a_full_queue_lets_nobody_in() {
    story(waiting())
        .when(open(OTHER_VISIT, OTHER_CALL, 1))
        .then([Event::Rejected {
            visit: OTHER_VISIT,
            call: OTHER_CALL,
            reason: RejectReason::Full,
        }]);
}

#[test]
fn a_queue_that_takes_nobody_now_says_why_even_if_it_is_full_too() {
    let reason = RejectReason::Closed;
    for capacity in [1, 10] {
        let mut command = open(OTHER_VISIT, OTHER_CALL, capacity);
        if let Command::OpenVisit { barred, .. } = &mut command {
            *barred = Some(reason);
        }
        let (visit, call) = (OTHER_VISIT, OTHER_CALL);
        story(waiting()).when(command).then([Event::Rejected {
            visit,
            call,
            reason,
        }]);
    }
}

#[test]
fn whoever_has_an_older_place_is_before_the_others_and_waits_since_joining() {
    let (enqueued_at, joined_at) = (second(0), Some(second(40)));
    let mut command = open(OTHER_VISIT, OTHER_CALL, 10);
    if let Command::OpenVisit { joined_at: at, .. } = &mut command {
        *at = joined_at;
    }
    let Event::Opened { policy, .. } = opened(OTHER_VISIT, OTHER_CALL, 1) else {
        panic!("it is one");
    };
    // Somebody came in between.
    let mut before = opened(VISIT, CALL, 1);
    if let Event::Opened { enqueued_at, .. } = &mut before {
        *enqueued_at = second(20);
    }
    let (visit, call, position) = (OTHER_VISIT, OTHER_CALL, 1);
    let back = Event::Opened {
        visit,
        call,
        enqueued_at,
        joined_at,
        priority: None,
        previous: None,
        position,
        policy,
    };
    let (result, closed_at) = (VisitResult::Answered, second(45));
    story([before])
        .when(command)
        .then([back])
        .when(Command::CloseVisit {
            visit,
            result,
            closed_at,
        })
        .then([Event::Closed {
            visit,
            call,
            result,
            closed_at,
            wait_ms: 5_000,
            measure: None,
        }]);
}

#[test]
fn a_caller_whose_offer_rings_still_takes_a_place() {
    story(matched())
        .when(open(OTHER_VISIT, OTHER_CALL, 1))
        .then([Event::Rejected {
            visit: OTHER_VISIT,
            call: OTHER_CALL,
            reason: RejectReason::Full,
        }]);
}

#[test]
fn a_caller_who_left_makes_room() {
    story(over())
        .when(open(OTHER_VISIT, OTHER_CALL, 1))
        .then([opened(OTHER_VISIT, OTHER_CALL, 1)]);
}

#[test]
fn a_visit_is_in_the_line_once() {
    for history in [waiting(), matched()] {
        story(history)
            .when(open(VISIT, CALL, 10))
            .refused(Error::AlreadyOpen);
    }
}
