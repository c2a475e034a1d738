//! Two things at once on one session.

use super::*;
use crate::{
    session::Error,
    testing::{OTHER_CALL, OTHER_OFFER, OTHER_VISIT},
};

#[test]
fn the_second_of_two_reservations_is_refused() {
    story(ready())
        .when(reserve())
        .then([reserved_event(WRAP_UP_MS)])
        .when(Command::Reserve {
            offer: OTHER_OFFER,
            call: OTHER_CALL,
            visit: OTHER_VISIT,
            queue: QUEUE,
            until: RESERVED_UNTIL,
            wrap_up_ms: 0,
            choice: None,
            terms: crate::queue::Terms::STANDARD,
            capacity: 1,
        })
        .refused(Error::Engaged);
}

#[test]
fn a_break_just_before_the_reservation_wins() {
    story(ready())
        .when(go_not_ready(NotReadyReason::Break))
        .then([not_ready(NotReadyReason::Break)])
        .when(reserve())
        .refused(Error::NotReady);
}

#[test]
fn a_reservation_just_before_the_break_wins() {
    story(ready())
        .when(reserve())
        .then([reserved_event(WRAP_UP_MS)])
        .when(go_not_ready(NotReadyReason::Break))
        .then([requested(NextState::NotReady(NotReadyReason::Break))]);
}

#[test]
fn the_reservations_own_timeout_does_not_cut_a_contact() {
    story(reserved())
        .when(CONFIRM_CONNECT)
        .then([connected_event()])
        .when(release(ReleaseReason::TimedOut))
        .refused(Error::StaleOffer);
}

#[test]
fn a_reservation_that_fell_is_not_revived_by_the_answer() {
    story(reserved())
        .when(release(ReleaseReason::TimedOut))
        .then([released(ReleaseReason::TimedOut)])
        .when(CONFIRM_CONNECT)
        .refused(Error::StaleOffer);
}

#[test]
fn the_caller_gone_and_the_ring_timeout_release_once() {
    story(reserved())
        .when(release(ReleaseReason::CallerGone))
        .then([released(ReleaseReason::CallerGone)])
        .when(release(ReleaseReason::NoAnswer))
        .refused(Error::StaleOffer);
}
