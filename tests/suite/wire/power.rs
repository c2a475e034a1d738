//! The power goes while people call, again and again: what was not synced is gone, or,
//! in every second round, some of it has survived in any blocks. Every call that a caller
//! was told of is on the record once, nobody stays taken, and the read models are what a
//! replay makes of the record.

use crate::kill::{Load, check, provisioning};
use anyhow::{Context as _, ensure};
use ringledger_tests::{
    database,
    disk::Disk,
    luck::Luck,
    server::{Server, Setup},
};
use std::time::Duration;
use store::cluster::Settings;

/// Cuts in CI; `RINGLEDGER_CUTS` makes it longer.
const IN_CI: u64 = 8;
/// A database that starts in each round.
const IN_CI_ON_POSTGRES: u64 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_lost_or_doubled_when_the_servers_power_goes() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = Setup::new(folder.path(), &provisioning());
    // Folders, keys and configuration are there before the lights go out.
    let server = Server::start(&setup).await?;
    setup.sip = server.sip;
    server.stop().await?;
    let mut luck = Luck(0x5eed_0031);
    let mut load = None;
    let mut syncs = 0;
    for round in 0..rounds(IN_CI) {
        let disk = Disk::under(&setup.data())?;
        setup.environment = disk.environment()?;
        let server = start(&setup, round).await?;
        begin(&mut load, &server).await?;
        work_until_dark(&mut luck, &disk).await?;
        server.kill().await?;
        syncs += disk.syncs()?;
        disk.restore(Some(&mut luck).filter(|_| round % 2 == 1))?;
    }
    ensure!(syncs > 100, "the shim has seen {syncs} files only");
    setup.environment = vec![];
    finish(load, &setup).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_lost_or_doubled_when_the_databases_power_goes_too() -> anyhow::Result<()> {
    let settings = Settings {
        // Small files: the shim compares them as a whole.
        initdb: vec!["--wal-segsize=1".into()],
        parameters: vec!["min_wal_size=5MB".into(), "max_wal_size=16MB".into()],
        ..Settings::default()
    };
    let folder = tempfile::tempdir()?;
    let mut setup = Setup::new(folder.path(), &provisioning());
    let cluster = database::start(None, &settings).await?;
    setup.store_url = Some(cluster.url("postgres"));
    let server = Server::start(&setup).await?;
    setup.sip = server.sip;
    server.stop().await?;
    let mut data = cluster.stop().map_err(anyhow::Error::msg)?;
    let mut luck = Luck(0x5eed_0032);
    let mut load = None;
    let mut syncs = 0;
    for round in 0..rounds(IN_CI_ON_POSTGRES) {
        let disk = Disk::under(&data.join("data"))?;
        let watched = Settings {
            environment: disk.environment()?,
            ..settings.clone()
        };
        let cluster = database::start(Some(data), &watched).await?;
        setup.store_url = Some(cluster.url("postgres"));
        let server = start(&setup, round).await?;
        begin(&mut load, &server).await?;
        work_until_dark(&mut luck, &disk).await?;
        server.kill().await?;
        data = cluster.kill().map_err(anyhow::Error::msg)?;
        syncs += disk.syncs()?;
        disk.restore(Some(&mut luck).filter(|_| round % 2 == 1))?;
    }
    ensure!(syncs > 100, "the shim has seen {syncs} files only");
    let cluster = database::start(Some(data), &settings).await?;
    setup.store_url = Some(cluster.url("postgres"));
    finish(load, &setup).await
}

fn rounds(in_ci: u64) -> u64 {
    let wanted = std::env::var("RINGLEDGER_CUTS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(in_ci)
}

async fn start(setup: &Setup, round: u64) -> anyhow::Result<Server> {
    let started = Server::start(setup).await;
    started.with_context(|| format!("after {round} power cuts"))
}

/// Phones do not know of the server's power: they are the same in every round.
async fn begin(load: &mut Option<Load>, server: &Server) -> anyhow::Result<()> {
    if load.is_none() {
        *load = Some(Load::begin(server.sip).await?);
    }
    Ok(())
}

/// Calls come and go; then nothing reaches the disk any more, and the server goes on for
/// a moment without knowing: what it says then must not be more than the disk has.
async fn work_until_dark(luck: &mut Luck, disk: &Disk) -> anyhow::Result<()> {
    tokio::time::sleep(Duration::from_millis(300 + luck.below(700))).await;
    disk.cut()?;
    tokio::time::sleep(Duration::from_millis(luck.below(300))).await;
    Ok(())
}

async fn finish(load: Option<Load>, setup: &Setup) -> anyhow::Result<()> {
    let server = Server::start(setup).await?;
    let acknowledged = load.context("there was a round")?.end().await?;
    ensure!(!acknowledged.is_empty(), "nobody was told of a call");
    check(server, setup, &acknowledged).await
}
