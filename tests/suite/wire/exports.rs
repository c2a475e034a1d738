//! Records of calls as files, from the real binary: over HTTP and on the
//! command line, while it runs and after.

use crate::support::{PATIENCE, agent, caller, dial, incoming, records, run, setup, talk};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup, TOKEN};
use serde_json::{Value, json};
use std::path::Path;

/// A call that was answered, one that was abandoned, and one to nowhere.
async fn some_calls(server: &Server) -> anyhow::Result<()> {
    let anna = agent(server, "anna").await?;
    let first = caller(server, "+4930111").await?;
    let (out, call) = talk(&first, &anna).await?;
    out.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    records(server, 1).await?;
    let second = caller(server, "+4930222").await?;
    let nowhere = dial(&second, "nobody").await?;
    nowhere.wait_ended(PATIENCE).await?;
    records(server, 2).await?;
    let third = caller(server, "+4930333").await?;
    let waits = dial(&third, "support").await?;
    let ringing = incoming(&anna).await?;
    ringing.ring().await?;
    waits.cancel().await?;
    waits.wait_ended(PATIENCE).await?;
    records(server, 3).await?;
    Ok(())
}

pub(crate) async fn order(server: &Server, input: Value) -> anyhow::Result<Value> {
    let query = "mutation($input: RequestCdrExportInput!) { requestCdrExport(input: $input) \
                 { url manifestUrl position callsCount } }";
    let answer = server.graphql(query, json!({ "input": input })).await?;
    Ok(answer["requestCdrExport"].clone())
}

pub(crate) async fn text(server: &Server, path: &Value) -> anyhow::Result<String> {
    let (status, text) = server.get(path.as_str().context("a path")?).await?;
    ensure!(status == 200, "{status}: {text}");
    Ok(text)
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    hex::encode(sha2::Sha256::digest(text.as_bytes()))
}

/// What the command line exports, and the manifest beside it.
pub(crate) async fn export(
    setup: &Setup,
    file: &str,
    more: &[&str],
) -> anyhow::Result<(String, Value)> {
    let config = setup.folder.join("ringledger.toml");
    let data = setup.data();
    let file = setup.folder.join(file);
    let path = |path: &Path| path.to_str().map(str::to_owned).context("UTF-8");
    let (config, data, out) = (path(&config)?, path(&data)?, path(&file)?);
    let mut arguments = vec!["export", "cdrs", "--config", &config, "--data", &data];
    arguments.extend(["--out", &out]);
    arguments.extend(more);
    let ran = run(&arguments, &[], &setup.folder).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let manifest = std::fs::read_to_string(format!("{out}.manifest.json"))?;
    Ok((
        std::fs::read_to_string(&file)?,
        serde_json::from_str(&manifest)?,
    ))
}

/// Of an export of legs, one JSON object a line.
fn the_stretches_add_up(legs: &str) -> anyhow::Result<()> {
    let legs = legs.lines().map(serde_json::from_str::<Value>);
    let legs = legs.collect::<Result<Vec<_>, _>>()?;
    let [mut talked, mut waited] = [0_u64; 2];
    for leg in &legs {
        let segments = leg["segments"].as_array().context("stretches")?;
        let of = |kind: &str| -> u64 {
            let those = segments.iter().filter(|segment| segment["kind"] == kind);
            those.filter_map(|it| it["duration_ms"].as_u64()).sum()
        };
        // The stretches of a leg add up to its columns.
        for (kind, column) in [
            ("queue", "wait_ms"),
            ("alert", "ring_ms"),
            ("talk", "talk_ms"),
        ] {
            ensure!(leg[column] == of(kind), "{column}: {leg:#}");
        }
        talked += of("talk");
        waited += of("queue");
    }
    ensure!(talked > 0 && waited > 0, "{legs:#?}");
    Ok(())
}

#[tokio::test]
async fn an_export_is_the_same_bytes_at_the_same_position_however_it_is_had() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let server = Server::start(&setup).await?;
    some_calls(&server).await?;
    let ordered = order(&server, json!({ "format": "CSV" })).await?;
    ensure!(ordered["callsCount"] == 3, "{ordered}");
    let first = text(&server, &ordered["url"]).await?;
    let manifest: Value = serde_json::from_str(&text(&server, &ordered["manifestUrl"]).await?)?;
    ensure!(
        manifest["rows"] == 3 && manifest["rows_erased"] == 0,
        "{manifest}"
    );
    ensure!(manifest["sha256"] == sha256(&first), "{manifest}");
    ensure!(manifest["bytes"] == first.len(), "{manifest}");
    let lines: Vec<&str> = first.split_terminator("\r\n").collect();
    ensure!(
        lines.len() == 4 && lines[0].starts_with("schema,call_id,"),
        "{first}"
    );
    for disposition in ["ANSWERED", "FAILED", "ABANDONED"] {
        ensure!(first.contains(disposition), "{disposition}: {first}");
    }
    // Numbers begin with +, which is how a formula begins.
    ensure!(
        first.contains("\"'+4930222\"") && !first.contains(",+49"),
        "{first}"
    );

    // More calls and later facts do not show in what was ordered before.
    let fourth = caller(&server, "+4930444").await?;
    dial(&fourth, "nobody").await?.wait_ended(PATIENCE).await?;
    records(&server, 4).await?;
    ensure!(
        text(&server, &ordered["url"]).await? == first,
        "other bytes"
    );
    let position = ordered["position"].as_str().context("a position")?;
    let (beside, manifest) = export(&setup, "beside.csv", &["--position", position]).await?;
    ensure!(beside == first, "{beside}\n{first}");
    ensure!(manifest["sha256"] == sha256(&first), "{manifest}");
    server.stop().await?;
    let (after, _) = export(&setup, "after.csv", &["--position", position]).await?;
    ensure!(after == first, "{after}");
    let (all, manifest) = export(&setup, "all.jsonl", &["--format", "jsonl"]).await?;
    ensure!(manifest["rows"] == 4, "{manifest}");
    for line in all.lines() {
        let record: Value = serde_json::from_str(line)?;
        ensure!(record["started_at_utc"].is_string(), "{record}");
        ensure!(
            record["from"]
                .as_str()
                .is_some_and(|from| !from.starts_with('\'')),
            "{record}"
        );
    }
    let (legs, manifest) = export(&setup, "legs.csv", &["--legs"]).await?;
    // Callers' legs, and those of the agent's phone.
    ensure!(manifest["rows"] == 6, "{legs}");
    let (legs, _) = export(&setup, "legs.jsonl", &["--legs", "--format", "jsonl"]).await?;
    the_stretches_add_up(&legs)?;
    let (none, _) = export(&setup, "none.csv", &["--to", "2001-01-01"]).await?;
    ensure!(none.lines().count() == 1, "{none}");
    Ok(())
}

#[tokio::test]
async fn nobody_takes_records_away_without_the_scope_and_nothing_is_made_up() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let server = Server::start(&setup).await?;
    let ordered = order(&server, json!({ "format": "JSONL", "legs": true })).await?;
    let url = server.url(ordered["url"].as_str().context("a path")?);
    let client = reqwest::Client::new();
    ensure!(client.get(&url).send().await?.status() == 401);
    ensure!(client.get(&url).bearer_auth("wrong").send().await?.status() == 401);
    for path in [
        "/exports/cdrs/x.csv",
        "/exports/cdrs/e30.csv",
        "/exports/cdrs/.csv",
    ] {
        let response = client
            .get(server.url(path))
            .bearer_auth(TOKEN)
            .send()
            .await?;
        ensure!(response.status() == 404, "{path}: {}", response.status());
    }
    // What is not there yet is not waited for for ever.
    let ahead = json!({ "format": "CSV", "position": "1000000" });
    let error = order(&server, ahead)
        .await
        .err()
        .context("it reads the future")?;
    ensure!(error.to_string().contains("STALE"), "{error}");
    for (more, says) in [
        (vec!["--position", "1000000"], "not 1000000"),
        (vec!["--from", "tomorrow"], "--from"),
        (vec!["--zone", "Mars/Olympus"], "zone"),
    ] {
        let config = setup.write()?;
        let config = config.to_str().context("UTF-8")?;
        let data = setup.data();
        let data = data.to_str().context("UTF-8")?;
        let mut arguments = vec![
            "export", "cdrs", "--config", config, "--data", data, "--out", "x",
        ];
        arguments.extend(more);
        let ran = run(&arguments, &[], folder.path()).await?;
        ensure!(
            ran.code != Some(0) && ran.err.contains(says),
            "{says}: {ran:?}"
        );
        ensure!(!folder.path().join("x").exists(), "{says}: half a file");
    }
    server.stop().await
}
