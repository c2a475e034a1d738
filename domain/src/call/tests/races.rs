//! Two things at once. The order in the call's stream decides; both orders
//! leave one truth.

use super::*;
use crate::{
    call::{Error, Phase},
    testing::{NOW, OTHER_QUEUE},
};

const RING_TIMEOUT: Command = Command::EndOffer {
    offer: OFFER,
    outcome: OfferOutcome::NoAnswer,
};

#[test]
fn the_caller_leaves_before_the_agent_answers() {
    story(ringing())
        .when(cancel())
        .then([left_while_ringing(EndReason::Cancelled, Some(487), NOW)])
        // The agent picked up in vain: kept, but no conversation.
        .when(answer(AGENT_LEG))
        .then([Event::LateFact {
            leg: AGENT_LEG,
            fact: "record_answer".into(),
        }]);
}

#[test]
fn the_caller_leaves_after_the_agent_answered() {
    let call = story(ringing())
        .when(answer(AGENT_LEG))
        .then([agent_connected(), Event::Answered {}])
        .when(bye(CALLER_LEG))
        .then([hung_up_by(By::Caller, NOW, WireCause::default())]);
    // A conversation of no length, not an abandoned call.
    assert_eq!(call.state().phase, Phase::Ended(Disposition::Answered));
}

#[test]
fn the_ring_times_out_before_the_agent_answers() {
    let call = story(ringing())
        .when(RING_TIMEOUT)
        .then([offer_ended(OfferOutcome::NoAnswer, WireCause::default())])
        .when(answer(AGENT_LEG))
        .nothing();
    assert_eq!(call.state().phase, Phase::Waiting);
}

#[test]
fn the_ring_times_out_after_the_agent_answered() {
    story(ringing())
        .when(answer(AGENT_LEG))
        .then([agent_connected(), Event::Answered {}])
        .when(RING_TIMEOUT)
        .refused(Error::StaleOffer);
}

#[test]
fn a_late_timeout_of_the_first_offer_does_not_end_the_second() {
    story(ringing())
        .when(failure(AGENT_LEG, OfferOutcome::Rejected))
        .then([offer_ended(OfferOutcome::Rejected, WireCause::default())])
        .when(start_second_offer())
        .then([second_offer_started()])
        .when(RING_TIMEOUT)
        .refused(Error::StaleOffer)
        .when(failure(AGENT_LEG, OfferOutcome::Busy))
        .nothing();
}

#[test]
fn the_wait_runs_out_before_the_agent_answers() {
    let waited_too_long = Event::Ended {
        cause: EndCause {
            result: EndResult::Ours,
            reason: EndReason::MaxWait,
            by: By::System,
            sip_status: Some(480),
            q850: Some(19),
            reason_header: None,
        },
        disposition: Disposition::NoAnswer,
        ended_at: NOW,
        incomplete: false,
        session: Some(SESSION),
        offer: Some(OFFER),
        visit: Some(VISIT),
        queue: Some(QUEUE),
    };
    story(ringing())
        .when(Command::EndCall {
            reason: EndReason::MaxWait,
            ended_at: None,
            visit: None,
        })
        .then([waited_too_long])
        .when(answer(AGENT_LEG))
        .then([Event::LateFact {
            leg: AGENT_LEG,
            fact: "record_answer".into(),
        }]);
}

#[test]
fn both_sides_hang_up_at_once_and_the_call_ends_once() {
    for (first, by, then) in [
        (CALLER_LEG, By::Caller, AGENT_LEG),
        (AGENT_LEG, By::Agent, CALLER_LEG),
    ] {
        story(connected())
            .when(bye(first))
            .then([hung_up_by(by, NOW, WireCause::default())])
            .when(bye(then))
            .then([Event::LateFact {
                leg: then,
                fact: "record_bye".into(),
            }]);
    }
}

#[test]
fn the_answer_at_once_and_the_agents_answer_make_one_answer() {
    story(ringing())
        .when(answer(AGENT_LEG))
        .then([agent_connected(), Event::Answered {}])
        .when(Command::AnswerCall)
        .refused(Error::AlreadyAnswered);
    story(ringing())
        .when(Command::AnswerCall)
        .then([Event::Answered {}])
        .when(answer(AGENT_LEG))
        .then([agent_connected()]);
}

#[test]
fn a_call_that_ended_before_its_offer_started_is_not_offered() {
    story(waiting())
        .when(cancel())
        .then([left_by_caller(EndReason::Cancelled, Some(487), NOW)])
        .when(start_second_offer())
        .refused(Error::AlreadyEnded);
}

#[test]
fn what_was_too_long_for_one_queue_does_not_end_a_call_that_is_in_the_next() {
    for reason in [EndReason::MaxWait, EndReason::NobodyThere] {
        let ends = |visit| Command::EndCall {
            reason,
            ended_at: None,
            visit: Some(visit),
        };
        let sent_on = || {
            let moved = story(waiting()).when(overflow(VISIT, to_queue(OTHER_QUEUE)));
            let events = moved.events();
            story(waiting().into_iter().chain(events))
        };
        sent_on().when(ends(VISIT)).refused(Error::StaleVisit);
        assert_eq!(sent_on().when(ends(OTHER_VISIT)).events().len(), 1);
        // To a number outside: it is in no queue at all.
        let outside = outside();
        story(outside)
            .when(ends(VISIT))
            .refused(Error::AlreadyConnected);
    }
}
