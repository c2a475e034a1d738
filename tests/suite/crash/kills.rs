//! `kill -9` under load, and after each the same commands once more: each has
//! one effect and hears one answer.

use crate::{
    rounds,
    work::{self, Acknowledged},
};
use anyhow::ensure;
use ringledger_tests::luck::Luck;
use std::time::Duration;

/// Acknowledged commands that each client sends again after a kill, and how long
/// a run lives at least, in milliseconds; when there is time, both are more.
const IN_CI: (u64, u64) = (32, 60);
const WITH_TIME: (u64, u64) = (2_000, 800);
const ROUNDS: usize = 12;
/// A long run of so many kills has to send so many commands again.
const LONG_ROUNDS: usize = 200;
const LONG_RETRIES: usize = 100_000;

async fn survive(test: &str, url: &str, seed: u64) -> anyhow::Result<()> {
    let mut luck = Luck(seed);
    let mut known = Acknowledged::new();
    let count = rounds(ROUNDS);
    let (again, life_ms) = if count > ROUNDS { WITH_TIME } else { IN_CI };
    for round in 0..count {
        let life = Duration::from_millis(life_ms + luck.below(200));
        let killed = async || Ok(());
        // Sometimes few, so that a slow machine comes to something new.
        let again = luck.below(again + 1);
        work::round(test, url, &[], &mut known, again, life, killed)
            .await
            .map_err(|error| error.context(format!("round {round} of seed {seed:#x}")))?;
        let stores = work::open(url).await?;
        work::check(&stores, &known)
            .await
            .map_err(|error| error.context(format!("round {round} of seed {seed:#x}")))?;
    }
    let stores = work::open(url).await?;
    work::replay_is_the_same(&stores).await?;
    work::say(&format!(
        "{count} kills, {} commands acknowledged, {} of them sent again: one effect each",
        known.count(),
        known.retried
    ));
    ensure!(known.count() > work::CLIENTS, "hardly anything was done");
    ensure!(known.retried > count, "hardly anything was tried again");
    if count >= LONG_ROUNDS {
        ensure!(
            known.retried >= LONG_RETRIES,
            "{} were sent again",
            known.retried
        );
    }
    Ok(())
}

#[test]
fn a_command_that_is_sent_again_after_kill_9_has_one_effect_on_sqlite() -> anyhow::Result<()> {
    if work::if_worker() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let test = "kills::a_command_that_is_sent_again_after_kill_9_has_one_effect_on_sqlite";
    let url = work::sqlite(folder.path());
    runtime()?.block_on(survive(test, &url, 0x5eed_0011))
}

#[test]
fn a_command_that_is_sent_again_after_kill_9_has_one_effect_on_postgres() -> anyhow::Result<()> {
    if work::if_worker() {
        return Ok(());
    }
    let test = "kills::a_command_that_is_sent_again_after_kill_9_has_one_effect_on_postgres";
    runtime()?.block_on(async {
        let database = store::testing::database().await;
        survive(test, database.url(), 0x5eed_0012).await
    })
}

pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}
