//! Callers hear the music that their queue has chosen, and are told of no other.

use crate::{
    heard::tone_comes,
    support::{PATIENCE, caller, command_id, dial, recorded},
};
use anyhow::{Context as _, ensure};
use phone::tone;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::path::Path;

const JAZZ_HZ: f64 = 620.0;
const ROCK_HZ: f64 = 1_130.0;

/// A queue with music of its own, and one without.
fn chosen(folder: &Path) -> anyhow::Result<Setup> {
    let jazz = folder.join("jazz.wav");
    recorded(&jazz, JAZZ_HZ)?;
    let queues = "[[queue]]\nname = \"support\"\nanswer_mode = \"immediate\"\nmusic = \"jazz\"\n\
                  [[queue]]\nname = \"sales\"\nanswer_mode = \"immediate\"\n";
    Ok(Setup {
        settings: format!("[media.music]\njazz = {jazz:?}\n"),
        ..Setup::new(folder, queues)
    })
}

async fn queue(server: &Server, name: &str) -> anyhow::Result<Value> {
    let query = "{ queues(first: 5) { nodes { id name } } }";
    let answer = server.graphql(query, json!({})).await?;
    let nodes = answer["queues"]["nodes"].as_array().into_iter().flatten();
    let mut named = nodes.filter(|queue| queue["name"] == name);
    Ok(named.next().context("a queue")?["id"].clone())
}

/// Gives a queue other music; what it has then, and what is wrong.
async fn give(
    server: &Server,
    (number, queue): (u128, &Value),
    music: Value,
) -> anyhow::Result<(Value, Value)> {
    let order = "mutation($input: UpdateQueueInput!) { updateQueue(input: $input) { \
                 userErrors { code field } queue { config { music } } } }";
    let input = json!({ "commandId": command_id(number), "queueId": queue, "music": music });
    let answer = server.graphql(order, json!({ "input": input })).await?;
    let payload = &answer["updateQueue"];
    Ok((
        payload["queue"]["config"]["music"].clone(),
        payload["userErrors"][0].clone(),
    ))
}

#[tokio::test]
async fn a_caller_hears_the_music_of_the_queue_and_other_music_in_another() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&chosen(folder.path())?).await?;
    let phone = caller(&server, "+4930111").await?;
    let out = dial(&phone, "support").await?;
    out.wait_answered(PATIENCE).await?;
    out.media().play_silence();
    tone_comes(out.media(), JAZZ_HZ).await?;
    // Sent on into the queue that has none of its own.
    let query = "{ activeCalls(first: 1) { nodes { id } } }";
    let call = server.graphql(query, json!({})).await?["activeCalls"]["nodes"][0]["id"].clone();
    let sales = queue(&server, "sales").await?;
    let order = "mutation($input: RequeueVisitInput!) { requeueVisit(input: $input) { \
                 userErrors { code } } }";
    let input = json!({ "commandId": command_id(1), "callId": call, "queueId": sales,
                        "reason": "rush" });
    let answer = server.graphql(order, json!({ "input": input })).await?;
    ensure!(
        answer["requeueVisit"]["userErrors"] == json!([]),
        "{answer}"
    );
    let is_other =
        |heard: &[i16]| tone::power(heard) > 0.0 && tone::tone_share(heard, JAZZ_HZ) < 0.5;
    let other = async { while !is_other(&out.media().record(800, PATIENCE).await) {} };
    let heard = tokio::time::timeout(PATIENCE, other).await;
    heard.context("no other music comes")?;
    // What it heard is on the record.
    let query =
        format!("{{ callTimeline(callId: {call}, first: 50) {{ nodes {{ type payload }} }} }}");
    let told = server.graphql(&query, json!({})).await?;
    let nodes = told["callTimeline"]["nodes"].as_array();
    let enqueued = nodes.into_iter().flatten();
    let enqueued = enqueued.filter(|event| event["type"] == "call_enqueued");
    let music: Vec<_> = enqueued
        .map(|event| event["payload"]["music"].clone())
        .collect();
    ensure!(music == [json!("jazz"), Value::Null], "{told}");
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    server.stop().await
}

#[tokio::test]
async fn music_that_there_is_not_is_refused_and_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = chosen(folder.path())?;
    let server = Server::start(&setup).await?;
    let sales = queue(&server, "sales").await?;
    let (_, error) = give(&server, (1, &sales), json!("rock")).await?;
    ensure!(
        error == json!({"code": "input.unknown_music", "field": "music"}),
        "{error}"
    );
    let (music, error) = give(&server, (2, &sales), json!("jazz")).await?;
    ensure!(music == "jazz", "{error}");
    let (music, error) = give(&server, (3, &sales), Value::Null).await?;
    ensure!(music.is_null() && error.is_null(), "{error}");
    // By the file, while it runs: a name that is not in it, and a recording that is read at
    // a restart.
    let rock = folder.path().join("rock.wav");
    recorded(&rock, ROCK_HZ)?;
    let mut more = Setup {
        provisioning: setup.provisioning.replace("\"jazz\"", "\"rock\""),
        ..setup.clone()
    };
    let refused = async || -> anyhow::Result<String> {
        let reload = "mutation { reloadConfiguration { userErrors { message } } }";
        let answer = server.graphql(reload, json!({})).await?;
        Ok(answer["reloadConfiguration"]["userErrors"][0]["message"].to_string())
    };
    more.write()?;
    let error = refused().await?;
    ensure!(error.contains("queue[0].music"), "{error}");
    more.settings.push_str(&format!("rock = {rock:?}\n"));
    more.write()?;
    let error = refused().await?;
    ensure!(error.contains("media.music.rock"), "{error}");
    ensure!(error.contains("restart"), "{error}");
    server.stop().await?;
    // After it callers hear it.
    let server = Server::start(&more).await?;
    let phone = caller(&server, "+4930111").await?;
    let out = dial(&phone, "support").await?;
    out.wait_answered(PATIENCE).await?;
    out.media().play_silence();
    tone_comes(out.media(), ROCK_HZ).await?;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    server.stop().await
}
