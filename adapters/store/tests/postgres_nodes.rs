//! Nodes that share a database: leases, fencing, and who leads.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use commands::ports::{AppendError, Refusal, StreamId};
use domain::{id::CommandId, time::Timestamp};
use ringledger_store::{
    self as store, Nodes, OpenError, Stores,
    contract::{Ids, append_of},
    testing,
};

/// Longer than any test.
const LONG_MS: u64 = 600_000;
/// Whoever has it is silent for too long in no time.
const NOTHING_MS: u64 = 0;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

async fn join(nodes: &Nodes, name: &str, lease_ms: u64) -> u64 {
    let epoch = nodes.next_epoch(name).await.unwrap();
    nodes.join(epoch, name, at(1), lease_ms).await.unwrap();
    epoch
}

/// Fences whom a node would find silent: those of the shortest lease.
async fn fence(nodes: &Nodes, by: u64) -> Vec<u64> {
    let members = nodes.all().await.unwrap();
    let silent = members
        .iter()
        .filter(|member| member.lease_ms == NOTHING_MS);
    let silent: Vec<_> = silent
        .map(|member| (member.node_epoch, member.last_beat_at))
        .collect();
    nodes.fence(by, &silent).await.unwrap()
}

/// Whether the log takes an append of that run.
async fn may_write(stores: &Stores, epoch: u64) -> bool {
    let ids = Ids::new(&format!(
        "write-{epoch}-{}",
        stores.log.head().await.unwrap()
    ));
    let mut one = append_of(&ids, &StreamId::new("note", ids.uuid()), 0, 1);
    one.changes[0].metadata.node_epoch = epoch;
    match stores.log.append(vec![one]).await.remove(0) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error, AppendError::Fenced);
            false
        }
    }
}

#[tokio::test]
async fn nodes_of_other_names_share_a_database_and_maintenance_does_not() {
    let database = testing::database().await;
    let a = store::join(database.url(), "a").await.unwrap();
    let b = store::join(database.url(), "b").await.unwrap();
    for refused in [
        store::join(database.url(), "a").await.unwrap_err(),
        store::open(database.url()).await.unwrap_err(),
    ] {
        assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
    }
    drop((a, b));
    let alone = store::open(database.url()).await.unwrap();
    let refused = store::join(database.url(), "a").await.unwrap_err();
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
    drop(alone);
    store::join(database.url(), "a").await.unwrap();
}

#[tokio::test]
async fn a_node_that_was_seen_to_be_silent_is_fenced_if_it_still_is() {
    let database = testing::database().await;
    let stores = store::join(database.url(), "b").await.unwrap();
    let nodes = &stores.nodes;
    let a = join(nodes, "a", NOTHING_MS).await;
    let b = join(nodes, "b", LONG_MS).await;
    // Late is not lost: nobody has fenced it yet, and it may come back.
    assert!(may_write(&stores, a).await);
    assert!(nodes.renew(a, at(2), NOTHING_MS).await.unwrap());
    let fenced = nodes.fence(b, &[(a, at(1))]).await.unwrap();
    assert!(fenced.is_empty(), "it has given a sign of life since");
    let ids = Ids::new("refusals");
    let refuse = |epoch| {
        let refusal = Refusal {
            stream: StreamId::new("note", ids.uuid()),
            version: 1,
            at: at(2),
            code: "note.closed".into(),
            message: "closed".into(),
        };
        stores.log.refuse(epoch, CommandId(ids.uuid()), refusal)
    };
    assert_eq!(refuse(a).await, Ok(()));
    assert_eq!(fence(nodes, b).await, [a]);
    assert_eq!(refuse(a).await, Err(AppendError::Fenced));
    assert_eq!(refuse(b).await, Ok(()));
    let fenced = nodes.fence(a, &[(b, at(1))]).await.unwrap();
    assert!(fenced.is_empty(), "who is over fences nobody");
    assert!(!may_write(&stores, a).await);
    assert!(may_write(&stores, b).await);
    assert!(!nodes.renew(a, at(3), LONG_MS).await.unwrap());
    assert!(fence(nodes, b).await.is_empty());
    let beat = nodes.last_beat_of(a).await.unwrap().unwrap();
    assert_eq!(beat.at, at(2), "its last sign of life stays");
    // A new run of that name may act again.
    let again = join(nodes, "a", LONG_MS).await;
    assert!(may_write(&stores, again).await);
    assert!(!may_write(&stores, a).await);
}

#[tokio::test]
async fn the_lead_changes_hands_only_when_its_holder_is_over_and_its_token_grows() {
    let database = testing::database().await;
    let stores = store::join(database.url(), "a").await.unwrap();
    let nodes = &stores.nodes;
    let a = join(nodes, "a", LONG_MS).await;
    assert_eq!(nodes.take_lead(a).await.unwrap(), Some(1));
    let b = join(nodes, "b", LONG_MS).await;
    assert_eq!(nodes.take_lead(b).await.unwrap(), None);
    assert!(nodes.renew(a, at(3), NOTHING_MS).await.unwrap());
    assert_eq!(nodes.take_lead(b).await.unwrap(), None, "late is not over");
    assert_eq!(fence(nodes, b).await, [a]);
    assert_eq!(nodes.take_lead(b).await.unwrap(), Some(2));
    assert_eq!(nodes.take_lead(b).await.unwrap(), None, "it leads already");
    let leading: Vec<_> = nodes
        .all()
        .await
        .unwrap()
        .iter()
        .map(|m| m.leading)
        .collect();
    assert_eq!(leading, [Some(2)]);
    nodes.leave(b, at(4)).await.unwrap();
    let c = join(nodes, "c", LONG_MS).await;
    assert_eq!(nodes.take_lead(c).await.unwrap(), Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_sign_of_life_is_the_newest_runs_though_an_older_ones_clock_was_ahead() {
    let database = testing::database().await;
    let stores = store::join(database.url(), "a").await.unwrap();
    let nodes = &stores.nodes;
    let a = join(nodes, "a", LONG_MS).await;
    assert!(nodes.renew(a, at(315_360_000), LONG_MS).await.unwrap());
    let b = join(nodes, "b", LONG_MS).await;
    assert!(nodes.renew(b, at(3), LONG_MS).await.unwrap());
    let last = nodes.last_beat().await.unwrap().unwrap();
    assert_eq!((last.node_epoch, last.at), (b, at(3)));
}
