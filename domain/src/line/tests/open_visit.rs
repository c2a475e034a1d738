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
