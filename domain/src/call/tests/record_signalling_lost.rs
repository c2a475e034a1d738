//! One side does not answer requests any more.

use super::*;
use crate::testing::NOW;

fn lost(leg: LegId) -> Command {
    Command::RecordSignallingLost { leg }
}

#[test]
fn a_side_that_does_not_respond_ends_the_conversation() {
    for (leg, side) in [(CALLER_LEG, By::Caller), (AGENT_LEG, By::Agent)] {
        for history in [connected(), held()] {
            let events = story(history).when(lost(leg)).events();
            assert!(
                matches!(
                    events.as_slice(),
                    [Event::Ended {
                        cause: EndCause { reason: EndReason::SignallingLost, result: EndResult::Indeterminate, by, .. },
                        disposition: Disposition::Answered,
                        incomplete: true,
                        ended_at: NOW,
                        ..
                    }] if *by == side
                ),
                "{events:?}"
            );
        }
    }
}

#[test]
fn a_waiting_caller_who_does_not_respond_has_abandoned() {
    let events = story(waiting_with_music()).when(lost(CALLER_LEG)).events();
    assert!(
        matches!(
            events.as_slice(),
            [Event::Ended {
                disposition: Disposition::Abandoned,
                incomplete: true,
                ..
            }]
        ),
        "{events:?}"
    );
}

#[test]
fn an_offered_phone_that_does_not_respond_only_ends_its_offer() {
    story(ringing())
        .when(lost(AGENT_LEG))
        .then([offer_ended(OfferOutcome::Unreachable, WireCause::default())]);
}

#[test]
fn a_leg_of_an_older_offer_and_a_call_that_is_over_lose_nothing() {
    changes_nothing_but_in(&lost(OTHER_LEG), &[]);
    story(over()).when(lost(CALLER_LEG)).nothing();
    story([]).when(lost(CALLER_LEG)).nothing();
}
