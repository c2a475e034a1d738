//! A person takes a waiting call out of its queue.

use super::*;
use crate::call::{Error, Withdraw};

fn withdraw(visit: VisitId, why: &str) -> Command {
    Command::WithdrawCall(Withdraw {
        visit,
        by: "carla".into(),
        why: why.into(),
    })
}

fn withdrawn() -> Event {
    Event::Withdrawn {
        visit: VISIT,
        queue: QUEUE,
        by: "carla".into(),
        why: "abuse".into(),
    }
}

/// What the same call would come to by `hangUp`.
fn hung_up(history: Vec<Event>) -> Vec<Event> {
    let end = Command::EndCall {
        reason: EndReason::Operator,
        ended_at: None,
        visit: Some(VISIT),
    };
    story(history).when(end).events()
}

#[test]
fn it_ends_as_by_hang_up_and_says_who_and_why_before() {
    for history in [waiting(), ringing()] {
        let events = story(history.clone())
            .when(withdraw(VISIT, "abuse"))
            .events();
        let expected: Vec<Event> = [withdrawn()].into_iter().chain(hung_up(history)).collect();
        assert_eq!(events, expected);
        let Some(Event::Ended { cause, visit, .. }) = events.last() else {
            panic!("no end: {events:?}");
        };
        assert_eq!((cause.by, *visit), (By::Supervisor, Some(VISIT)));
    }
}

#[test]
fn the_second_of_two_who_take_out_one_caller_comes_too_late() {
    story(waiting())
        .when(withdraw(VISIT, "abuse"))
        .then([withdrawn()].into_iter().chain(hung_up(waiting())))
        .when(withdraw(VISIT, "abuse"))
        .refused(Error::AlreadyEnded);
}

/// It is an attempt to keep what a queue has promised, which would place the next one.
#[test]
fn a_call_that_was_placed_for_a_callback_stays_in_its_queue() {
    let mut history = waiting();
    history[0] = Event::Placed {
        leg: CALLER_LEG,
        party: caller(),
        callback: crate::id::CallbackId(uuid::Uuid::from_u128(40)),
        place: second(0),
        wanted: None,
    };
    story(history)
        .when(withdraw(VISIT, "abuse"))
        .refused(Error::Placed);
}

#[test]
fn what_does_not_wait_in_that_stay_is_refused_with_its_reason() {
    for (history, visit, why, refusal) in [
        (waiting(), OTHER_VISIT, "abuse", Error::StaleVisit),
        (waiting(), VISIT, "Mr Smith", Error::InvalidReason),
        (connected(), VISIT, "abuse", Error::AlreadyConnected),
        (outside(), VISIT, "abuse", Error::AlreadyConnected),
        (over(), VISIT, "abuse", Error::AlreadyEnded),
        (vec![], VISIT, "abuse", Error::Unknown),
    ] {
        story(history).when(withdraw(visit, why)).refused(refusal);
    }
}
