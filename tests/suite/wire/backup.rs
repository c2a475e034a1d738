//! A backup that is made while calls come in is a store that shows the same.

use crate::support::{
    PATIENCE, agent, call_is, caller, command_id, dial, events, files_with, mutate, records,
    records_from, run, setup, talk,
};
use anyhow::{Context as _, ensure};
use commands::ports::Recorded;
use phone::{CallOptions, Phone};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const NUMBER: &str = "4917655501112223";

async fn command(
    name: &str,
    setup: &Setup,
    log: &Path,
    keys: &Path,
) -> anyhow::Result<crate::support::Ran> {
    let config = setup.write()?;
    let text = |path: &Path| path.display().to_string();
    let (log, keys) = (text(log), text(keys));
    let (config, data) = (text(&config), text(&setup.data()));
    let arguments = [
        name, &log, "--keys", &keys, "--config", &config, "--data", &data,
    ];
    run(&arguments, &[], &setup.folder).await
}

/// Calls one after the other until it is told to stop.
async fn keep_calling(phone: Phone, stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let out = phone.call("nowhere", CallOptions::default()).await?;
        out.wait_ended(PATIENCE).await?;
    }
    Ok(())
}

fn json(file: &Path) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&std::fs::read(file)?)?)
}

#[tokio::test]
async fn a_backup_of_a_running_server_shows_what_the_original_showed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (original, copy) = (folder.path().join("original"), folder.path().join("copy"));
    std::fs::create_dir(&original)?;
    std::fs::create_dir(&copy)?;
    let setup_original = setup(&original, &["anna"]);
    let server = Server::start(&setup_original).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let calling = tokio::spawn(keep_calling(caller(&server, NUMBER).await?, stop.clone()));
    records_from(&server, 10).await?;
    let ordered = order(&server).await?;
    let anna = agent(&server, "anna").await?;
    let talker = caller(&server, "4930555").await?;
    let (out, _call) = talk(&talker, &anna).await?;
    call_is(&server, "4930555", "CONNECTED").await?;

    let (log, keys) = (folder.path().join("log"), folder.path().join("keys"));
    let made = command("backup", &setup_original, &log, &keys).await?;
    ensure!(made.code == Some(0), "{made:?}");
    stop.store(true, Ordering::Relaxed);
    calling.await??;
    ensure!(out.hang_up().await? == 200, "calls go on as if nothing was");
    // What comes after the backup is not in it.
    let waiting = caller(&server, "4930777").await?;
    dial(&waiting, "nowhere")
        .await?
        .wait_ended(PATIENCE)
        .await?;
    server.stop().await?;
    let all = events(&setup_original).await?;
    let head = json(&log.join("backup.json"))?["head"]
        .as_u64()
        .context("the backup says up to where it goes")?;
    ensure!(head > 40 && (head as usize) < all.len(), "{head}");
    let people = files_with(&log, NUMBER.as_bytes())?;
    ensure!(people.is_empty(), "a number is in {people:?}");

    let setup_copy = setup(&copy, &["anna"]);
    let restored = command("restore", &setup_copy, &log, &keys).await?;
    ensure!(restored.code == Some(0), "{restored:?}");
    let same = events(&setup_copy).await?;
    ensure!(same[..] == all[..head as usize], "the events are others");
    shows_the_same((&setup_original, &all), (&setup_copy, &same)).await?;
    // An order that comes once more, to the copy, has been done.
    let server = Server::start(&setup_copy).await?;
    ensure!(order(&server).await? == ordered, "it was done again");
    server.stop().await
}

/// The same order each time; where its event stands.
async fn order(server: &Server) -> anyhow::Result<Value> {
    let order = json!({"commandId": command_id(1), "name": "sales"});
    let payload = mutate(server, "createQueue", "queue { name }", order).await?;
    Ok(payload["position"].clone())
}

/// The records of the calls that had ended, person and all; and the one that
/// was being talked is ended where the backup ends.
async fn shows_the_same(
    (original, all): (&Setup, &[Recorded]),
    (copy, events): (&Setup, &[Recorded]),
) -> anyhow::Result<()> {
    let ended = |events: &[Recorded]| {
        let is_ended = |event: &&Recorded| &*event.event_type == "call_ended";
        events.iter().filter(is_ended).count()
    };
    let server = Server::start(original).await?;
    let mut expected = records(&server, 100.min(ended(all))).await?;
    server.stop().await?;
    let server = Server::start(copy).await?;
    let shown = records(&server, 100.min(ended(events) + 1)).await?;
    server.stop().await?;
    let (lost, shown): (Vec<_>, Vec<_>) = shown
        .into_iter()
        .partition(|record| record["endReason"] == "NODE_LOST");
    ensure!(lost.len() == 1 && lost[0]["incomplete"] == true, "{lost:?}");
    ensure!(lost[0]["from"]["user"] == "4930555");
    let last = events.last().context("there are events")?;
    let end = lost[0]["endedAt"].as_str().context("it has ended")?;
    let end: domain::time::Timestamp = serde_json::from_value(end.into())?;
    ensure!(end <= last.recorded_at, "{end:?} is after the backup");
    expected.retain(|record| shown.iter().any(|one| one["callId"] == record["callId"]));
    ensure!(
        shown.len() >= 10 && shown == expected,
        "{shown:#?}\n{expected:#?}"
    );
    Ok(())
}

#[tokio::test]
async fn nothing_is_overwritten_and_nothing_damaged_is_restored() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    let nothing = command("backup", &setup, &one, &other).await?;
    ensure!(nothing.code != Some(0), "there is no store");
    let server = Server::start(&setup).await?;
    let phone = caller(&server, NUMBER).await?;
    dial(&phone, "nowhere").await?.wait_ended(PATIENCE).await?;
    records(&server, 1).await?;
    let (log, keys) = (folder.path().join("log"), folder.path().join("keys"));
    let together = command("backup", &setup, &log, &log).await?;
    ensure!(
        together.err.contains("folders of their own"),
        "{together:?}"
    );
    let inside = command("backup", &setup, &log, &setup.data().join("keys")).await?;
    ensure!(inside.err.contains("folders of their own"), "{inside:?}");
    std::fs::remove_dir(setup.data().join("keys"))?;
    let made = command("backup", &setup, &log, &keys).await?;
    ensure!(made.code == Some(0), "{made:?}");
    let again = command("backup", &setup, &log, &folder.path().join("more")).await?;
    ensure!(again.err.contains("is not empty"), "{again:?}");
    // The running server's own store is not empty either.
    let over = command("restore", &setup, &log, &keys).await?;
    ensure!(over.err.contains("is not empty"), "{over:?}");
    server.stop().await?;

    std::fs::rename(setup.data(), folder.path().join("old"))?;
    let swapped = command("restore", &setup, &keys, &log).await?;
    ensure!(swapped.err.contains("is not a good backup"), "{swapped:?}");
    let file = log.join("log.db");
    let good = std::fs::read(&file)?;
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    std::fs::write(&file, bad)?;
    let damaged = command("restore", &setup, &log, &keys).await?;
    ensure!(damaged.err.contains("it was changed"), "{damaged:?}");
    ensure!(!setup.data().exists(), "half a store was left");
    std::fs::write(&file, good)?;
    let place = keys.join("backup.json");
    let mut manifest = json(&place)?;
    manifest["made_at"] = "2020-01-01T00:00:00.000000Z".into();
    std::fs::write(&place, serde_json::to_vec(&manifest)?)?;
    let older = command("restore", &setup, &log, &keys).await?;
    ensure!(older.err.contains("before the log"), "{older:?}");
    Ok(())
}
