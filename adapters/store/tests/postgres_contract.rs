//! The log on PostgreSQL obeys the contract.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use async_trait::async_trait;
use commands::ports::EventLog;
use ringledger_store::{
    self as store, OpenError, Stores, cluster,
    contract::{self, Installation, Second, Slow},
    testing::{self, Database},
};
use sqlx::{Connection, PgConnection};
use std::{process::Command, sync::Arc};
use tempfile::TempDir;

/// A database for a store.
struct Place(Database);

impl Place {
    async fn new() -> Self {
        Self(testing::database().await)
    }
}

#[async_trait(?Send)]
impl Installation for Place {
    async fn open(&self) -> Result<Stores, OpenError> {
        store::open(self.0.url()).await
    }

    fn second(&self) -> Second {
        Second::Refused
    }

    async fn beside(&self, _: &Stores) -> Stores {
        self.0.node().await.unwrap()
    }

    /// The documented way: two dumps, restored into an empty database.
    async fn copy(&self, stores: Stores) -> Result<Stores, &'static str> {
        let folder = TempDir::new().unwrap();
        let other = testing::database().await;
        let restore = ["--exit-on-error", "--clean", "--if-exists"];
        for (schema, restore) in [("public", &restore[..]), ("secrets", &restore[..1])] {
            let file = folder.path().join(schema).display().to_string();
            let (schema, into) = (format!("--schema={schema}"), format!("--file={file}"));
            run(
                "pg_dump",
                &["--format=custom", &schema, &into],
                self.0.url(),
            );
            run(
                "pg_restore",
                &[restore, &[file.as_str()]].concat(),
                other.url(),
            );
        }
        drop(stores);
        Ok(store::open(other.url()).await.unwrap())
    }

    async fn slow(&self) -> Result<Box<dyn Slow>, &'static str> {
        let connection = PgConnection::connect(self.0.url()).await.unwrap();
        Ok(Box::new(ByHand(connection)))
    }
}

/// Runs a program of PostgreSQL on a database.
fn run(program: &str, arguments: &[&str], database: &str) {
    let output = Command::new(cluster::program(program))
        .arg(format!("--dbname={database}"))
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
}

/// Another node's append by hand, so that it can be slow or be undone.
struct ByHand(PgConnection);

impl ByHand {
    async fn say(&mut self, sql: &str) {
        sqlx::raw_sql(sql).execute(&mut self.0).await.unwrap();
    }
}

#[async_trait(?Send)]
impl Slow for ByHand {
    async fn write(&mut self) {
        let begin = "BEGIN; SELECT pg_advisory_xact_lock(731087090301)";
        self.say(begin).await;
        self.say(SLOW).await;
    }

    async fn is_waited_for(&mut self) {
        // The append has reached the lock when the database says that it waits.
        let waits = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)";
        while !sqlx::query_scalar::<_, bool>(waits)
            .fetch_one(&mut self.0)
            .await
            .unwrap()
        {}
    }

    async fn end(&mut self, counts: bool) {
        self.say(if counts { "COMMIT" } else { "ROLLBACK" }).await;
    }
}

/// One more event of its own stream, at the end of the log.
const SLOW: &str = "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, \
     event_version, payload, metadata, global_position, event_id, command_id, tenant, \
     correlation_id, causation_id, actor, node_epoch, recorded_at) \
     SELECT aggregate_type, 'note-slow', (SELECT count(*) + 1 FROM events \
     WHERE aggregate_id = 'note-slow'), event_type, event_version, payload, metadata, \
     (SELECT max(global_position) + 1 FROM events), event_id, command_id, tenant, \
     correlation_id, causation_id, actor, node_epoch, recorded_at \
     FROM events WHERE global_position = 1";

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

#[tokio::test]
async fn the_golden_corpus_is_read_as_it_was_stored() {
    let store = Fresh::new().await;
    contract::the_golden_corpus_is_read_as_it_was_stored(store.log()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_are_given_up_on_lose_nothing() {
    let store = Fresh::new().await;
    contract::writers_that_are_given_up_on_lose_nothing(store.log()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_or_undone_writer_is_waited_for_and_leaves_no_hole() {
    contract::a_slow_or_undone_writer_is_waited_for_and_leaves_no_hole(&Place::new().await).await;
}

#[tokio::test]
async fn of_two_leaders_the_older_is_fenced() {
    contract::of_two_leaders_the_older_is_fenced(&Place::new().await).await;
}

#[tokio::test]
async fn a_second_server_never_writes_beside_the_first() {
    contract::a_second_server_never_writes_beside_the_first(&Place::new().await).await;
}

#[tokio::test]
async fn dump_and_restore_keep_positions() {
    contract::dump_and_restore_keep_positions(&Place::new().await).await;
}
