//! How long a caller is told to wait is by what it is decided whether one may.

use super::{block_on, empty, run_to_end, runner};
use crate::{
    past::Past,
    testing::{Side, World, actions, has_a_stay_twice, play, queue},
    views::Views,
};
use domain::{
    any::{AnyCommand, AnyEvent, Fact},
    call::{self, AnswerMode, OverflowCause},
    id::{CallId, EventId, QueueId, VisitId},
    process::{Input, Process as _, enqueue},
    queue::{self as queues, Overflow, OverflowTo},
    time::Timestamp,
};
use proptest::prelude::*;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, watch};
use uuid::Uuid;

/// The same rules, and nobody is to wait for longer than that.
fn limited(config: &queues::Config, expected_wait_max_ms: u64) -> queues::Config {
    let elsewhere = Overflow {
        when: OverflowCause::ExpectedWait,
        to: OverflowTo::Number("+49301234".into()),
    };
    queues::Config {
        expected_wait_max_ms,
        overflow: vec![elsewhere],
        ..config.clone()
    }
}

/// The process that decides has heard the world, whose queues all ask how long it takes.
fn heard(world: &World) -> enqueue::State {
    let mut state = enqueue::State::default();
    for fact in &world.facts {
        let mut fact = fact.clone();
        if let AnyEvent::Queue(
            _,
            queues::Event::Created { config, .. } | queues::Event::Configured { config, .. },
        ) = &mut fact.event
        {
            *config = limited(config, u64::MAX);
        }
        enqueue::Enqueue::step(&mut state, &Input::Event(&fact));
    }
    state
}

fn fact(world: &World, number: u64, at: Timestamp, event: AnyEvent) -> Fact {
    Fact {
        position: world.facts.len() as u64 + number,
        version: number,
        event_id: EventId(Uuid::from_u64_pair(77, number)),
        at,
        node_epoch: 1,
        tenant: domain::id::DEFAULT_TENANT,
        event,
    }
}

/// Whether a call that comes then is sent on, where nobody is to wait for longer than that.
fn is_sent_on(
    world: &World,
    state: &enqueue::State,
    queue: QueueId,
    at: Timestamp,
    most_ms: u64,
) -> bool {
    let mut configs = world.facts.iter().rev().filter_map(|fact| {
        let AnyEvent::Queue(of, event) = &fact.event else {
            return None;
        };
        event.configured().filter(|_| *of == queue)
    });
    let (version, config) = configs.next().expect("the queue was made");
    let rules = queues::Event::Configured {
        config_version: version + 1,
        config: limited(config, most_ms),
    };
    let comes = call::Event::Enqueued {
        visit: VisitId(Uuid::from_u64_pair(78, 1)),
        queue,
        config_version: version + 1,
        answer_mode: AnswerMode::OnAgent,
        exit_keys: vec![],
        music: None,
    };
    let mut state = state.clone();
    let rules = fact(world, 1, at, AnyEvent::Queue(queue, rules));
    enqueue::Enqueue::step(&mut state, &Input::Event(&rules));
    let call = CallId(Uuid::from_u64_pair(79, 1));
    let comes = fact(world, 2, at, AnyEvent::Call(call, comes));
    let asked = enqueue::Enqueue::step(&mut state, &Input::Event(&comes));
    asked.iter().any(|intent| {
        matches!(
            intent.command,
            AnyCommand::Call(
                _,
                call::Command::OverflowCall {
                    cause: OverflowCause::ExpectedWait,
                    ..
                }
            )
        )
    })
}

pub(super) async fn views(world: &World) -> Views {
    let read = empty();
    let mut following = runner(world, &read).await;
    run_to_end(&mut following).await;
    let past = Past::new(world.log().await, read.clone(), world.vault.clone());
    let (_, progress) = watch::channel(Arc::from([]));
    let (changes, _) = broadcast::channel(1);
    Views::new(read, progress, changes, past, mpsc::channel(1).0)
}

/// What is shown and what is decided at that instant; how many of both queues tell a wait.
fn agree(world: &World, later_ms: u64) -> usize {
    let state = heard(world);
    let views = block_on(views(world));
    let at = world.now.plus_ms(later_ms);
    let queues = [queue(1), queue(2)].into_iter();
    let told = queues.filter(|queue| {
        let paces = block_on(views.paces_of(&[*queue], at)).unwrap();
        let shown = paces.first().and_then(|(_, pace)| pace.next_wait_ms());
        let is_sent_on = |most_ms| is_sent_on(world, &state, *queue, at, most_ms);
        match shown {
            // A limit of none at all is no limit.
            Some(ms) => {
                assert!(!is_sent_on(ms.max(1)), "{ms}");
                assert!(ms < 2 || is_sent_on(ms - 1), "{ms}");
            }
            None => assert!(!is_sent_on(1)),
        }
        shown.is_some()
    });
    told.count()
}

#[test]
fn a_wait_is_told_and_decided_by_the_same_contacts() {
    let mut world = block_on(World::open());
    for (number, talk_ms) in [(1, 61_234), (3, 20_001), (2, 5_999)] {
        world.arrives(number).settle().pass(3_000);
        world.offers(number, 1).pass(1_500).answers(number).settle();
        world.pass(talk_ms / 2).holds(number, Side::Caller);
        world.pass(talk_ms / 3).retrieves(number, Side::Caller);
        world.pass(talk_ms).hangs_up(number, Side::Caller).settle();
        world.pass(2_345).wrap_up_ends(1);
    }
    world.arrives(5).settle();
    assert_eq!(agree(&world, 0), 2);
    assert_eq!(agree(&world, 40_000_000), 2);
}

#[test]
fn a_contact_that_was_transferred_counts_for_its_own_queue_with_the_end_of_the_call() {
    let mut world = block_on(World::open());
    world.arrives(1).settle().pass(3_000);
    world.offers(1, 1).answers(1).settle().pass(61_234);
    world.is_transferred(1).settle().pass(2_345).wrap_up_ends(1);
    world.pass(10_000).offers(1, 2).answers(1).settle();
    assert_eq!(agree(&world, 0), 0, "the call is not over");
    world.pass(20_001).is_transferred(1).settle();
    world.pass(1_000).offers(1, 3).answers(1).settle();
    world.pass(7_000).hangs_up(1, Side::Caller).settle();
    world.pass(1_111).wrap_up_ends(2).wrap_up_ends(3);
    world.arrives(3).settle();
    assert_eq!(agree(&world, 0), 2);
    assert_eq!(agree(&world, 40_000_000), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_wait_that_is_shown_is_that_by_which_a_caller_is_let_wait(history in actions()) {
        let mut world = block_on(play(&history));
        world.settle();
        prop_assume!(!has_a_stay_twice(&world));
        for later_ms in [0, 900_000, 1_800_000, 40_000_000] {
            agree(&world, later_ms);
        }
    }
}
