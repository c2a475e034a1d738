//! An agent's phone is to ring.

use super::*;
use crate::{call::Error, decider::Decider, testing::OTHER_VISIT};

fn start_offer() -> Command {
    Command::StartOffer {
        offer: OFFER,
        visit: VISIT,
        session: SESSION,
        leg: AGENT_LEG,
        until: RING_UNTIL,
        beside: false,
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
            beside: false,
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

/// Several phones ring for one call.
const fn beside() -> Command {
    Command::StartOffer {
        offer: OTHER_OFFER,
        visit: VISIT,
        session: OTHER_SESSION,
        leg: OTHER_LEG,
        until: second(90),
        beside: true,
    }
}

fn side_by_side() -> Vec<Event> {
    let mut history = ringing();
    history.push(second_offer_started());
    history
}

fn ended_as(outcome: OfferOutcome) -> Event {
    Event::OfferEnded {
        offer: OTHER_OFFER,
        visit: VISIT,
        session: OTHER_SESSION,
        leg: OTHER_LEG,
        outcome,
        wire: WireCause::default(),
    }
}

#[test]
fn phones_ring_side_by_side_where_the_queue_says_so() {
    for history in [waiting(), offering(), ringing()] {
        let call = story(history).when(beside()).then([second_offer_started()]);
        assert!(call.state().offer_of(OTHER_LEG).is_some());
    }
    for history in [connected(), held()] {
        story(history)
            .when(beside())
            .refused(Error::AlreadyConnected);
    }
}

#[test]
fn the_first_who_answers_gets_the_call_and_the_others_are_let_go() {
    let call = story(side_by_side()).when(answer(AGENT_LEG)).then([
        agent_connected(),
        Event::Answered {},
        ended_as(OfferOutcome::AnsweredElsewhere),
    ]);
    assert_eq!(call.state().agent_leg(), Some(AGENT_LEG));
    assert!(call.state().offers().is_empty());
    // The slower one may have picked up in the same moment.
    call.when(answer(OTHER_LEG)).nothing();
}

#[test]
fn one_phone_that_refuses_leaves_the_others_ringing() {
    let call = story(side_by_side())
        .when(failure(OTHER_LEG, OfferOutcome::Busy))
        .then([ended_as(OfferOutcome::Busy)]);
    assert_eq!(call.state().engaged(), Some((SESSION, OFFER)));
    call.when(failure(AGENT_LEG, OfferOutcome::Busy))
        .then([offer_ended(OfferOutcome::Busy, WireCause::default())]);
}

#[test]
fn a_caller_who_leaves_stops_every_phone() {
    let call = story(side_by_side());
    let events = Call::decide(
        call.state(),
        second(40),
        Command::EndCall {
            reason: EndReason::Operator,
            ended_at: None,
            visit: None,
        },
    )
    .unwrap();
    assert_eq!(events[0], ended_as(OfferOutcome::CallerGone));
    assert!(matches!(
        &events[1..],
        [Event::Ended { offer: Some(offer), .. }] if *offer == OFFER
    ));
}
