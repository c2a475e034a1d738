//! The place that a caller is told is the one that a board shows.

use super::{block_on, estimates::views};
use crate::testing::{World, actions, call, has_a_stay_twice, play, queue, visit};
use domain::{
    any::{AnyCommand, AnyEvent},
    call::{Command, Event},
    id::{CallId, QueueId, VisitId},
    line,
    process::{Input, Process as _, enqueue},
    queue::{self as queues, AnnouncePosition},
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The same rules, and callers are told their places.
fn telling(config: &queues::Config) -> queues::Config {
    let told = AnnouncePosition {
        sounds: "english".into(),
        every_ms: 10_000,
        first_ms: 1_000,
        up_to: 99,
    };
    queues::Config {
        announce_position: Some(Box::new(told)),
        ..config.clone()
    }
}

/// The place that everybody is told who waits in such a world.
fn told(world: &World) -> BTreeSet<(CallId, QueueId, u64)> {
    let mut state = enqueue::State::default();
    let mut stays: BTreeMap<VisitId, QueueId> = BTreeMap::new();
    for fact in &world.facts {
        let mut fact = fact.clone();
        if let AnyEvent::Queue(
            _,
            queues::Event::Created { config, .. } | queues::Event::Configured { config, .. },
        ) = &mut fact.event
        {
            *config = telling(config);
        }
        if let AnyEvent::Line(queue, line::Event::Opened { visit, .. }) = &fact.event {
            stays.insert(*visit, *queue);
        }
        enqueue::Enqueue::step(&mut state, &Input::Event(&fact));
    }
    let later = world.now.plus_ms(60_000);
    let asked = enqueue::Enqueue::step(&mut state, &Input::Deadline(later));
    let told = asked.into_iter().filter_map(|intent| {
        let AnyCommand::Call(call, Command::TellPlace(telling)) = intent.command else {
            return None;
        };
        let queue = *stays.get(&telling.visit)?;
        Some((call, queue, u64::from(telling.place)))
    });
    told.collect()
}

/// Calls that have left their line or are over, of which it has not heard yet.
fn gone(world: &World) -> BTreeSet<CallId> {
    let mut gone = BTreeSet::new();
    for fact in &world.facts {
        if let AnyEvent::Call(call, Event::Overflowed { .. } | Event::Ended { .. }) = &fact.event {
            gone.insert(*call);
        }
        if let AnyEvent::Call(call, Event::Enqueued { .. }) = &fact.event {
            gone.remove(call);
        }
    }
    gone
}

/// The places that a board shows.
fn shown(world: &World) -> BTreeSet<(CallId, QueueId, u64)> {
    let views = block_on(views(world));
    let gone = gone(world);
    let calls: Vec<CallId> = (1..8)
        .map(call)
        .filter(|call| !gone.contains(call))
        .collect();
    let places = block_on(views.places_of(&calls)).unwrap();
    let places = places.into_iter();
    places
        .map(|(call, place)| (call, place.queue, place.place))
        .collect()
}

#[test]
fn callers_are_told_who_stands_before_them() {
    let mut world = block_on(World::open());
    world.arrives(1).settle().pass(1_000).arrives(3).settle();
    world.pass(1_000).arrives(2).settle().arrives(5).settle();
    let priority = line::Command::ChangePriority {
        visit: visit(5),
        priority: 7,
    };
    world.tell(AnyCommand::Line(queue(1), priority));
    let places = [(1, 1, 2), (3, 1, 3), (5, 1, 1), (2, 2, 1)];
    let places = places.map(|(number, of, place)| (call(number), queue(of), place));
    assert_eq!(told(&world), places.into());
    assert_eq!(shown(&world), places.into());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_place_that_is_told_is_the_one_that_is_shown(history in actions()) {
        let mut world = block_on(play(&history));
        world.settle();
        prop_assume!(!has_a_stay_twice(&world));
        prop_assert_eq!(told(&world), shown(&world));
    }
}
