//! The store's clock is set ten years ahead and back while events are taken.

use super::{
    EventFilter,
    tests::{Desk, audited_in, finds, positions, story},
};
use commands::ports::{Clock, EventLog as _, Position, Recorded};
use domain::time::Timestamp;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::SeqCst},
};

const START: i64 = 1_800_000_000_000_000;
const DAY: i64 = 86_400_000_000;
const TEN_YEARS: i64 = 3_650 * DAY;

/// A clock on the wall, which can be set.
#[derive(Default)]
struct Wall(AtomicI64);

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(SeqCst))
    }
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(START + micros)
}

/// The record of a story of which six commands came while the clock was off by that.
async fn taken_off_by(micros: i64) -> (Desk, Vec<Recorded>) {
    let world = story().await;
    let wall = Arc::new(Wall::default());
    let log = store::memory::MemoryLog::with_clock(wall.clone());
    for (index, append) in (0..).zip(&world.appends) {
        let off = if (8..14).contains(&index) { micros } else { 0 };
        wall.0.store(START + index * 1_000_000 + off, SeqCst);
        log.append(vec![append.clone()]).await.remove(0).unwrap();
    }
    audited_in(&world, Arc::new(log)).await
}

fn last_of(stored: &[Recorded], instant: Timestamp) -> Position {
    let mut then = stored.iter().rev();
    then.find(|event| event.recorded_at == instant)
        .unwrap()
        .position
}

#[tokio::test]
async fn an_instant_before_the_clock_was_behind_is_not_a_place_in_that_while() {
    let (desk, stored) = taken_off_by(-TEN_YEARS).await;
    let head = stored.last().unwrap().position;
    for (instant, position) in [
        (at(6_500_000), last_of(&stored, at(6_000_000))),
        (at(7_000_000), last_of(&stored, at(7_000_000))),
        // Nobody knows when in between they came.
        (at(13_500_000), last_of(&stored, at(7_000_000))),
        (at(14_000_000), last_of(&stored, at(14_000_000))),
        (at(DAY), head),
        (at(-1), Position(0)),
    ] {
        let found = desk.past.position_at(instant).await.unwrap();
        assert_eq!(found, position, "{instant:?}");
    }
    let filter = EventFilter {
        from: Some(at(0)),
        until: Some(at(DAY)),
        ..EventFilter::default()
    };
    let wanted = positions(&stored, |event| event.recorded_at >= at(0));
    finds(&desk, &filter, &wanted).await;
}

#[tokio::test]
async fn an_instant_and_a_time_mean_what_was_taken_then_though_the_clock_was_ahead_for_a_while() {
    let (desk, stored) = taken_off_by(TEN_YEARS).await;
    let head = stored.last().unwrap().position;
    let position_at = async |instant| desk.past.position_at(instant).await.unwrap();
    // Before it, when it was over, and long after.
    for (instant, position) in [
        (at(7_000_000), last_of(&stored, at(7_000_000))),
        (at(7_500_000), last_of(&stored, at(7_000_000))),
        (at(16_000_000), last_of(&stored, at(16_000_000))),
        (at(DAY), head),
        (at(2 * TEN_YEARS), head),
        (at(-1), Position(0)),
    ] {
        assert_eq!(position_at(instant).await, position, "{instant:?}");
    }
    let board = desk.past.board(position_at(at(DAY)).await).await.unwrap();
    assert_eq!(board.position(), head.0);
    // Events of today are not those of in ten years, though they stand among them.
    let of_today = |event: &Recorded| event.recorded_at < at(DAY);
    let types = ["offer_started", "call_ended", "agent_became_ready"];
    for types in [vec![], types.map(String::from).to_vec()] {
        let is_of = |event: &Recorded| {
            types.is_empty() || types.iter().any(|one| **one == *event.event_type)
        };
        for (from, until, is_today) in [
            (Some(at(0)), Some(at(DAY)), true),
            (None, Some(at(DAY)), true),
            (Some(at(DAY)), None, false),
        ] {
            let filter = EventFilter {
                types: types.clone(),
                from,
                until,
                ..EventFilter::default()
            };
            let wanted = positions(&stored, |event| of_today(event) == is_today && is_of(event));
            assert!(!wanted.is_empty());
            finds(&desk, &filter, &wanted).await;
        }
    }
}

#[tokio::test]
async fn an_event_that_was_taken_while_the_clock_was_ahead_happened_when_it_says() {
    let (desk, stored) = taken_off_by(TEN_YEARS).await;
    assert!(stored.iter().any(|event| event.recorded_at > at(DAY)));
    for event in stored {
        let position = event.position;
        let own = commands::feed::understand(event).unwrap().fact.at;
        let happened = desk.past.happened_at(position).await.unwrap();
        assert_eq!(happened, Some(own));
        assert!(own < at(DAY));
    }
}
