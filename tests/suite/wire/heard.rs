//! What caller and agent hear of each other through the real binary, by samples.

use crate::support::{PATIENCE, agent, agent_is, caller, records, setup, talk};
use anyhow::{Context as _, ensure};
use phone::{Media, tone};
use ringledger_tests::server::Server;

const CALLER_HZ: f64 = 440.0;
const AGENT_HZ: f64 = 880.0;
/// Samples that are looked at together: 100 ms.
const PIECE: usize = 800;

/// Waits until a condition holds for what comes, piece by piece.
async fn comes(media: &Media, what: &str, is: impl Fn(&[i16]) -> bool) -> anyhow::Result<()> {
    let begins = async { while !is(&media.record(PIECE, PATIENCE).await) {} };
    tokio::time::timeout(PATIENCE, begins)
        .await
        .with_context(|| format!("{what} does not come"))?;
    let heard = media.record(5 * PIECE, PATIENCE).await;
    ensure!(is(&heard), "{what} does not stay");
    Ok(())
}

pub(crate) async fn tone_comes(media: &Media, hz: f64) -> anyhow::Result<()> {
    comes(media, &format!("{hz} Hz"), |heard| {
        tone::tone_share(heard, hz) > 0.9
    })
    .await
}

/// What the relay measured is on the record, once both phones have hung up.
async fn sounded_well(server: &Server) -> anyhow::Result<()> {
    let query = "{ cdrs(first: 1) { nodes { mos lossRate jitterUs \
                 legs { role media { receivedCount lostCount sentCount mos } } } } }";
    let answer = server
        .until(query, |answer| !answer["cdrs"]["nodes"][0]["mos"].is_null())
        .await
        .context("the sound is measured")?;
    let record = &answer["cdrs"]["nodes"][0];
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or(-1.0);
    // On loopback nothing is lost; a busy machine may delay.
    ensure!(number(&record["mos"]) > 3.5, "{record}");
    ensure!(number(&record["lossRate"]) < 0.05, "{record}");
    ensure!(number(&record["jitterUs"]) >= 0.0, "{record}");
    let legs = record["legs"].as_array().context("legs")?;
    ensure!(legs.len() == 2, "{record}");
    for leg in legs {
        // More than a second of sound went each way.
        ensure!(number(&leg["media"]["receivedCount"]) > 50.0, "{leg}");
        ensure!(number(&leg["media"]["sentCount"]) > 50.0, "{leg}");
    }
    Ok(())
}

#[tokio::test]
async fn each_hears_the_others_tone_and_music_while_held() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&setup(folder.path(), &["anna"])).await?;
    let anna = agent(&server, "anna").await?;
    let (out, call) = talk(&caller(&server, "4930501").await?, &anna).await?;
    out.media().play_tone(CALLER_HZ, 0.25);
    call.media().play_tone(AGENT_HZ, 0.25);
    tone_comes(call.media(), CALLER_HZ).await?;
    tone_comes(out.media(), AGENT_HZ).await?;

    ensure!(call.hold().await? == 200, "hold is answered");
    comes(out.media(), "music", |heard| {
        tone::power(heard) > 1e-4 && tone::tone_share(heard, AGENT_HZ) < 0.5
    })
    .await?;
    ensure!(call.resume().await? == 200, "resume is answered");
    tone_comes(out.media(), AGENT_HZ).await?;
    tone_comes(call.media(), CALLER_HZ).await?;

    out.hang_up().await?;
    agent_is(&server, "anna", "READY").await?;
    let held = server
        .until("{ cdrs(first: 1) { nodes { holdMs } } }", |answer| {
            let hold = &answer["cdrs"]["nodes"][0]["holdMs"];
            hold.as_str().is_some_and(|hold| hold != "0")
        })
        .await;
    held.context("the record has the hold")?;
    sounded_well(&server).await?;
    ensure!(records(&server, 1).await?.len() == 1, "one record");
    server.stop().await
}
