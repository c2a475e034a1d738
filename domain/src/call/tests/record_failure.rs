//! An agent's phone declines or can not be reached.

use super::*;

#[test]
fn each_failure_ends_the_offer_with_its_own_outcome() {
    for outcome in [
        OfferOutcome::NoAnswer,
        OfferOutcome::Rejected,
        OfferOutcome::Busy,
        OfferOutcome::Unreachable,
        OfferOutcome::Withdrawn,
    ] {
        for history in [offering(), ringing()] {
            story(history)
                .when(failure(AGENT_LEG, outcome))
                .then([offer_ended(outcome, WireCause::default())]);
        }
    }
}

#[test]
fn what_the_phone_said_is_kept_verbatim() {
    let wire = WireCause {
        sip_status: Some(486),
        reason_header: Some("SIP;cause=486".into()),
        warning: None,
    };
    story(ringing())
        .when(Command::RecordFailure {
            leg: AGENT_LEG,
            outcome: OfferOutcome::Busy,
            wire: wire.clone(),
        })
        .then([offer_ended(OfferOutcome::Busy, wire)]);
}

#[test]
fn the_failure_of_an_older_offers_phone_changes_nothing() {
    changes_nothing_but_in(&failure(OTHER_LEG, OfferOutcome::Busy), &[]);
}

#[test]
fn a_failure_is_counted_once_and_only_while_the_phone_is_called() {
    changes_nothing_but_in(
        &failure(AGENT_LEG, OfferOutcome::Busy),
        &["offering", "ringing"],
    );
}

#[test]
fn the_status_of_a_phone_says_how_the_offer_ended() {
    for (status, outcome) in [
        (486, OfferOutcome::Busy),
        (600, OfferOutcome::Busy),
        (404, OfferOutcome::Unreachable),
        (408, OfferOutcome::Unreachable),
        (480, OfferOutcome::Unreachable),
        (503, OfferOutcome::Unreachable),
        (487, OfferOutcome::Withdrawn),
        (603, OfferOutcome::Rejected),
        (403, OfferOutcome::Rejected),
        (488, OfferOutcome::Rejected),
    ] {
        assert_eq!(OfferOutcome::from_status(status), outcome, "{status}");
    }
}
