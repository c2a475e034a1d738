//! A caller who waits hears the place in the line, by prompts of the settings.

use crate::support::{PATIENCE, caller, command_id, dial, recorded};
use anyhow::{Context as _, ensure};
use phone::{OutgoingCall, tone};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::path::Path;

/// Each prompt is a tone that can be told from music.
const FIRST_HZ: f64 = 620.0;
const SECOND_HZ: f64 = 1_130.0;
const MORE_HZ: f64 = 1_710.0;
/// Samples that are looked at together: 100 ms.
const PIECE: usize = 800;

/// Prompts of two places, and a queue that tells them every ten seconds.
fn told(folder: &Path) -> anyhow::Result<Setup> {
    let sounds = folder.join("english");
    std::fs::create_dir(&sounds)?;
    for (name, hz) in [("1", FIRST_HZ), ("2", SECOND_HZ), ("more", MORE_HZ)] {
        recorded(&sounds.join(format!("{name}.wav")), hz)?;
    }
    let queue = "[[queue]]\nname = \"support\"\nanswer_mode = \"immediate\"\n\
                 announce_position = { sounds = \"english\", every_ms = 10000, \
                 first_ms = 1000, up_to = 2 }\n";
    Ok(Setup {
        settings: format!("[media.positions]\nenglish = \"{}\"\n", sounds.display()),
        ..Setup::new(folder, queue)
    })
}

/// The caller hears that tone.
async fn hears(out: &OutgoingCall, hz: f64) -> anyhow::Result<()> {
    let prompt =
        async { while tone::tone_share(&out.media().record(PIECE, PATIENCE).await, hz) < 0.9 {} };
    let heard = tokio::time::timeout(PATIENCE, prompt).await;
    heard.with_context(|| format!("no prompt of {hz} Hz comes"))
}

/// What the calls that wait were told, the first caller's first, once there is so much.
async fn told_of(server: &Server, count: usize) -> anyhow::Result<Vec<Vec<Value>>> {
    let query = "{ activeCalls(first: 3) { nodes { id place from { user } } } }";
    let answer = server.graphql(query, json!({})).await?;
    let mut calls = answer["activeCalls"]["nodes"]
        .as_array()
        .cloned()
        .context("calls")?;
    calls.sort_by_key(|call| call["from"]["user"].to_string());
    let mut all = vec![];
    for call in calls {
        let id = call["id"].as_str().context("an id")?;
        let query = format!(
            "{{ callTimeline(callId: \"{id}\", first: 50) {{ nodes {{ type payload }} }} }}"
        );
        let places = |answer: &Value| -> Vec<Value> {
            let events = answer["callTimeline"]["nodes"].as_array();
            let told = events.into_iter().flatten();
            let told = told.filter(|event| event["type"] == "place_told");
            told.map(|event| event["payload"].clone()).collect()
        };
        let answer = server
            .until(&query, |answer| places(answer).len() >= count)
            .await?;
        all.push(places(&answer));
    }
    Ok(all)
}

#[tokio::test]
async fn a_caller_who_waits_hears_the_place_and_it_is_on_the_record() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&told(folder.path())?).await?;
    let mut waiting = vec![];
    for (user, hz) in [
        ("+4930111", FIRST_HZ),
        ("+4930112", SECOND_HZ),
        ("+4930113", MORE_HZ),
    ] {
        let phone = caller(&server, user).await?;
        let out = dial(&phone, "support").await?;
        out.wait_answered(PATIENCE).await?;
        out.media().play_tone(440.0, 0.25);
        hears(&out, hz).await?;
        waiting.push((phone, out));
    }
    let told = told_of(&server, 1).await?;
    let places: Vec<_> = told
        .iter()
        .filter_map(|told| told.first())
        .map(|told| (&told["place"], &told["is_behind"], &told["sounds"]))
        .collect();
    let (second, behind, sounds) = (json!(2), json!(true), json!("english"));
    ensure!(
        places
            == [
                (&json!(1), &Value::Null, &sounds),
                (&second, &Value::Null, &sounds),
                (&second, &behind, &sounds),
            ],
        "{told:?}"
    );
    // The first goes: the others are told so at their next times.
    let (_, first) = waiting.remove(0);
    ensure!(first.hang_up().await? == 200, "BYE is refused");
    hears(&waiting[0].1, FIRST_HZ).await?;
    hears(&waiting[1].1, SECOND_HZ).await?;
    for (phone, out) in waiting {
        ensure!(out.hang_up().await? == 200, "BYE is refused");
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}

#[tokio::test]
async fn prompts_that_there_are_not_are_refused_and_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = told(folder.path())?;
    let server = Server::start(&setup).await?;
    let queues = server
        .graphql("{ queues(first: 1) { nodes { id } } }", json!({}))
        .await?;
    let queue = &queues["queues"]["nodes"][0]["id"];
    let order = "mutation($input: UpdateQueueInput!) { updateQueue(input: $input) { \
                 userErrors { code field } queue { config { announcePosition { sounds everyMs \
                 firstMs upTo } } } } }";
    let change = |number: u128, told: Value| {
        json!({ "input": { "commandId": command_id(number), "queueId": queue,
                "announcePosition": told } })
    };
    for (number, wrong) in [
        (1, json!({ "sounds": "german", "upTo": 2 })),
        (2, json!({ "sounds": "english", "upTo": 3 })),
    ] {
        let answer = server.graphql(order, change(number, wrong)).await?;
        let error = &answer["updateQueue"]["userErrors"][0];
        ensure!(error["code"] == "input.unknown_sounds", "{answer}");
    }
    let config = |answer: &Value| answer["updateQueue"]["queue"]["config"].clone();
    let answer = server
        .graphql(order, change(3, json!({ "sounds": "english", "upTo": 1 })))
        .await?;
    let set = json!({ "sounds": "english", "everyMs": "30000", "firstMs": "5000", "upTo": 1 });
    ensure!(config(&answer)["announcePosition"] == set, "{answer}");
    let answer = server.graphql(order, change(4, Value::Null)).await?;
    ensure!(config(&answer).is_object(), "{answer}");
    ensure!(config(&answer)["announcePosition"].is_null(), "{answer}");
    // By the file, while it runs: the missing file is named, and what is new in the folder is
    // read at a restart.
    let more = Setup {
        provisioning: setup.provisioning.replace("up_to = 2", "up_to = 3"),
        ..setup.clone()
    };
    more.write()?;
    let reload = "mutation { reloadConfiguration { userErrors { message } } }";
    let refused = async || -> anyhow::Result<String> {
        let answer = server.graphql(reload, json!({})).await?;
        Ok(answer["reloadConfiguration"]["userErrors"][0]["message"].to_string())
    };
    let error = refused().await?;
    ensure!(
        error.contains("queue[0].announce_position") && error.contains("3.wav"),
        "{error}"
    );
    recorded(&folder.path().join("english/3.wav"), MORE_HZ)?;
    let error = refused().await?;
    ensure!(error.contains("media.positions.english"), "{error}");
    server.stop().await
}
