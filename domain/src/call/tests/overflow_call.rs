//! A queue sends a call on that it does not serve.

use super::*;
use crate::{
    call::{Error, RING_OUTSIDE_MS},
    testing::{NOW, OTHER_QUEUE},
};

#[test]
fn a_call_goes_to_a_number_outside() {
    story(waiting())
        .when(overflow(VISIT, to_forward()))
        .then([
            overflowed(),
            forwarded(),
            leg_dialled(NOW.plus_ms(RING_OUTSIDE_MS)),
        ])
        .when(overflow(VISIT, to_forward()))
        .refused(Error::AlreadyConnected);
}

#[test]
fn a_call_goes_into_the_next_queue_as_a_new_stay() {
    story(waiting())
        .when(overflow(VISIT, to_queue(OTHER_QUEUE)))
        .then([
            overflowed(),
            Event::Enqueued {
                visit: OTHER_VISIT,
                queue: OTHER_QUEUE,
                config_version: 5,
                answer_mode: AnswerMode::OnAgent,
                exit_keys: vec![],
                music: None,
            },
        ])
        .when(overflow(VISIT, to_forward()))
        .refused(Error::StaleVisit);
}

#[test]
fn a_phone_that_rings_is_let_go_first() {
    story(ringing()).when(overflow(VISIT, to_forward())).then([
        offer_ended(OfferOutcome::Withdrawn, WireCause::default()),
        overflowed(),
        forwarded(),
        leg_dialled(NOW.plus_ms(RING_OUTSIDE_MS)),
    ]);
}

#[test]
fn a_call_never_comes_back_to_a_queue_that_it_has_left() {
    story(waiting())
        .when(overflow(VISIT, to_queue(QUEUE)))
        .refused(Error::OverflowLoop);
}

#[test]
fn a_call_that_is_with_somebody_or_over_stays_where_it_is() {
    for (history, refusal) in [
        (vec![], Error::Unknown),
        (connected(), Error::AlreadyConnected),
        (outside(), Error::AlreadyConnected),
        (over(), Error::AlreadyEnded),
    ] {
        story(history)
            .when(overflow(VISIT, to_forward()))
            .refused(refusal);
    }
}
