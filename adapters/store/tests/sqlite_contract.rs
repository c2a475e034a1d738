//! The log on SQLite obeys the contract.

use async_trait::async_trait;
use commands::ports::EventLog;
use domain::time::Timestamp;
use ringledger_store::{
    self as store, OpenError, Stores,
    contract::{self, Installation, Second, Slow},
    sqlite::backup::{backup, restore},
};
use rusqlite::Connection;
use std::{fs, path::PathBuf, sync::Arc};
use tempfile::TempDir;

/// A folder for a store, and room beside it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    async fn open_at(&self, name: &str) -> Result<Stores, OpenError> {
        store::open(&format!("sqlite:{}", self.path(name).display())).await
    }
}

#[async_trait(?Send)]
impl Installation for Place {
    async fn open(&self) -> Result<Stores, OpenError> {
        self.open_at("store").await
    }

    fn second(&self) -> Second {
        Second::Refused
    }

    /// Somebody has tidied the lock away.
    async fn beside(&self, _: &Stores) -> Stores {
        fs::remove_file(self.path("store").join("lock")).expect("there is a lock");
        self.open().await.expect("nothing keeps it off")
    }

    async fn copy(&self, stores: Stores) -> Result<Stores, &'static str> {
        let [from, log, keys, to] = ["store", "log", "keys", "copy"].map(|name| self.path(name));
        let at = Timestamp::from_micros(1);
        let made = backup(&from, &log, &keys, at).expect("copied while it runs");
        assert_eq!(made.head, stores.log.head().await.ok());
        drop(stores);
        restore(&log, &keys, &to).expect("restored");
        Ok(self.open_at("copy").await.expect("the copy opens"))
    }

    async fn slow(&self) -> Result<Box<dyn Slow>, &'static str> {
        let file = self.path("store").join("log.db");
        let db = Connection::open(file).expect("another program may open it");
        Ok(Box::new(ByHand(db)))
    }
}

/// A program that writes into the file beside the server.
struct ByHand(Connection);

/// One more event of its own stream, at the end of the log.
const SLOW: &str = "BEGIN IMMEDIATE; \
     INSERT INTO events (global_position, aggregate_type, aggregate_id, sequence, event_type, \
       event_version, payload, event_id, command_id, tenant, correlation_id, causation_id, actor, \
       node_epoch, recorded_at) \
     SELECT (SELECT max(global_position) + 1 FROM events), aggregate_type, 'note-slow', \
       (SELECT count(*) + 1 FROM events WHERE aggregate_id = 'note-slow'), event_type, \
       event_version, payload, randomblob(16), randomblob(16), tenant, correlation_id, \
       causation_id, actor, node_epoch, recorded_at FROM events WHERE global_position = 1";

#[async_trait(?Send)]
impl Slow for ByHand {
    async fn write(&mut self) {
        self.0.execute_batch(SLOW).expect("it has the file");
    }

    /// The file does not tell; whoever comes later does not have to wait.
    async fn is_waited_for(&mut self) {}

    async fn end(&mut self, counts: bool) {
        let end = if counts { "COMMIT" } else { "ROLLBACK" };
        self.0.execute_batch(end).expect("it had the file");
    }
}

/// A store in a folder that goes with it.
struct Folder {
    stores: Stores,
    path: TempDir,
}

impl Folder {
    async fn new() -> Self {
        Self::at(TempDir::new().expect("a temporary folder")).await
    }

    async fn at(path: TempDir) -> Self {
        let url = format!("sqlite:{}", path.path().display());
        let stores = store::open(&url).await.expect("the store opens");
        Self { stores, path }
    }

    fn log(&self) -> Arc<dyn EventLog> {
        Arc::clone(&self.stores.log)
    }

    async fn reopen(self) -> Self {
        let Self { stores, path } = self;
        drop(stores);
        Self::at(path).await
    }
}

#[tokio::test]
async fn expected_version_is_exact() {
    let store = Folder::new().await;
    contract::expected_version_is_exact(store.log()).await;
}

#[tokio::test]
async fn what_was_written_is_read() {
    let store = Folder::new().await;
    contract::what_was_written_is_read(store.log()).await;
}

#[tokio::test]
async fn a_retry_hears_the_first_result() {
    let store = Folder::new().await;
    contract::a_retry_hears_the_first_result(store.log()).await;
}

#[tokio::test]
async fn one_command_has_one_effect_inside_a_batch() {
    let store = Folder::new().await;
    contract::one_command_has_one_effect_inside_a_batch(store.log()).await;
}

#[tokio::test]
async fn a_refused_append_leaves_the_others_of_its_batch() {
    let store = Folder::new().await;
    contract::a_refused_append_leaves_the_others_of_its_batch(store.log()).await;
}

#[tokio::test]
async fn a_refused_command_stays_refused() {
    let store = Folder::new().await;
    contract::a_refused_command_stays_refused(store.log()).await;
}

#[tokio::test]
async fn a_command_with_an_effect_is_not_refused() {
    let store = Folder::new().await;
    contract::a_command_with_an_effect_is_not_refused(store.log()).await;
}

#[tokio::test]
async fn an_append_without_events_is_refused() {
    let store = Folder::new().await;
    contract::an_append_without_events_is_refused(store.log()).await;
}

#[tokio::test]
async fn reading_resumes_after_every_position() {
    let store = Folder::new().await;
    contract::reading_resumes_after_every_position(store.log()).await;
}

#[tokio::test]
async fn a_long_stretch_is_read_like_its_parts() {
    let store = Folder::new().await;
    contract::a_long_stretch_is_read_like_its_parts(store.log()).await;
}

#[tokio::test]
async fn events_are_found_by_when_they_were_taken() {
    let store = Folder::new().await;
    contract::events_are_found_by_when_they_were_taken(store.log()).await;
}

#[tokio::test]
async fn a_stream_is_read_in_pages() {
    let store = Folder::new().await;
    contract::a_stream_is_read_in_pages(store.log()).await;
}

#[tokio::test]
async fn wakeups_follow_the_head() {
    let store = Folder::new().await;
    contract::wakeups_follow_the_head(store.log()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_reader_misses_nothing() {
    let store = Folder::new().await;
    contract::a_tail_reader_misses_nothing(vec![store.log()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hot_stream_stays_contiguous() {
    let store = Folder::new().await;
    contract::a_hot_stream_stays_contiguous(vec![store.log()]).await;
}

#[tokio::test]
async fn a_closed_log_keeps_everything() {
    let store = Folder::new().await;
    let before = contract::written_before(store.log()).await;
    let store = store.reopen().await;
    contract::everything_is_kept(store.log(), before).await;
}

#[tokio::test]
async fn the_golden_corpus_is_read_as_it_was_stored() {
    let store = Folder::new().await;
    contract::the_golden_corpus_is_read_as_it_was_stored(store.log()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_are_given_up_on_lose_nothing() {
    let store = Folder::new().await;
    contract::writers_that_are_given_up_on_lose_nothing(store.log()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_or_undone_writer_is_waited_for_and_leaves_no_hole() {
    contract::a_slow_or_undone_writer_is_waited_for_and_leaves_no_hole(&Place::new()).await;
}

#[tokio::test]
async fn of_two_leaders_the_older_is_fenced() {
    contract::of_two_leaders_the_older_is_fenced(&Place::new()).await;
}

#[tokio::test]
async fn a_second_server_never_writes_beside_the_first() {
    contract::a_second_server_never_writes_beside_the_first(&Place::new()).await;
}

#[tokio::test]
async fn dump_and_restore_keep_positions() {
    contract::dump_and_restore_keep_positions(&Place::new()).await;
}
