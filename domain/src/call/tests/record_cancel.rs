//! The caller gives up before an answer.

use super::*;
use crate::testing::NOW;

#[test]
fn a_caller_who_gives_up_while_waiting_has_abandoned() {
    story(waiting())
        .when(cancel())
        .then([left_by_caller(EndReason::Cancelled, Some(487), NOW)]);
}

#[test]
fn a_caller_who_gives_up_while_a_phone_rings_frees_that_agent() {
    for history in [offering(), ringing()] {
        story(history).when(cancel()).then([left_while_ringing(
            EndReason::Cancelled,
            Some(487),
            NOW,
        )]);
    }
}

#[test]
fn a_cancel_that_crosses_the_answer_ends_an_answered_call() {
    let events = story(connected()).when(cancel()).events();
    assert!(
        matches!(
            events.as_slice(),
            [Event::Ended {
                cause: EndCause {
                    by: By::Caller,
                    sip_status: None,
                    ..
                },
                disposition: Disposition::Answered,
                session: Some(SESSION),
                ..
            }]
        ),
        "{events:?}"
    );
}

#[test]
fn a_cancel_after_the_end_changes_nothing() {
    story(over()).when(cancel()).nothing();
    story([]).when(cancel()).nothing();
}
