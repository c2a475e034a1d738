//! Restarts, other versions, redelivery, erasure.

use super::{block_on, empty, run_to_end, runner};
use crate::{
    changed::{Change, View},
    checkpoint,
    followed::Followed,
    rebuild, registry,
    runner::RunError,
    slot::Generation,
    source::Source,
    testing::{Fault, Faulty, Side, World, call, dump, dump_all},
};
use commands::ports::{Erasure, Position, ReadStore, Statement, StoreError, Value, Vault as _};
use domain::cause::OfferOutcome;
use std::sync::Arc;

/// One call that is answered at the second offer, one that leaves, one in
/// progress.
async fn story() -> World {
    let mut world = World::open().await;
    world.pass(100).arrives(1).settle();
    world.pass(900).offers(1, 1).pass(500).rings(1);
    world.pass(3_000).fails(1, OfferOutcome::Rejected).settle();
    world
        .offers(1, 2)
        .pass(700)
        .rings(1)
        .pass(2_300)
        .answers(1)
        .settle();
    world.arrives(2).settle();
    world.pass(4_000).hangs_up(2, Side::Caller).settle();
    world.pass(1_000).hangs_up(1, Side::Agent).settle();
    world.pass(5_000).wrap_up_ends(2);
    world.arrives(3).settle();
    world
}

async fn set_checkpoint(read: &dyn ReadStore, name: &str, column: &str, value: i64) {
    let sql: &'static str = match column {
        "version" => "UPDATE es_projections SET version = $1 WHERE name = $2",
        _ => "UPDATE es_projections SET position = $1 WHERE name = $2",
    };
    let parameters = vec![Value::Int(value), Value::Text(name.into())];
    let must_touch = Some(1);
    read.transact(vec![Statement {
        sql,
        parameters,
        must_touch,
    }])
    .await
    .unwrap();
}

#[test]
fn each_view_rebuilt_equals_the_one_that_followed() {
    block_on(async {
        let world = story().await;
        let read = empty();
        let mut following = runner(&world, &read).await;
        following.batch_max = 3;
        run_to_end(&mut following).await;
        for view in View::ALL {
            let followed = dump(read.as_ref(), view).await;
            let vault = world.vault.clone();
            let reached = rebuild(world.log().await, read.clone(), vault, view).await;
            assert_eq!(reached.unwrap(), Position(world.facts.len() as u64));
            assert_eq!(dump(read.as_ref(), view).await, followed, "{view:?}");
        }
    });
}

#[test]
fn rows_of_another_version_stay_and_are_named() {
    block_on(async {
        let world = story().await;
        let read = empty();
        run_to_end(&mut runner(&world, &read).await).await;
        let before = dump_all(read.as_ref()).await;
        set_checkpoint(read.as_ref(), "queue_stats", "version", 0).await;
        let after = runner(&world, &read).await;
        assert_eq!(after.stale(), [View::QueueStats]);
        assert_eq!(after.position(), Position(world.facts.len() as u64));
        assert_eq!(dump_all(read.as_ref()).await, before);
    });
}

#[test]
fn a_view_that_is_new_beside_a_long_record_holds_nobody_up() {
    block_on(async {
        let world = story().await;
        let read = empty();
        run_to_end(&mut runner(&world, &read).await).await;
        let forget = checkpoint::clear("cdr");
        read.transact(vec![forget]).await.unwrap();
        let after = runner(&world, &read).await;
        assert_eq!(after.stale(), [View::Cdr]);
        assert_eq!(after.position(), Position(world.facts.len() as u64));
    });
}

#[test]
fn facts_that_come_again_change_nothing() {
    block_on(async {
        let world = story().await;
        let read = empty();
        run_to_end(&mut runner(&world, &read).await).await;
        let before = dump_all(read.as_ref()).await;
        for (back, batch_max) in [(0, 500), (0, 1), (9, 4), (20, 2)] {
            for view in View::ALL {
                set_checkpoint(read.as_ref(), view.name(), "position", back).await;
            }
            let mut again = runner(&world, &read).await;
            again.batch_max = batch_max;
            run_to_end(&mut again).await;
            assert_eq!(dump_all(read.as_ref()).await, before, "{back} {batch_max}");
        }
    });
}

#[test]
fn a_call_that_came_and_went_while_its_row_was_live_leaves_no_row() {
    block_on(async {
        let mut world = World::open().await;
        world.arrives(1).settle();
        let read = empty();
        run_to_end(&mut runner(&world, &read).await).await;
        assert!(
            dump(read.as_ref(), View::LiveCalls)
                .await
                .contains("live_calls")
        );
        // All of it comes again, the end too, in one batch.
        world.hangs_up(1, Side::Caller).settle();
        for view in [View::LiveCalls, View::Cdr] {
            set_checkpoint(read.as_ref(), view.name(), "position", 0).await;
        }
        run_to_end(&mut runner(&world, &read).await).await;
        assert_eq!(dump(read.as_ref(), View::LiveCalls).await, "");
        let records = dump(read.as_ref(), View::Cdr).await;
        assert_eq!(records.lines().count(), 1, "{records}");
        assert!(records.starts_with("cdr:"), "{records}");
    });
}

#[test]
fn a_commit_whose_answer_was_lost_is_told_to_subscribers_once() {
    block_on(async {
        let world = story().await;
        let faulty = Arc::new(Faulty::new(empty()));
        let read: Arc<dyn ReadStore> = faulty.clone();
        let mut following = runner(&world, &read).await;
        faulty.plan([Fault::AnswerLost]);
        let error = following.step(|| true).await.unwrap_err();
        assert!(matches!(error, RunError::Store(StoreError::Unavailable(_))));
        assert_eq!(following.position(), Position(0));
        let changes = following.step(|| true).await.unwrap().unwrap();
        assert_eq!(changes.position, Position(world.facts.len() as u64));
        let events = changes
            .rows
            .iter()
            .filter(|change| matches!(change, Change::Timeline(..)));
        assert_eq!(events.count(), world.facts.len());
        assert!(following.step(|| true).await.unwrap().is_none());
    });
}

#[test]
fn a_value_that_the_store_can_not_hold_stops_its_view_before_it_and_no_other() {
    block_on(async {
        let world = story().await;
        let faulty = Arc::new(Faulty::new(empty()));
        let read: Arc<dyn ReadStore> = faulty.clone();
        let mut following = runner(&world, &read).await;
        // The batch of all views, then the second event of the first view alone.
        faulty.plan([Fault::Refused, Fault::None, Fault::Refused]);
        run_to_end(&mut following).await;
        let progress = following.progress();
        let (timeline, others) = progress.split_first().unwrap();
        let parked = timeline.parked.as_ref().unwrap();
        assert_eq!(
            (timeline.view, timeline.position),
            (View::Timeline, Position(1))
        );
        assert_eq!((parked.position, parked.reason.as_str()), (2, "planned"));
        let head = Position(world.facts.len() as u64);
        assert!(
            others
                .iter()
                .all(|other| other.position == head && other.parked.is_none())
        );
        // A person has made room for it.
        following.slots[0].resume();
        run_to_end(&mut following).await;
        let fresh = empty();
        run_to_end(&mut runner(&world, &fresh).await).await;
        assert_eq!(
            dump_all(read.as_ref()).await,
            dump_all(fresh.as_ref()).await
        );
    });
}

#[test]
fn rows_of_two_rules_are_nobodys() {
    block_on(async {
        let mut world = story().await;
        let read = empty();
        run_to_end(&mut runner(&world, &read).await).await;
        set_checkpoint(read.as_ref(), "live_calls", "version", 4_711).await;
        // This program goes on with them, and the one that made them comes back.
        world.arrives(4).settle();
        run_to_end(&mut runner(&world, &read).await).await;
        let stored = checkpoint::read(read.as_ref(), "live_calls").await.unwrap();
        assert_eq!(stored, Some((0, Position(world.facts.len() as u64))));
    });
}

#[test]
fn a_switch_whose_answer_was_lost_is_known_before_the_next_event() {
    block_on(async {
        let mut world = story().await;
        let faulty = Arc::new(Faulty::new(empty()));
        let read: Arc<dyn ReadStore> = faulty.clone();
        let mut following = runner(&world, &read).await;
        run_to_end(&mut following).await;
        let part = registry::slot(View::Cdr, Generation::Next);
        for (table, twin) in part.twins() {
            read.twin(table, twin).await.unwrap();
        }
        let (name, version) = (part.checkpoint(), part.version());
        let start = Position::default();
        read.transact(vec![checkpoint::set(name, version, start)])
            .await
            .unwrap();
        let built = Followed::new(View::Cdr, part, start, version);
        following.slots.push(built);
        run_to_end(&mut following).await;
        assert!(following.is_level(View::Cdr));
        faulty.plan([Fault::AnswerLost]);
        faulty.fail_queries_after(0);
        assert!(following.switch(View::Cdr).await.is_err());
        world.hangs_up(3, Side::Caller).settle();
        following.source = Source::Log(world.log().await);
        // The store is still away.
        assert!(following.step(|| false).await.is_err());
        faulty.fail_queries_after(usize::MAX);
        run_to_end(&mut following).await;
        assert!(following.find(View::Cdr, Generation::Next).is_none());
        let fresh = empty();
        run_to_end(&mut runner(&world, &fresh).await).await;
        assert_eq!(
            dump_all(read.as_ref()).await,
            dump_all(fresh.as_ref()).await
        );
    });
}

#[test]
fn subscribers_hear_of_records_only_when_the_call_has_ended() {
    block_on(async {
        let world = story().await;
        let mut following = runner(&world, &empty()).await;
        following.batch_max = 1;
        let mut records = vec![];
        while let Some(changes) = following.step(|| true).await.unwrap() {
            records.extend(changes.rows.into_iter().filter_map(|change| match change {
                Change::Cdr(id, row) => Some((id, row.unwrap().revision)),
                Change::Timeline(..)
                | Change::LiveCall(..)
                | Change::AgentState(..)
                | Change::Erasure(..)
                | Change::QueueStats(..)
                | Change::Trunk(..)
                | Change::Callback(..)
                | Change::Mailbox(..)
                | Change::Billing(..) => None,
            }));
        }
        records.dedup();
        assert_eq!(records, [(call(2), 1), (call(1), 1), (call(1), 2)]);
    });
}

#[test]
fn a_runner_that_was_overtaken_by_another_stops() {
    block_on(async {
        let world = story().await;
        let read = empty();
        let mut slow = runner(&world, &read).await;
        run_to_end(&mut runner(&world, &read).await).await;
        let before = dump_all(read.as_ref()).await;
        let error = slow.step(|| false).await.unwrap_err();
        assert!(
            matches!(error, RunError::Store(StoreError::Fenced)),
            "{error}"
        );
        assert_eq!(dump_all(read.as_ref()).await, before);
    });
}

#[test]
fn an_erased_caller_leaves_durations_and_counts() {
    block_on(async {
        let world = story().await;
        let read = empty();
        run_to_end(&mut runner(&world, &read).await).await;
        let mut before = dump_all(read.as_ref()).await;
        assert!(before.contains("+4930222") && before.contains("+4930111"));
        let erasure = Erasure {
            subject: world.callers[1].subject,
            keys_through: 1,
            position: Position(world.facts.len() as u64),
        };
        world.vault.shred(&erasure).await.unwrap();
        for view in View::ALL {
            let vault = world.vault.clone();
            rebuild(world.log().await, read.clone(), vault, view)
                .await
                .unwrap();
        }
        let after = dump_all(read.as_ref()).await;
        assert!(!after.contains("+4930222") && after.contains("+4930111"));
        // Nothing else has changed.
        let person = r#"Text("+4930222"), Text("carrier.example"), Null"#;
        before = before.replace(person, "Null, Null, Null");
        let open = r#"{\"host\":\"carrier.example\",\"user\":\"+4930222\"}"#;
        assert_eq!(after, before.replace(open, "null"));
    });
}
