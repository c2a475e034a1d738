//! A live offer is taken back.

use super::*;
use crate::call::Error;

fn ring_timeout() -> Command {
    Command::EndOffer {
        offer: OFFER,
        outcome: OfferOutcome::NoAnswer,
    }
}

#[test]
fn a_phone_that_rings_too_long_ends_the_offer_and_the_call_waits_again() {
    for history in [offering(), ringing()] {
        let call = story(history)
            .when(ring_timeout())
            .then([offer_ended(OfferOutcome::NoAnswer, WireCause::default())]);
        assert_eq!(call.state().phase, crate::call::Phase::Waiting);
        assert_eq!(call.state().engaged(), None);
    }
}

#[test]
fn the_end_of_an_older_offer_does_not_touch_the_live_one() {
    story(ringing())
        .when(Command::EndOffer {
            offer: OTHER_OFFER,
            outcome: OfferOutcome::NoAnswer,
        })
        .refused(Error::StaleOffer);
}

#[test]
fn an_offer_ends_once() {
    story(ringing())
        .when(ring_timeout())
        .then([offer_ended(OfferOutcome::NoAnswer, WireCause::default())])
        .when(ring_timeout())
        .refused(Error::StaleOffer);
}

#[test]
fn an_accepted_offer_is_not_taken_back() {
    for history in [connected(), held()] {
        story(history)
            .when(ring_timeout())
            .refused(Error::StaleOffer);
    }
}

#[test]
fn a_call_without_an_offer_refuses_the_end_of_one() {
    story(waiting())
        .when(ring_timeout())
        .refused(Error::StaleOffer);
    story(over())
        .when(ring_timeout())
        .refused(Error::AlreadyEnded);
    story([]).when(ring_timeout()).refused(Error::Unknown);
}
