//! The log on SQLite obeys the contract.

use commands::ports::EventLog;
use ringledger_store::{self as store, Stores, contract};
use std::sync::Arc;
use tempfile::TempDir;

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
