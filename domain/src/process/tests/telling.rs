//! Callers who wait are told their places, where their queue says so.

use super::{enqueue::config, *};
use crate::{
    call::{AnswerMode, TellingPlace},
    id::{CallId, VisitId},
    line::VisitResult,
    process::enqueue::Enqueue,
    queue::{self, AnnouncePosition},
    testing::{CALL, OTHER_CALL, OTHER_VISIT, QUEUE, VISIT},
};

/// After ten seconds, and every twenty; the first two places by number.
fn told() -> AnnouncePosition {
    AnnouncePosition {
        sounds: "english".into(),
        every_ms: 20_000,
        first_ms: 10_000,
        up_to: 2,
    }
}

fn rules(announce_position: Option<AnnouncePosition>) -> queue::Config {
    queue::Config {
        announce_position: announce_position.map(Box::new),
        ..config(AnswerMode::Immediate, 0, vec![])
    }
}

fn created(announce_position: Option<AnnouncePosition>) -> AnyEvent {
    let created = queue::Event::Created {
        name: "sales".into(),
        config: rules(announce_position),
        config_version: None,
    };
    AnyEvent::Queue(QUEUE, created)
}

fn configured(config: queue::Config) -> AnyEvent {
    let configured = queue::Event::Configured {
        config_version: 2,
        config,
    };
    AnyEvent::Queue(QUEUE, configured)
}

const fn other(number: u128) -> (CallId, VisitId) {
    let id = Uuid::from_u128(1_000 + number);
    (CallId(id), VisitId(id))
}

const FIRST: (CallId, VisitId) = (OTHER_CALL, OTHER_VISIT);
const MINE: (CallId, VisitId) = (CALL, VISIT);

fn opened(
    (call, visit): (CallId, VisitId),
    at: Timestamp,
    answer_mode: AnswerMode,
    priority: Option<i32>,
) -> AnyEvent {
    let opened = line::Event::Opened {
        visit,
        call,
        enqueued_at: at,
        joined_at: None,
        priority,
        previous: None,
        position: 1,
        policy: line::VisitPolicy {
            config_version: 1,
            answer_mode,
            ring_timeout_ms: 20_000,
            wrap_up_ms: 0,
            max_wait_ms: 0,
            measure: None,
        },
    };
    AnyEvent::Line(QUEUE, opened)
}

fn closed((call, visit): (CallId, VisitId)) -> AnyEvent {
    let closed = line::Event::Closed {
        visit,
        call,
        result: VisitResult::Abandoned,
        closed_at: second(50),
        wait_ms: 1_000,
        measure: None,
    };
    AnyEvent::Line(QUEUE, closed)
}

/// The next time is that second.
fn tells((call, visit): (CallId, VisitId), place: u32, is_behind: bool, until: u64) -> AnyCommand {
    let telling = TellingPlace {
        visit,
        sounds: "english".into(),
        place,
        is_behind,
        until: second(until),
    };
    AnyCommand::Call(call, call::Command::TellPlace(telling))
}

/// Since second 20, in a queue where these came since second 11, a second apart.
fn behind(others: impl IntoIterator<Item = (CallId, VisitId)>) -> Heard<Enqueue> {
    let mut heard = process::<Enqueue>().hears([created(Some(told()))]);
    for (at, who) in (11..).map(second).zip(others) {
        heard = heard.hears_at(at, opened(who, at, AnswerMode::OnAgent, None));
    }
    let at = second(20);
    heard.hears_at(at, opened(MINE, at, AnswerMode::Immediate, None))
}

#[test]
fn a_caller_who_waits_is_told_the_place_again_and_again() {
    behind([FIRST])
        .sleeps_until(Some(second(30)))
        .wakes(second(30))
        .asks([tells(MINE, 2, false, 50)])
        .sleeps_until(Some(second(50)))
        .hears_at(second(40), closed(FIRST))
        .wakes(second(50))
        .asks([tells(MINE, 1, false, 70)])
        .hears_at(second(55), closed(MINE))
        .sleeps_until(None);
}

#[test]
fn who_stands_behind_the_last_place_that_is_told_is_told_so() {
    behind([other(1), other(2), other(3)])
        .wakes(second(30))
        .asks([tells(MINE, 2, true, 50)]);
    behind([other(1)])
        .wakes(second(30))
        .asks([tells(MINE, 2, false, 50)]);
}

/// By priority, with what rounds in vain add, as it is ordered by the queue at that moment.
#[test]
fn the_place_is_that_by_which_callers_are_served() {
    let raised = |priority| {
        let raised = line::Event::PriorityChanged {
            visit: VISIT,
            call: CALL,
            priority,
        };
        AnyEvent::Line(QUEUE, raised)
    };
    let in_vain = line::Event::Returned {
        visit: OTHER_VISIT,
        call: OTHER_CALL,
        offer: crate::testing::OFFER,
        session: crate::testing::SESSION,
        cause: line::ReturnCause::NoAnswer,
        attempt: 1,
        still_ringing: false,
    };
    let boosted = queue::Config {
        matching: queue::Matching {
            retry_boost: 9,
            ..queue::Matching::default()
        },
        ..rules(Some(told()))
    };
    behind([FIRST])
        .hears_at(second(25), raised(5))
        .wakes(second(30))
        .asks([tells(MINE, 1, false, 50)])
        .hears_at(second(31), AnyEvent::Line(QUEUE, in_vain))
        .wakes(second(50))
        .asks([tells(MINE, 1, false, 70)])
        .hears_at(second(51), configured(boosted))
        // Nobody is told of a place behind the one that was told.
        .wakes(second(70))
        .asks_nothing()
        .hears_at(second(71), closed(FIRST))
        .wakes(second(90))
        .asks([tells(MINE, 1, false, 110)]);
}

#[test]
fn nobody_is_told_who_hears_nothing_or_whose_queue_does_not_say_so() {
    let at = second(20);
    // No answer before an agent's.
    process::<Enqueue>()
        .hears([created(Some(told()))])
        .hears_at(at, opened(MINE, at, AnswerMode::OnAgent, None))
        .sleeps_until(None);
    process::<Enqueue>()
        .hears([created(None)])
        .hears_at(at, opened(MINE, at, AnswerMode::Immediate, None))
        .sleeps_until(None);
    // It said so once.
    behind([])
        .hears_at(second(25), configured(rules(None)))
        .wakes(second(30))
        .asks_nothing()
        .sleeps_until(None);
}

#[test]
fn a_telling_that_was_missed_is_not_made_up_for() {
    behind([])
        .wakes(second(95))
        .asks([tells(MINE, 1, false, 110)])
        .sleeps_until(Some(second(110)));
}

/// A prompt that is heard is over before the next begins.
#[test]
fn after_one_that_comes_late_the_next_is_left_out_if_it_comes_too_soon() {
    behind([])
        .wakes(second(40))
        .asks([tells(MINE, 1, false, 50)])
        .sleeps_until(Some(second(50)));
    behind([])
        .wakes(second(41))
        .asks([tells(MINE, 1, false, 70)])
        .sleeps_until(Some(second(70)));
}

/// A run that does not know that it has asked asks for the same.
#[test]
fn a_telling_is_asked_for_once_also_by_the_next_run() {
    let heard = behind([FIRST]);
    let asked = |now: Timestamp| {
        let mut state = heard.state.clone();
        Enqueue::step(&mut state, &Input::Deadline(now))
    };
    let (first, again) = (asked(second(30)), asked(second(33)));
    assert_eq!(first, again);
    assert_eq!(first.len(), 1);
}
