//! A caller who waits is told the place in the line.

use super::*;
use crate::call::{Error, Phase, TellingPlace};

fn tell(visit: VisitId) -> Command {
    Command::TellPlace(TellingPlace {
        visit,
        sounds: "english".into(),
        place: 3,
        is_behind: false,
        until: second(100),
    })
}

fn told() -> Event {
    Event::PlaceTold {
        leg: CALLER_LEG,
        visit: VISIT,
        queue: QUEUE,
        sounds: "english".into(),
        place: 3,
        is_behind: false,
    }
}

#[test]
fn a_caller_with_music_is_told_and_waits_on() {
    let session = story(waiting_with_music()).when(tell(VISIT)).then([told()]);
    assert_eq!(session.state().phase, Phase::Waiting);
    // Each time is one of its own.
    session.when(tell(VISIT)).then([told()]);
}

#[test]
fn nobody_is_told_who_is_not_answered_or_whom_we_ring() {
    story(waiting()).when(tell(VISIT)).refused(Error::NoCaller);
}

#[test]
fn nobody_is_told_for_whom_a_phone_rings_or_who_waits_no_more() {
    story(with(waiting_with_music(), [offer_started()]))
        .when(tell(VISIT))
        .refused(Error::AlreadyOffered);
    story(connected())
        .when(tell(VISIT))
        .refused(Error::AlreadyConnected);
    story(over()).when(tell(VISIT)).refused(Error::AlreadyEnded);
    story([]).when(tell(VISIT)).refused(Error::Unknown);
    story(waiting_with_music())
        .when(tell(OTHER_VISIT))
        .refused(Error::StaleVisit);
}

#[test]
fn an_order_that_was_held_up_until_the_next_one_is_told_nobody() {
    story(waiting_with_music())
        .when_at(second(99), tell(VISIT))
        .then([told()]);
    story(waiting_with_music())
        .when_at(second(100), tell(VISIT))
        .refused(Error::ToldTooLate);
}
