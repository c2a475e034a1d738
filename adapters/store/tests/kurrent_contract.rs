//! The log on KurrentDB obeys the contract: on the server that `KURRENTDB_URL`
//! names. Each test has an installation of its own on it.

#![cfg(feature = "kurrentdb")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test may fail, and says by name what it did not do"
)]

use async_trait::async_trait;
use commands::ports::EventLog;
use ringledger_store::{
    self as store, OpenError, Stores,
    contract::{self, Installation, Second, Slow},
};
use std::{future::Future, sync::Arc};
use uuid::Uuid;

/// An installation of its own on the server, with a store beside it for each handle.
struct Named {
    server: String,
    name: Uuid,
}

impl Named {
    /// None where there is no server, which is said.
    fn of(test: &str) -> Option<Self> {
        let Ok(server) = std::env::var("KURRENTDB_URL") else {
            eprintln!("SKIPPED: KURRENTDB_URL is not set: {test}");
            return None;
        };
        let random = std::collections::hash_map::RandomState::new();
        let number = std::hash::BuildHasher::hash_one(&random, test);
        let name = Uuid::from_u64_pair(number, u64::from(std::process::id()));
        Some(Self { server, name })
    }
}

#[async_trait(?Send)]
impl Installation for Named {
    async fn open(&self) -> Result<Stores, OpenError> {
        let Self { server, name } = self;
        store::open(&format!("{server} beside memory: named test-{name}")).await
    }

    fn second(&self) -> Second {
        Second::Fences
    }

    async fn beside(&self, _: &Stores) -> Stores {
        self.open().await.unwrap()
    }

    /// Each has its own store beside the log.
    fn rows_are_shared(&self) -> bool {
        false
    }

    /// The server's own tools copy what it has; the index is made anew from `$all`.
    async fn copy(&self, stores: Stores) -> Result<Stores, &'static str> {
        drop(stores);
        Ok(self.open().await.unwrap())
    }

    async fn slow(&self) -> Result<Box<dyn Slow>, &'static str> {
        Err("the server takes an append in one step, and tells nobody of it before")
    }
}

/// Runs one function of the suite on a fresh log, or says that it did not.
async fn on_kurrentdb<F: Future<Output = ()>>(
    name: &str,
    run: impl FnOnce(Arc<dyn EventLog>) -> F,
) {
    if let Some(named) = Named::of(name) {
        run(named.open().await.unwrap().log).await;
    }
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
    the_golden_corpus_is_read_as_it_was_stored,
    writers_that_are_given_up_on_lose_nothing,
}

macro_rules! installed {
    ($($name:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            if let Some(named) = Named::of(stringify!($name)) {
                contract::$name(&named).await;
            }
        }
    )+};
}

installed! {
    a_slow_or_undone_writer_is_waited_for_and_leaves_no_hole,
    of_two_leaders_the_older_is_fenced,
    a_second_server_never_writes_beside_the_first,
    dump_and_restore_keep_positions,
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
