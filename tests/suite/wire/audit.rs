//! The record for an auditor: exported beside the running server, verified,
//! tampered with, and shown call by call.

use crate::support::{Ran, agent, caller, records, run, setup, talk};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use std::path::{Path, PathBuf};

/// A server with two calls on its record.
async fn office(setup: &Setup) -> anyhow::Result<Server> {
    let server = Server::start(setup).await?;
    let anna = agent(&server, "anna").await?;
    for user in ["4930111", "4930112"] {
        let phone = caller(&server, user).await?;
        let (out, _call) = talk(&phone, &anna).await?;
        out.hang_up().await?;
        crate::support::agent_is(&server, "anna", "READY").await?;
    }
    records(&server, 2).await?;
    Ok(server)
}

/// Runs a command of the binary on the setup's store.
async fn command(setup: &Setup, arguments: &[&str]) -> anyhow::Result<Ran> {
    let config = setup.folder.join("ringledger.toml");
    let data = setup.data();
    let mut all = arguments.to_vec();
    all.extend(["--config", config.to_str().context("a path")?]);
    all.extend(["--data", data.to_str().context("a path")?]);
    run(&all, &[], &setup.folder).await
}

fn file(setup: &Setup, name: &str) -> anyhow::Result<(PathBuf, String)> {
    let path = setup.folder.join(name);
    let text = path.to_str().context("a path")?.to_owned();
    Ok((path, text))
}

async fn verified(setup: &Setup, arguments: &[&str]) -> anyhow::Result<String> {
    let mut all = vec!["verify"];
    all.extend(arguments);
    let ran = command(setup, &all).await?;
    ensure!(ran.code == Some(0), "{arguments:?}: {ran:?}");
    Ok(ran.out)
}

/// Verifying fails and says so in these words.
async fn refused(setup: &Setup, arguments: &[&str], words: &str) -> anyhow::Result<()> {
    let mut all = vec!["verify"];
    all.extend(arguments);
    let ran = command(setup, &all).await?;
    ensure!(ran.code == Some(1), "{arguments:?}: {ran:?}");
    ensure!(ran.err.contains(words), "{arguments:?}: {ran:?}");
    Ok(())
}

/// The hash that the export told.
fn hash(said: &str) -> anyhow::Result<&str> {
    let line = said.lines().find_map(|line| line.strip_prefix("hash "));
    line.context("no hash was told")
}

async fn exported_and_verified(setup: &Setup) -> anyhow::Result<()> {
    let server = office(setup).await?;
    let (path, name) = file(setup, "record.jsonl")?;
    let ran = command(setup, &["export", "--out", &name]).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let kept = hash(&ran.out)?.to_owned();
    let text = std::fs::read_to_string(&path)?;
    ensure!(text.lines().count() > 30, "{} lines", text.lines().count());
    ensure!(!text.contains("4930111"), "personal data is not sealed");
    ensure!(
        !setup.folder.join("record.jsonl.part").exists(),
        "half a file is left"
    );
    for arguments in [
        vec![&*name],
        vec![&*name, "--hash", &kept],
        vec![&*name, "--store"],
    ] {
        let said = verified(setup, &arguments).await?;
        ensure!(hash(&said)? == kept, "{said}");
    }
    // The same part of the record again has the same bytes.
    let (again, again_name) = file(setup, "again.jsonl")?;
    let until = text.lines().count() - 2;
    let until = until.to_string();
    let ran = command(setup, &["export", "--out", &again_name, "--until", &until]).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    ensure!(std::fs::read_to_string(&again)? == text, "other bytes");
    let (_, part) = file(setup, "part.jsonl")?;
    let ran = command(
        setup,
        &["export", "--out", &part, "--after", "10", "--until", "20"],
    )
    .await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    verified(setup, &[&part, "--store"]).await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_is_exported_and_verified_beside_the_running_server() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    exported_and_verified(&setup(folder.path(), &["anna"])).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_on_postgresql_is_exported_and_verified_too() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = store::testing::database().await;
    let mut setup = setup(folder.path(), &["anna"]);
    setup.store_url = Some(database.url().into());
    exported_and_verified(&setup).await
}

/// Writes other lines under another name.
fn tampered(folder: &Path, name: &str, lines: &[String]) -> anyhow::Result<String> {
    let path = folder.join(name);
    std::fs::write(&path, lines.join("\n") + "\n")?;
    Ok(path.to_str().context("a path")?.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_done_to_an_export_is_found_out() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let server = office(&setup).await?;
    let (path, name) = file(&setup, "record.jsonl")?;
    let ran = command(&setup, &["export", "--out", &name]).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let text = std::fs::read_to_string(&path)?;
    let lines: Vec<String> = text.lines().map(Into::into).collect();
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        lines
    };
    let changed = with(&|lines| lines[17] = lines[17].replacen("process:", "procesS:", 1));
    let changed = if changed == lines {
        with(&|lines| lines[17] = lines[17].replacen("\"version\":", "\"version\":1", 1))
    } else {
        changed
    };
    ensure!(changed != lines, "nothing was changed");
    let file = tampered(folder.path(), "changed.jsonl", &changed)?;
    refused(&setup, &[&file], "line 18: hash does not fit").await?;
    let removed = with(&|lines| drop(lines.remove(17)));
    let file = tampered(folder.path(), "removed.jsonl", &removed)?;
    refused(&setup, &[&file], "line 18: hash does not fit").await?;
    refused(&setup, &[&file], "1 may be missing").await?;
    let swapped = with(&|lines| lines.swap(17, 18));
    let file = tampered(folder.path(), "swapped.jsonl", &swapped)?;
    refused(&setup, &[&file], "line 18: hash does not fit").await?;
    let doubled = with(&|lines| lines.insert(17, lines[16].clone()));
    let file = tampered(folder.path(), "doubled.jsonl", &doubled)?;
    refused(&setup, &[&file], "lines were moved").await?;
    let cut = with(&|lines| lines.truncate(17));
    let file = tampered(folder.path(), "cut.jsonl", &cut)?;
    refused(&setup, &[&file], "was cut off").await?;
    let torn = with(&|lines| {
        lines.truncate(18);
        lines[17].truncate(200);
    });
    let file = tampered(folder.path(), "torn.jsonl", &torn)?;
    refused(&setup, &[&file], "line 18").await?;
    let longer = with(&|lines| lines.push(lines[17].clone()));
    let file = tampered(folder.path(), "longer.jsonl", &longer)?;
    refused(&setup, &[&file], "stands after the end").await?;
    let (_, missing) = self::file(&setup, "missing.jsonl")?;
    refused(&setup, &[&missing], "can not be read").await?;

    // One that was made anew from another record holds together by itself.
    let other_folder = tempfile::tempdir()?;
    let other = crate::support::setup(other_folder.path(), &["anna"]);
    let other_server = office(&other).await?;
    let (_, forged) = self::file(&other, "record.jsonl")?;
    let made = command(&other, &["export", "--out", &forged, "--until", "30"]).await?;
    ensure!(made.code == Some(0), "{made:?}");
    verified(&setup, &[&forged]).await?;
    refused(&setup, &[&forged, "--store"], "is not what the store has").await?;
    let kept = hash(&ran.out)?;
    refused(&setup, &[&forged, "--hash", kept], "another file").await?;
    other_server.stop().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_was_taken_out_of_the_store_is_missed_in_an_export() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    office(&setup).await?.stop().await?;
    // Whoever has the file has the rights.
    let log = rusqlite::Connection::open(setup.data().join("log.db"))?;
    log.execute_batch("DROP TRIGGER events_are_not_removed")?;
    let first = "SELECT aggregate_id FROM events WHERE event_type = 'call_received' LIMIT 1";
    let stream: String = log.query_row(first, [], |row| row.get(0))?;
    let gone = log.execute("DELETE FROM events WHERE aggregate_id = ?1", [stream])?;
    ensure!(gone > 3, "{gone} events of a call");
    drop(log);
    let (_, name) = file(&setup, "record.jsonl")?;
    let ran = command(&setup, &["export", "--out", &name]).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    refused(&setup, &[&name], "positions have no gaps").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_call_is_shown_as_a_ladder() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let server = office(&setup).await?;
    let record = records(&server, 2).await?.swap_remove(0);
    let id = record["callId"].as_str().context("an id")?.to_owned();
    let shown = command(&setup, &["timeline", &id]).await?;
    ensure!(shown.code == Some(0), "{shown:?}");
    let lines: Vec<&str> = shown.out.lines().collect();
    ensure!(lines[0].contains("from 4930111"), "{}", shown.out);
    let mut rest = lines.iter();
    for words in [
        "INVITE support --",
        "offer to anna --",
        "<------- rings",
        "connected to anna",
        "HANGUP: ANSWERED",
    ] {
        let words = words.to_lowercase();
        ensure!(
            rest.any(|line| line.to_lowercase().contains(&words)),
            "no {words:?} in its place:\n{}",
            shown.out
        );
    }
    ensure!(shown.out.contains("connected to anna"), "{}", shown.out);
    let nobody = "01920000-0000-7000-8000-000000000001";
    let nothing = command(&setup, &["timeline", nobody]).await?;
    ensure!(nothing.code == Some(1), "{nothing:?}");
    ensure!(nothing.err.contains("there is no call"), "{nothing:?}");
    // Also after the server has stopped.
    server.stop().await?;
    let again = command(&setup, &["timeline", &id]).await?;
    ensure!(again.out == shown.out, "{again:?}");
    Ok(())
}
