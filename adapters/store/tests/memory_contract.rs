//! The log in memory obeys the contract.

use commands::ports::EventLog;
use ringledger_store::{contract, memory::MemoryLog};
use std::sync::Arc;

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
