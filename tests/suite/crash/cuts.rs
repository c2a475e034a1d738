//! The power is cut: what was not synced is gone, or, in every second round,
//! some of it has survived in any blocks.

use crate::{
    kills::runtime,
    rounds,
    work::{self, Acknowledged},
};
use anyhow::{Context as _, ensure};
use ringledger_tests::{database, disk::Disk, luck::Luck};
use std::time::Duration;
use store::cluster::Settings;

const IN_CI: usize = 8;
/// A server that starts three times a round.
const IN_CI_ON_POSTGRES: usize = 4;
/// Acknowledged commands that each client sends again after a cut.
const AGAIN: u64 = 16;

#[test]
fn what_was_acknowledged_survives_a_power_cut_on_sqlite() -> anyhow::Result<()> {
    if work::if_worker() {
        return Ok(());
    }
    runtime()?.block_on(sqlite())
}

async fn sqlite() -> anyhow::Result<()> {
    let test = "cuts::what_was_acknowledged_survives_a_power_cut_on_sqlite";
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let url = work::sqlite(&data);
    drop(work::open(&url).await?);
    let mut luck = Luck(0x5eed_0021);
    let mut known = Acknowledged::new();
    let count = rounds(IN_CI);
    let mut syncs = 0;
    for round in 0..count {
        let disk = Disk::under(&data)?;
        let life = Duration::from_millis(80 + luck.below(250));
        let environment = disk.environment()?;
        let cut = async || disk.cut();
        work::round(test, &url, &environment, &mut known, AGAIN, life, cut).await?;
        syncs += disk.syncs()?;
        disk.restore(Some(&mut luck).filter(|_| round % 2 == 1))?;
        let stores = work::open(&url).await?;
        work::check(&stores, &known)
            .await
            .with_context(|| format!("cut {round}"))?;
    }
    work::replay_is_the_same(&work::open(&url).await?).await?;
    done(count, &known, syncs)
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_on_postgres() -> anyhow::Result<()> {
    if work::if_worker() {
        return Ok(());
    }
    runtime()?.block_on(postgres())
}

async fn postgres() -> anyhow::Result<()> {
    let test = "cuts::what_was_acknowledged_survives_a_power_cut_on_postgres";
    let settings = Settings {
        // Small files: the shim compares them as a whole.
        initdb: vec!["--wal-segsize=1".into()],
        parameters: vec!["min_wal_size=5MB".into(), "max_wal_size=16MB".into()],
        ..Settings::default()
    };
    let first = database::start(None, &settings).await?;
    drop(work::open(&first.url("postgres")).await?);
    let mut folder = first.stop().map_err(anyhow::Error::msg)?;
    let mut luck = Luck(0x5eed_0022);
    let mut known = Acknowledged::new();
    let count = rounds(IN_CI_ON_POSTGRES);
    let mut syncs = 0;
    for round in 0..count {
        let disk = Disk::under(&folder.join("data"))?;
        let watched = Settings {
            environment: disk.environment()?,
            ..settings.clone()
        };
        let cluster = database::start(Some(folder), &watched).await?;
        let url = cluster.url("postgres");
        let life = Duration::from_millis(80 + luck.below(250));
        let cut = async || disk.cut();
        work::round(test, &url, &[], &mut known, AGAIN, life, cut).await?;
        folder = cluster.kill().map_err(anyhow::Error::msg)?;
        syncs += disk.syncs()?;
        disk.restore(Some(&mut luck).filter(|_| round % 2 == 1))?;
        let cluster = database::start(Some(folder), &settings).await?;
        let stores = work::open(&cluster.url("postgres")).await?;
        work::check(&stores, &known)
            .await
            .with_context(|| format!("cut {round}"))?;
        if round + 1 == count {
            work::replay_is_the_same(&stores).await?;
        }
        drop(stores);
        folder = cluster.stop().map_err(anyhow::Error::msg)?;
    }
    std::fs::remove_dir_all(folder)?;
    done(count, &known, syncs)
}

fn done(count: usize, known: &Acknowledged, syncs: usize) -> anyhow::Result<()> {
    work::say(&format!(
        "{count} power cuts, {} commands acknowledged, {} of them sent again: none lost, one \
         effect each",
        known.count(),
        known.retried
    ));
    ensure!(syncs > count * 2, "the shim has seen hardly anything");
    ensure!(known.count() > work::CLIENTS, "hardly anything was done");
    Ok(())
}
