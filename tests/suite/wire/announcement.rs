//! A caller whom no queue serves is told so, by a recording of the settings.

use crate::support::{PATIENCE, caller, command_id, dial, recorded};
use anyhow::{Context as _, ensure};
use phone::{EndedBy, tone};
use ringledger_tests::server::{Server, Setup};
use serde_json::json;
use std::path::Path;

const SPEECH_HZ: f64 = 620.0;
/// Samples that are looked at together: 100 ms.
const PIECE: usize = 800;

fn told(folder: &Path, answer_mode: &str) -> Setup {
    let queue = format!(
        "[[queue]]\nname = \"support\"\nanswer_mode = \"{answer_mode}\"\n\
         empty = {{ join = [] }}\n\
         overflow = [{{ when = \"unstaffed\", announcement = \"closed\" }}]\n"
    );
    let file = folder.join("closed.wav");
    Setup {
        settings: format!("[media.announcements]\nclosed = \"{}\"\n", file.display()),
        ..Setup::new(folder, &queue)
    }
}

/// The caller hears the recording, the whole of it, and gets a BYE.
async fn is_told(server: &Server, user: &str) -> anyhow::Result<()> {
    let phone = caller(server, user).await?;
    let out = dial(&phone, "support").await?;
    out.wait_answered(PATIENCE).await?;
    out.media().play_tone(440.0, 0.25);
    let speech = async {
        while tone::tone_share(&out.media().record(PIECE, PATIENCE).await, SPEECH_HZ) < 0.9 {}
    };
    tokio::time::timeout(PATIENCE, speech)
        .await
        .context("the recording does not come")?;
    let ended = out.wait_ended(PATIENCE).await?;
    ensure!(
        ended.ended_by == Some(EndedBy::Remote),
        "the caller is let go: {ended:?}"
    );
    ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    Ok(())
}

#[tokio::test]
async fn a_caller_whom_nobody_serves_hears_why_and_is_let_go() -> anyhow::Result<()> {
    for (number, answer_mode) in ["immediate", "on_agent"].into_iter().enumerate() {
        let folder = tempfile::tempdir()?;
        recorded(&folder.path().join("closed.wav"), SPEECH_HZ)?;
        let server = Server::start(&told(folder.path(), answer_mode)).await?;
        is_told(&server, &format!("+493011{number}")).await?;
        let query = "{ cdrs(first: 2) { nodes { disposition endReason hangupBy answeredAt \
                     legs { segments { kind startedAt endedAt } } } } \
                     queues(first: 1) { nodes { statistics { total { offeredCount \
                     flowOutCount abandonedCount } } } } }";
        let answer = server
            .until(query, |answer| answer["cdrs"]["nodes"][0].is_object())
            .await?;
        let record = &answer["cdrs"]["nodes"][0];
        ensure!(
            record["disposition"] == "NO_ANSWER"
                && record["endReason"] == "ANNOUNCED"
                && record["hangupBy"] == "SYSTEM"
                && record["answeredAt"].is_string(),
            "{answer:#}"
        );
        let total = &answer["queues"]["nodes"][0]["statistics"]["total"];
        ensure!(total["abandonedCount"] == 0, "{total}");
        let segments = record["legs"][0]["segments"].as_array();
        let mut segments = segments.into_iter().flatten();
        let segment = segments.find(|segment| segment["kind"] == "ANNOUNCEMENT");
        ensure!(
            segment.is_some_and(|segment| segment["endedAt"].is_string()),
            "{record:#}"
        );
        server.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_announcement_that_there_is_not_is_refused_and_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    recorded(&folder.path().join("closed.wav"), SPEECH_HZ)?;
    let setup = told(folder.path(), "immediate");
    let server = Server::start(&setup).await?;
    // By the API.
    let queue = server
        .graphql("{ queues(first: 1) { nodes { id } } }", json!({}))
        .await?;
    let queue = &queue["queues"]["nodes"][0]["id"];
    let order = "mutation($input: UpdateQueueInput!) { updateQueue(input: $input) { \
                 userErrors { code field } queue { config { exits { key announcement } } } } }";
    let exit = |number: u128, name: &str| {
        json!({ "input": { "commandId": command_id(number), "queueId": queue,
                "exits": [{ "key": "1", "announcement": name }] } })
    };
    let answer = server.graphql(order, exit(1, "opened")).await?;
    let error = &answer["updateQueue"]["userErrors"][0]["code"];
    ensure!(error == "input.unknown_announcement", "{answer}");
    let answer = server.graphql(order, exit(2, "closed")).await?;
    let exits = &answer["updateQueue"]["queue"]["config"]["exits"];
    ensure!(
        *exits == json!([{ "key": "1", "announcement": "closed" }]),
        "{answer}"
    );
    // By the file, while it runs: a new recording is read at a restart.
    let more = Setup {
        settings: setup.settings.replace("closed", "later"),
        provisioning: setup.provisioning.replace("closed", "later"),
        ..setup.clone()
    };
    more.write()?;
    let reload = "mutation { reloadConfiguration { userErrors { message } } }";
    let answer = server.graphql(reload, json!({})).await?;
    let error = answer["reloadConfiguration"]["userErrors"][0]["message"].to_string();
    ensure!(error.contains("media.announcements.later"), "{error}");
    // And by the file alone.
    let unknown = Setup {
        settings: String::new(),
        ..setup.clone()
    };
    unknown.write()?;
    let answer = server.graphql(reload, json!({})).await?;
    let error = answer["reloadConfiguration"]["userErrors"][0]["message"].to_string();
    ensure!(
        error.contains("queue[0].overflow") && error.contains("closed"),
        "{error}"
    );
    server.stop().await
}
