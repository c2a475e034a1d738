//! The log in memory obeys the contract.

use async_trait::async_trait;
use commands::ports::EventLog;
use ringledger_store::{
    self as store, OpenError, Stores,
    contract::{self, Installation, Second, Slow},
    memory::MemoryLog,
};
use std::sync::Arc;

/// A store in this process' memory.
struct Memory;

#[async_trait(?Send)]
impl Installation for Memory {
    async fn open(&self) -> Result<Stores, OpenError> {
        store::open("memory:").await
    }

    fn second(&self) -> Second {
        Second::Apart
    }

    async fn beside(&self, first: &Stores) -> Stores {
        first.clone()
    }

    async fn copy(&self, _: Stores) -> Result<Stores, &'static str> {
        Err("it ends with the process, and has no form outside of it")
    }

    async fn slow(&self) -> Result<Box<dyn Slow>, &'static str> {
        Err("an append is one step under a lock that nobody keeps")
    }
}

fn log() -> Arc<dyn EventLog> {
    Arc::new(MemoryLog::new())
}

#[tokio::test]
async fn expected_version_is_exact() {
    contract::expected_version_is_exact(log()).await;
}

#[tokio::test]
async fn what_was_written_is_read() {
    contract::what_was_written_is_read(log()).await;
}

#[tokio::test]
async fn a_retry_hears_the_first_result() {
    contract::a_retry_hears_the_first_result(log()).await;
}

#[tokio::test]
async fn one_command_has_one_effect_inside_a_batch() {
    contract::one_command_has_one_effect_inside_a_batch(log()).await;
}

#[tokio::test]
async fn a_refused_append_leaves_the_others_of_its_batch() {
    contract::a_refused_append_leaves_the_others_of_its_batch(log()).await;
}

#[tokio::test]
async fn a_refused_command_stays_refused() {
    contract::a_refused_command_stays_refused(log()).await;
}

#[tokio::test]
async fn a_command_with_an_effect_is_not_refused() {
    contract::a_command_with_an_effect_is_not_refused(log()).await;
}

#[tokio::test]
async fn an_append_without_events_is_refused() {
    contract::an_append_without_events_is_refused(log()).await;
}

#[tokio::test]
async fn reading_resumes_after_every_position() {
    contract::reading_resumes_after_every_position(log()).await;
}

#[tokio::test]
async fn a_long_stretch_is_read_like_its_parts() {
    contract::a_long_stretch_is_read_like_its_parts(log()).await;
}

#[tokio::test]
async fn events_are_found_by_when_they_were_taken() {
    contract::events_are_found_by_when_they_were_taken(log()).await;
}

#[tokio::test]
async fn a_stream_is_read_in_pages() {
    contract::a_stream_is_read_in_pages(log()).await;
}

#[tokio::test]
async fn wakeups_follow_the_head() {
    contract::wakeups_follow_the_head(log()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_reader_misses_nothing() {
    contract::a_tail_reader_misses_nothing(vec![log()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hot_stream_stays_contiguous() {
    contract::a_hot_stream_stays_contiguous(vec![log()]).await;
}

#[tokio::test]
async fn the_golden_corpus_is_read_as_it_was_stored() {
    contract::the_golden_corpus_is_read_as_it_was_stored(log()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_are_given_up_on_lose_nothing() {
    contract::writers_that_are_given_up_on_lose_nothing(log()).await;
}

#[tokio::test]
async fn a_slow_or_undone_writer_is_waited_for_and_leaves_no_hole() {
    contract::a_slow_or_undone_writer_is_waited_for_and_leaves_no_hole(&Memory).await;
}

#[tokio::test]
async fn of_two_leaders_the_older_is_fenced() {
    contract::of_two_leaders_the_older_is_fenced(&Memory).await;
}

#[tokio::test]
async fn a_second_server_never_writes_beside_the_first() {
    contract::a_second_server_never_writes_beside_the_first(&Memory).await;
}

#[tokio::test]
async fn dump_and_restore_keep_positions() {
    contract::dump_and_restore_keep_positions(&Memory).await;
}
