//! An offer came to nothing: the call waits again.

use super::*;
use crate::line::Error;

#[test]
fn a_returned_visit_waits_again_since_its_old_time() {
    let line = story(matched())
        .when(give_back(ReturnCause::NoAnswer))
        .then([returned(1, ReturnCause::NoAnswer)]);
    let visit = &line.state().visits[&VISIT];
    assert!(visit.matched.is_empty());
    assert_eq!(visit.enqueued_at, ENQUEUED_AT);
}

#[test]
fn attempts_are_counted() {
    story([
        opened(VISIT, CALL, 1),
        matched_event(),
        returned(1, ReturnCause::Busy),
        matched_event(),
    ])
    .when(give_back(ReturnCause::Rejected))
    .then([returned(2, ReturnCause::Rejected)]);
}

#[test]
fn only_the_live_offer_returns_the_visit() {
    story(matched())
        .when(Command::ReturnVisit {
            visit: VISIT,
            offer: OTHER_OFFER,
            cause: ReturnCause::NoAnswer,
        })
        .refused(Error::StaleOffer);
}

#[test]
fn a_visit_returns_once() {
    story(matched())
        .when(give_back(ReturnCause::NoAnswer))
        .then([returned(1, ReturnCause::NoAnswer)])
        .when(give_back(ReturnCause::NoAnswer))
        .refused(Error::StaleOffer);
}

#[test]
fn a_visit_that_waits_or_is_over_does_not_return() {
    story(waiting())
        .when(give_back(ReturnCause::NoAnswer))
        .refused(Error::StaleOffer);
    for history in [over(), vec![]] {
        story(history)
            .when(give_back(ReturnCause::NoAnswer))
            .refused(Error::NotOpen);
    }
}
