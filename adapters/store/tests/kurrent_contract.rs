//! The log on KurrentDB obeys the contract: on the server that `KURRENTDB_URL`
//! names. Each test has an installation of its own on it.

#![cfg(feature = "kurrentdb")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test may fail, and says by name what it did not do"
)]

use commands::ports::EventLog;
use ringledger_store::{self as store, contract};
use std::{future::Future, sync::Arc};
use uuid::Uuid;

/// Runs one function of the suite on a fresh log, or says that it did not.
async fn on_kurrentdb<F: Future<Output = ()>>(
    name: &str,
    run: impl FnOnce(Arc<dyn EventLog>) -> F,
) {
    let Ok(server) = std::env::var("KURRENTDB_URL") else {
        eprintln!("SKIPPED: KURRENTDB_URL is not set: {name}");
        return;
    };
    let random = std::collections::hash_map::RandomState::new();
    let number = std::hash::BuildHasher::hash_one(&random, name);
    let fresh = Uuid::from_u64_pair(number, u64::from(std::process::id()));
    let url = format!("{server} beside memory: named test-{fresh}");
    let stores = store::open(&url).await.unwrap();
    run(stores.log).await;
}

macro_rules! suite {
    ($($name:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            on_kurrentdb(stringify!($name), contract::$name).await;
        }
    )+};
}

suite! {
    expected_version_is_exact,
    what_was_written_is_read,
    a_retry_hears_the_first_result,
    one_command_has_one_effect_inside_a_batch,
    an_append_without_events_is_refused,
    a_refused_append_leaves_the_others_of_its_batch,
    a_refused_command_stays_refused,
    a_command_with_an_effect_is_not_refused,
    a_stream_is_read_in_pages,
    a_long_stretch_is_read_like_its_parts,
    reading_resumes_after_every_position,
    wakeups_follow_the_head,
    events_are_found_by_when_they_were_taken,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hot_stream_stays_contiguous() {
    on_kurrentdb("a_hot_stream_stays_contiguous", |log| {
        contract::a_hot_stream_stays_contiguous(vec![log])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_reader_misses_nothing() {
    on_kurrentdb("a_tail_reader_misses_nothing", |log| {
        contract::a_tail_reader_misses_nothing(vec![log])
    })
    .await;
}
