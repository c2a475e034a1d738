//! A waiting call is given to an agent.

use super::*;
use crate::line::Error;

#[test]
fn a_waiting_visit_is_matched() {
    let line = story(waiting()).when(MATCH).then([matched_event()]);
    assert_eq!(
        line.state().visits[&VISIT].matched,
        [(OFFER, SESSION)].into()
    );
}

#[test]
fn one_call_never_goes_to_two_agents() {
    story(matched())
        .when(MATCH_WITH_ANOTHER)
        .refused(Error::AlreadyMatched);
}

#[test]
fn the_same_match_again_changes_nothing() {
    story(matched()).when(MATCH).nothing();
}

#[test]
fn a_visit_that_is_over_or_never_was_is_not_matched() {
    for history in [over(), vec![]] {
        story(history).when(MATCH).refused(Error::NotOpen);
    }
}

#[test]
fn a_visit_that_came_back_is_matched_again() {
    story(matched())
        .when(give_back(ReturnCause::Busy))
        .then([returned(1, ReturnCause::Busy)])
        .when(MATCH_WITH_ANOTHER)
        .then([Event::Matched {
            visit: VISIT,
            call: CALL,
            offer: OTHER_OFFER,
            session: OTHER_SESSION,
        }]);
}
