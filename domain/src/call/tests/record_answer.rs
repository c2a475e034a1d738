//! An agent's phone answers.

use super::*;
use crate::{call::Phase, testing::NOW};

#[test]
fn the_agent_who_answers_is_connected_and_the_caller_answered() {
    for history in [offering(), ringing()] {
        let call = story(history)
            .when(answer(AGENT_LEG))
            .then([agent_connected(), Event::Answered {}]);
        assert_eq!(call.state().answered_at, Some(NOW));
        assert_eq!(call.state().agent_leg(), Some(AGENT_LEG));
    }
}

#[test]
fn a_caller_who_hears_music_was_answered_before_and_only_gets_the_agent() {
    let call = story(with(waiting_with_music(), [offer_started()]))
        .when(answer(AGENT_LEG))
        .then([agent_connected()]);
    assert_eq!(call.state().answered_at, Some(second(3)));
}

#[test]
fn an_answer_is_counted_once() {
    story(connected()).when(answer(AGENT_LEG)).nothing();
}

#[test]
fn the_late_answer_of_a_withdrawn_offer_connects_nobody() {
    let call = story(with(
        ringing(),
        [offer_ended(OfferOutcome::NoAnswer, WireCause::default())],
    ))
    .when(answer(AGENT_LEG))
    .nothing();
    assert_eq!(call.state().phase, Phase::Waiting);
}

#[test]
fn the_phone_of_an_older_offer_does_not_take_the_call_from_the_live_one() {
    story(with(
        ringing(),
        [
            offer_ended(OfferOutcome::NoAnswer, WireCause::default()),
            second_offer_started(),
        ],
    ))
    .when(answer(AGENT_LEG))
    .nothing()
    .when(answer(OTHER_LEG))
    .then([
        Event::AgentConnected {
            codec: None,
            device: None,
            offer: OTHER_OFFER,
            visit: VISIT,
            session: OTHER_SESSION,
            leg: OTHER_LEG,
        },
        Event::Answered {},
    ]);
}

#[test]
fn an_answer_after_the_end_is_kept_as_a_late_fact() {
    story(over())
        .when(answer(AGENT_LEG))
        .then([Event::LateFact {
            leg: AGENT_LEG,
            fact: "record_answer".into(),
        }]);
}

#[test]
fn an_answer_means_nothing_where_no_phone_was_called() {
    changes_nothing_but_in(&answer(AGENT_LEG), &["offering", "ringing", "over"]);
}
