//! An agent's phone is to ring.

use super::*;
use crate::{call::Error, testing::OTHER_VISIT};

fn start_offer() -> Command {
    Command::StartOffer {
        offer: OFFER,
        visit: VISIT,
        session: SESSION,
        leg: AGENT_LEG,
        until: RING_UNTIL,
    }
}

#[test]
fn a_waiting_call_is_offered_to_an_agent() {
    for history in [waiting(), waiting_with_music()] {
        let call = story(history).when(start_offer()).then([offer_started()]);
        assert_eq!(call.state().agent_leg(), Some(AGENT_LEG));
        assert_eq!(call.state().engaged(), Some((SESSION, OFFER)));
    }
}

#[test]
fn a_second_offer_is_refused_while_one_is_live() {
    for history in [offering(), ringing()] {
        story(history)
            .when(start_second_offer())
            .refused(Error::AlreadyOffered);
    }
}

#[test]
fn a_call_with_an_agent_is_not_offered_to_another() {
    for history in [connected(), held()] {
        story(history)
            .when(start_second_offer())
            .refused(Error::AlreadyConnected);
    }
}

#[test]
fn a_call_whose_offer_came_to_nothing_is_offered_again() {
    story(ringing())
        .when(failure(AGENT_LEG, OfferOutcome::Busy))
        .then([offer_ended(OfferOutcome::Busy, WireCause::default())])
        .when(start_second_offer())
        .then([second_offer_started()]);
}

#[test]
fn an_offer_for_another_stay_is_refused() {
    story(waiting())
        .when(Command::StartOffer {
            offer: OFFER,
            visit: OTHER_VISIT,
            session: SESSION,
            leg: AGENT_LEG,
            until: RING_UNTIL,
        })
        .refused(Error::StaleVisit);
}

#[test]
fn a_call_that_is_over_is_not_offered() {
    story(over())
        .when(start_offer())
        .refused(Error::AlreadyEnded);
}

#[test]
fn a_call_that_never_came_is_not_offered() {
    story([]).when(start_offer()).refused(Error::Unknown);
}
