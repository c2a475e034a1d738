//! The log on PostgreSQL obeys the contract.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use commands::ports::{EventLog, Position, StreamId};
use ringledger_store::{
    self as store, Stores, contract,
    testing::{self, Database},
};
use sqlx::{Connection, PgConnection};
use std::sync::Arc;

/// A store in a database of its own.
struct Fresh {
    stores: Stores,
    database: Database,
}

impl Fresh {
    async fn new() -> Self {
        let database = testing::database().await;
        let stores = store::open(database.url()).await.unwrap();
        Self { stores, database }
    }

    fn log(&self) -> Arc<dyn EventLog> {
        Arc::clone(&self.stores.log)
    }

    /// The log as several servers have it open.
    async fn nodes(&self, count: usize) -> Vec<Arc<dyn EventLog>> {
        let mut logs = vec![self.log()];
        while logs.len() < count {
            logs.push(self.database.node().await.unwrap().log);
        }
        logs
    }
}

#[tokio::test]
async fn expected_version_is_exact() {
    let store = Fresh::new().await;
    contract::expected_version_is_exact(store.log()).await;
}

#[tokio::test]
async fn what_was_written_is_read() {
    let store = Fresh::new().await;
    contract::what_was_written_is_read(store.log()).await;
}

#[tokio::test]
async fn a_retry_hears_the_first_result() {
    let store = Fresh::new().await;
    contract::a_retry_hears_the_first_result(store.log()).await;
}

#[tokio::test]
async fn one_command_has_one_effect_inside_a_batch() {
    let store = Fresh::new().await;
    contract::one_command_has_one_effect_inside_a_batch(store.log()).await;
}

#[tokio::test]
async fn a_refused_append_leaves_the_others_of_its_batch() {
    let store = Fresh::new().await;
    contract::a_refused_append_leaves_the_others_of_its_batch(store.log()).await;
}

#[tokio::test]
async fn a_refused_command_stays_refused() {
    let store = Fresh::new().await;
    contract::a_refused_command_stays_refused(store.log()).await;
}

#[tokio::test]
async fn a_command_with_an_effect_is_not_refused() {
    let store = Fresh::new().await;
    contract::a_command_with_an_effect_is_not_refused(store.log()).await;
}

#[tokio::test]
async fn an_append_without_events_is_refused() {
    let store = Fresh::new().await;
    contract::an_append_without_events_is_refused(store.log()).await;
}

#[tokio::test]
async fn reading_resumes_after_every_position() {
    let store = Fresh::new().await;
    contract::reading_resumes_after_every_position(store.log()).await;
}

#[tokio::test]
async fn a_long_stretch_is_read_like_its_parts() {
    let store = Fresh::new().await;
    contract::a_long_stretch_is_read_like_its_parts(store.log()).await;
}

#[tokio::test]
async fn events_are_found_by_when_they_were_taken() {
    let store = Fresh::new().await;
    contract::events_are_found_by_when_they_were_taken(store.log()).await;
}

#[tokio::test]
async fn a_stream_is_read_in_pages() {
    let store = Fresh::new().await;
    contract::a_stream_is_read_in_pages(store.log()).await;
}

#[tokio::test]
async fn wakeups_follow_the_head() {
    let store = Fresh::new().await;
    contract::wakeups_follow_the_head(store.log()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_reader_misses_nothing() {
    let store = Fresh::new().await;
    contract::a_tail_reader_misses_nothing(vec![store.log()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hot_stream_stays_contiguous() {
    let store = Fresh::new().await;
    contract::a_hot_stream_stays_contiguous(vec![store.log()]).await;
}

#[tokio::test]
async fn a_closed_log_keeps_everything() {
    let store = Fresh::new().await;
    let before = contract::written_before(store.log()).await;
    let Fresh { stores, database } = store;
    drop(stores);
    let stores = store::open(database.url()).await.unwrap();
    contract::everything_is_kept(stores.log, before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_reader_misses_nothing_on_several_nodes() {
    let store = Fresh::new().await;
    contract::a_tail_reader_misses_nothing(store.nodes(4).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hot_stream_stays_contiguous_on_several_nodes() {
    let store = Fresh::new().await;
    contract::a_hot_stream_stays_contiguous(store.nodes(4).await).await;
}

/// Another node's append by hand, so that it can be slow or be undone.
const SLOW: &str = "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, \
     event_version, payload, metadata, global_position, event_id, command_id, tenant, \
     correlation_id, causation_id, actor, node_epoch, recorded_at) \
     SELECT aggregate_type, 'note-slow', (SELECT count(*) + 1 FROM events \
     WHERE aggregate_id = 'note-slow'), event_type, event_version, payload, metadata, \
     (SELECT max(global_position) + 1 FROM events), event_id, command_id, tenant, \
     correlation_id, causation_id, actor, node_epoch, recorded_at \
     FROM events WHERE global_position = 1";

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_or_undone_commit_is_waited_for_and_leaves_no_hole() {
    let store = Fresh::new().await;
    let log = store.log();
    let ids = contract::Ids::new("slow");
    let next = || contract::append_of(&ids, &StreamId::new("note", ids.uuid()), 0, 1);
    log.append(vec![next()]).await.remove(0).unwrap();
    let mut other = PgConnection::connect(store.database.url()).await.unwrap();
    let mut head = Position(1);
    for end in ["ROLLBACK", "COMMIT", "ROLLBACK", "COMMIT"] {
        let begin = "BEGIN; SELECT pg_advisory_xact_lock(731087090301)";
        sqlx::raw_sql(begin).execute(&mut other).await.unwrap();
        sqlx::raw_sql(SLOW).execute(&mut other).await.unwrap();
        let pending = tokio::spawn({
            let (log, one) = (Arc::clone(&log), next());
            async move { log.append(vec![one]).await.remove(0).unwrap() }
        });
        // The append has reached the lock when the database says that it waits.
        let waits = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)";
        while !sqlx::query_scalar::<_, bool>(waits)
            .fetch_one(&mut other)
            .await
            .unwrap()
        {}
        let page = log.read_all(head, 10).await.unwrap();
        assert_eq!((page.events, page.next), (vec![], head));
        sqlx::raw_sql(end).execute(&mut other).await.unwrap();
        let appended = pending.await.unwrap();
        let slow = u64::from(end == "COMMIT");
        assert_eq!(appended.previous_head, Position(head.0 + slow));
        assert_eq!(appended.first, Position(head.0 + slow + 1));
        let page = log.read_all(head, 10).await.unwrap();
        assert_eq!(page.events.len() as u64, slow + 1);
        assert_eq!(page.next, appended.first);
        head = page.next;
    }
}
