//! The phone that rings is told to answer.

use super::*;
use crate::call::Error;

fn order(offer: OfferId) -> Command {
    Command::OrderAnswer {
        offer,
        by: "anna".into(),
    }
}

fn ordered() -> Event {
    Event::AnswerOrdered {
        offer: OFFER,
        session: SESSION,
        leg: AGENT_LEG,
        by: "anna".into(),
    }
}

fn refusal(leg: LegId, status: u16) -> Command {
    Command::RecordAnswerOrderRefused {
        leg,
        wire: said(status),
    }
}

fn said(status: u16) -> WireCause {
    WireCause {
        sip_status: Some(status),
        ..WireCause::default()
    }
}

fn refused() -> Event {
    Event::AnswerOrderRefused {
        offer: OFFER,
        session: SESSION,
        leg: AGENT_LEG,
        wire: said(489),
    }
}

#[test]
fn the_order_is_given_once_and_the_phone_answers_by_itself() {
    let answers = Command::RecordAnswer {
        leg: AGENT_LEG,
        codec: None,
        device: None,
    };
    let story = story(ringing())
        .when(order(OFFER))
        .then([ordered()])
        .when(order(OFFER))
        .nothing();
    let events = story.when(answers).events();
    assert!(
        matches!(events.first(), Some(Event::AgentConnected { offer, .. }) if *offer == OFFER),
        "{events:?}"
    );
}

/// It rings on, and whoever picks it up has the call.
#[test]
fn a_phone_that_does_no_such_thing_says_so_once_and_rings_on() {
    story(ringing())
        .when(order(OFFER))
        .then([ordered()])
        .when(refusal(AGENT_LEG, 489))
        .then([refused()])
        .when(refusal(AGENT_LEG, 489))
        .nothing()
        .when(order(OFFER))
        .refused(Error::NoAnswerByOrder);
    let history = with(ringing(), [ordered(), refused()]);
    story(history)
        .when(Command::EndOffer {
            offer: OFFER,
            outcome: OfferOutcome::NoAnswer,
        })
        .then([offer_ended(OfferOutcome::NoAnswer, WireCause::default())]);
}

#[test]
fn what_a_phone_refuses_that_was_told_nothing_or_has_answered_is_no_news() {
    for history in [ringing(), waiting(), connected(), over()] {
        story(history).when(refusal(AGENT_LEG, 489)).nothing();
    }
    story(with(ringing(), [ordered()]))
        .when(refusal(OTHER_LEG, 489))
        .nothing();
}

#[test]
fn an_offer_that_does_not_ring_is_refused_by_name() {
    for (history, offer, refusal) in [
        (offering(), OFFER, Error::NotRinging),
        (ringing(), OTHER_OFFER, Error::StaleOffer),
        (waiting(), OFFER, Error::StaleOffer),
        (connected(), OFFER, Error::StaleOffer),
        (over(), OFFER, Error::AlreadyEnded),
        (vec![], OFFER, Error::Unknown),
    ] {
        story(history).when(order(offer)).refused(refusal);
    }
}
