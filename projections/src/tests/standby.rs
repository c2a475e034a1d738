//! A node that stands by, when the store or the feed is slower than the leader.

use super::{block_on, empty, run_to_end, runner};
use crate::{
    changed::{Change, Changes, View},
    checkpoint, registry,
    runner::Runner,
    slot::Generation,
    source::Source,
    testing::{Faulty, Side, World},
};
use commands::ports::{Position, ReadStore};
use std::sync::Arc;

/// The events that are told.
fn told(changes: &Changes) -> Vec<u64> {
    let events = changes.rows.iter().filter_map(|change| match change {
        Change::Timeline(position, _) => Some(*position),
        Change::Cdr(..)
        | Change::LiveCall(..)
        | Change::AgentState(..)
        | Change::Erasure(..)
        | Change::QueueStats(..)
        | Change::Trunk(..)
        | Change::Callback(..)
        | Change::Mailbox(..)
        | Change::Billing(..) => None,
    });
    events.collect()
}

async fn standby(world: &World, read: &Arc<dyn ReadStore>) -> Runner {
    let source = Source::Log(world.log().await);
    let vault = world.vault.clone();
    Runner::attach(source, read.clone(), vault, &View::ALL)
        .await
        .unwrap()
}

#[test]
fn what_the_leader_has_committed_before_this_node_has_heard_of_it_is_told_later() {
    block_on(async {
        let mut world = World::open().await;
        world.arrives(1).settle();
        let read = empty();
        run_to_end(&mut runner(&world, &read).await).await;
        let mut standby = standby(&world, &read).await;
        let (known, heard) = (world.facts.len() as u64, world.log().await);
        world.hangs_up(1, Side::Caller).settle();
        run_to_end(&mut runner(&world, &read).await).await;
        let head = world.facts.len() as u64;
        assert!(head > known);
        // The leader's checkpoints are here, and the events are not.
        standby.source = Source::Log(heard);
        assert!(standby.follow(|| true).await.unwrap().is_none());
        assert_eq!(standby.followed(), Position(known));
        standby.source = Source::Log(world.log().await);
        let changes = standby.follow(|| true).await.unwrap().unwrap();
        assert_eq!(changes.position, Position(head));
        assert_eq!(told(&changes), Vec::from_iter(known + 1..=head));
    });
}

#[test]
fn what_was_read_before_the_store_failed_is_told() {
    block_on(async {
        let mut world = World::open().await;
        world.arrives(1).settle();
        let faulty = Arc::new(Faulty::new(empty()));
        let read: Arc<dyn ReadStore> = faulty.clone();
        run_to_end(&mut runner(&world, &read).await).await;
        let mut standby = standby(&world, &read).await;
        let known = world.facts.len() as u64;
        world.hangs_up(1, Side::Caller).settle();
        run_to_end(&mut runner(&world, &read).await).await;
        let head = world.facts.len() as u64;
        standby.source = Source::Log(world.log().await);
        // The timeline comes first: its checkpoint and its rows are read, no more.
        faulty.fail_queries_after(2);
        let changes = standby.follow(|| true).await.unwrap().unwrap();
        assert_eq!(told(&changes), Vec::from_iter(known + 1..=head));
        assert!(standby.follow(|| true).await.is_err());
        faulty.fail_queries_after(usize::MAX);
        let changes = standby.follow(|| true).await.unwrap().unwrap();
        assert_eq!(changes.position, Position(head));
        assert!(told(&changes).is_empty(), "once");
        assert!(!changes.rows.is_empty());
    });
}

#[test]
fn a_switch_to_rows_of_the_same_rules_and_place_is_told() {
    block_on(async {
        let mut world = World::open().await;
        world.arrives(1).settle();
        let read = empty();
        run_to_end(&mut runner(&world, &read).await).await;
        let mut standby = standby(&world, &read).await;
        assert!(standby.follow(|| true).await.unwrap().is_none());
        let part = registry::slot(View::LiveCalls, Generation::Live);
        let (name, here) = (part.checkpoint(), Position(world.facts.len() as u64));
        let switch = checkpoint::replace(name, here, part.version(), here);
        read.transact(vec![switch]).await.unwrap();
        let changes = standby.follow(|| true).await.unwrap().unwrap();
        assert_eq!(changes.position, here);
        assert!(changes.rows.is_empty(), "boards are read again");
        assert!(standby.follow(|| true).await.unwrap().is_none());
    });
}
