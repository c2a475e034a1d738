//! The agent is given back without a contact.

use super::*;
use crate::{
    queue::{Pause, Terms},
    session::Error,
    testing::OTHER_OFFER,
};

#[test]
fn a_released_agent_is_ready_at_once_when_the_phone_was_not_to_blame() {
    for reason in [
        ReleaseReason::CallerGone,
        ReleaseReason::NoAnswer,
        ReleaseReason::Superseded,
        ReleaseReason::TimedOut,
    ] {
        let session = story(reserved())
            .when(release(reason))
            .then([released(reason)]);
        assert_eq!(session.state().activity(), Activity::Idle);
        assert_eq!(session.state().routability, Routability::Ready);
    }
}

#[test]
fn an_agent_whose_phone_refused_is_left_alone_for_a_while() {
    for (reason, seconds) in [
        (ReleaseReason::Rejected, 10),
        (ReleaseReason::Busy, 60),
        (ReleaseReason::Unreachable, 60),
    ] {
        story(reserved())
            .when(release(reason))
            .then([Event::ReservationReleased {
                offer: OFFER,
                reason,
                not_before: Some(second(60 + seconds)),
                still: None,
            }]);
    }
}

/// Rings in vain that many times.
fn missed(times: usize) -> Vec<Event> {
    let mut events = ready();
    for _ in 0..times {
        events.push(reserved_event(WRAP_UP_MS));
        events.push(released(ReleaseReason::NoAnswer));
    }
    events
}

#[test]
fn an_agent_who_lets_it_ring_three_times_is_taken_out() {
    let session = story(with(missed(2), [reserved_event(WRAP_UP_MS)]))
        .when(release(ReleaseReason::NoAnswer))
        .then([
            released(ReleaseReason::NoAnswer),
            not_ready(NotReadyReason::Rona),
        ]);
    assert_eq!(
        session.state().routability,
        Routability::NotReady(NotReadyReason::Rona)
    );
}

#[test]
fn an_agent_who_lets_it_ring_twice_stays_in() {
    story(with(missed(1), [reserved_event(WRAP_UP_MS)]))
        .when(release(ReleaseReason::NoAnswer))
        .then([released(ReleaseReason::NoAnswer)]);
}

#[test]
fn a_caller_who_leaves_is_no_missed_call() {
    story(with(missed(2), [reserved_event(WRAP_UP_MS)]))
        .when(release(ReleaseReason::CallerGone))
        .then([released(ReleaseReason::CallerGone)]);
}

#[test]
fn an_answered_call_starts_the_count_again() {
    story(with(
        missed(2),
        [
            reserved_event(0),
            connected_event(),
            Event::ContactEnded {
                call: CALL,
                still: None,
            },
            Event::BecameReady {},
            reserved_event(0),
        ],
    ))
    .when(release(ReleaseReason::NoAnswer))
    .then([released(ReleaseReason::NoAnswer)]);
}

#[test]
fn a_break_starts_the_count_again() {
    story(with(
        missed(2),
        [
            not_ready(NotReadyReason::Break),
            Event::BecameReady {},
            reserved_event(0),
        ],
    ))
    .when(release(ReleaseReason::NoAnswer))
    .then([released(ReleaseReason::NoAnswer)]);
}

#[test]
fn an_agent_who_asked_for_a_break_gets_that_and_not_the_penalty() {
    story(with(
        missed(2),
        [
            reserved_event(0),
            requested(NextState::NotReady(NotReadyReason::Meal)),
        ],
    ))
    .when(release(ReleaseReason::NoAnswer))
    .then([
        released(ReleaseReason::NoAnswer),
        not_ready(NotReadyReason::Meal),
    ]);
}

#[test]
fn a_reservation_ends_once() {
    story(reserved())
        .when(release(ReleaseReason::CallerGone))
        .then([released(ReleaseReason::CallerGone)])
        .when(release(ReleaseReason::TimedOut))
        .refused(Error::StaleOffer);
}

#[test]
fn only_the_reservation_of_that_offer_is_released() {
    story(reserved())
        .when(Command::ReleaseReservation {
            offer: OTHER_OFFER,
            reason: ReleaseReason::NoAnswer,
        })
        .refused(Error::StaleOffer);
}

#[test]
fn an_agent_who_is_not_reserved_is_not_released() {
    for history in [
        vec![],
        ready(),
        on_break(),
        on_contact(),
        wrapping_up(),
        gone(),
    ] {
        story(history)
            .when(release(ReleaseReason::TimedOut))
            .refused(Error::StaleOffer);
    }
}

#[test]
fn each_cause_has_a_pause_and_a_count_of_its_own_where_the_queue_says_so() {
    let pause = |delay_ms, in_a_row_max| Pause {
        delay_ms,
        in_a_row_max,
    };
    let terms = Terms {
        no_answer: pause(5_000, 0),
        rejected: pause(0, 1),
        busy: pause(1_000, 2),
        unreachable: pause(2_000, 2),
        wrap_up_code: false,
    };
    let offered = || Event::Reserved {
        offer: OFFER,
        call: CALL,
        visit: VISIT,
        queue: QUEUE,
        until: RESERVED_UNTIL,
        wrap_up_ms: 0,
        choice: None,
        terms,
        capacity: 1,
        still: None,
    };
    let over = |reason, delay_ms: u64| Event::ReservationReleased {
        offer: OFFER,
        reason,
        not_before: (delay_ms > 0).then(|| second(60).plus_ms(delay_ms)),
        still: None,
    };
    for (reason, delay_ms, times, taken_out) in [
        (ReleaseReason::NoAnswer, 5_000, 5, None),
        (
            ReleaseReason::Rejected,
            0,
            1,
            Some(NotReadyReason::Rejected),
        ),
        (ReleaseReason::Busy, 1_000, 2, Some(NotReadyReason::Busy)),
        (
            ReleaseReason::Unreachable,
            2_000,
            2,
            Some(NotReadyReason::Unreachable),
        ),
    ] {
        let mut events = with(ready(), [offered()]);
        for _ in 1..times {
            // Another cause in between does not start the count again.
            let other = over(ReleaseReason::CallerGone, 0);
            events.extend([over(reason, delay_ms), offered(), other, offered()]);
        }
        let mut expected = vec![over(reason, delay_ms)];
        expected.extend(taken_out.map(not_ready));
        story(events).when(release(reason)).then(expected);
    }
}
