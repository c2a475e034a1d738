//! A process whose row is of another version: what is old is history, and not asked for again.

use commands::{
    ports::Clock as _,
    processes::{Means, Runner},
    system::SystemClock,
};
use domain::{
    any::AnyCommand,
    id::{DEFAULT_TENANT, QueueId},
    process::{Input, Intent, Process},
    queue,
    time::Timestamp,
};
use ringledger_tests::office::{Office, rules};
use std::sync::Arc;

const TEN_YEARS_MS: u64 = 10 * 365 * 86_400_000;

/// Counts what it hears.
struct Counts;

impl Process for Counts {
    const NAME: &'static str = "counts";
    const VERSION: u32 = 1;
    type State = usize;

    fn step(state: &mut usize, input: &Input<'_>) -> Vec<Intent> {
        *state += usize::from(matches!(input, Input::Event(_)));
        vec![]
    }

    fn next_deadline(_: &usize) -> Option<Timestamp> {
        None
    }
}

#[tokio::test]
async fn one_event_of_a_clock_that_was_ahead_does_not_make_news_of_what_came_after_it() {
    let office = Office::open_without_views(store::open("memory:").await.unwrap()).await;
    office.queue("support", rules()).await;
    let configure = queue::Command::Configure {
        name: "ahead".into(),
        config: rules(),
    };
    let id = QueueId::named(DEFAULT_TENANT, "ahead");
    let mut ahead = office.envelope(AnyCommand::Queue(id, configure));
    ahead.at = ahead.at.plus_ms(TEN_YEARS_MS);
    office.gateway.dispatch(ahead).await.unwrap();
    office.queue("sales", rules()).await;
    let means = Means {
        gateway: office.gateway.clone(),
        feed: office.feed.clone(),
        store: office.stores.read.clone(),
        clock: Arc::new(SystemClock),
    };
    let mut runner = Runner::<Counts>::load(means).await.unwrap();
    let now = SystemClock.now();
    runner
        .fold_silently(Some(now.plus_ms(60_000)))
        .await
        .unwrap();
    assert_eq!(*runner.state(), office.history().await.len());
}
