//! Every way a call can end, at the real binary: what the phones see, one record
//! with the right disposition, party and cause, and an agent who is free.

use crate::support::{PATIENCE, agent, agent_is, call_is, caller, dial, incoming, setup, talk};
use anyhow::{Context as _, ensure};
use phone::{IncomingCall, OutgoingCall, Phone};
use ringledger_tests::server::{Server, Setup};
use serde_json::Value;
use std::path::Path;

/// A short ring, a phone that is given up after 3 s of no response, a side that
/// is gone after 1 s without RTP, and a probe each half second on hold.
fn impatient(folder: &Path, agents: &[&str]) -> Setup {
    let mut setup = setup(folder, agents);
    setup.provisioning = setup.provisioning.replace("10000", "1000");
    for (key, value) in [
        ("RINGLEDGER__SIP__T1_MS", "50"),
        ("RINGLEDGER__SIP__PROBE_INTERVAL_MS", "500"),
        ("RINGLEDGER__MEDIA__SILENCE_TIMEOUT_MS", "1000"),
    ] {
        setup.environment.push((key.into(), value.into()));
    }
    setup
}

/// The one record of a caller, once it is there.
async fn record(server: &Server, user: &str) -> anyhow::Result<Value> {
    let query = "{ cdrs(first: 100) { nodes { from { user } disposition hangupBy endReason \
                 sipStatus incomplete offersCount } } }";
    let of = |answer: &Value| -> Vec<Value> {
        let all = answer["cdrs"]["nodes"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        all.into_iter()
            .filter(|cdr| cdr["from"]["user"] == user)
            .collect()
    };
    let answer = server.until(query, |answer| !of(answer).is_empty()).await?;
    let mut records = of(&answer);
    ensure!(records.len() == 1, "{user} has {} records", records.len());
    records.pop().context("one record")
}

async fn ends(
    server: &Server,
    user: &str,
    disposition: &str,
    by: &str,
    reason: &str,
    offers: u64,
) -> anyhow::Result<()> {
    let cdr = record(server, user).await?;
    let is = |key: &str, wanted: &str| cdr[key] == wanted;
    ensure!(
        is("disposition", disposition) && is("hangupBy", by) && is("endReason", reason),
        "{user}: {cdr}"
    );
    ensure!(cdr["offersCount"] == offers, "{user}: {cdr}");
    Ok(())
}

/// Caller and agent talk, and both send RTP.
async fn speak(caller: &Phone, agent: &Phone) -> anyhow::Result<(OutgoingCall, IncomingCall)> {
    let (out, call) = talk(caller, agent).await?;
    out.media().play_silence();
    call.media().play_silence();
    Ok((out, call))
}

#[tokio::test]
async fn callers_and_agents_who_leave_give_one_record_each_and_a_free_agent() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let server = Server::start(&impatient(folder.path(), &["anna"])).await?;

    // The caller leaves while queued.
    let out = dial(&caller(&server, "4930201").await?, "support").await?;
    call_is(&server, "4930201", "WAITING").await?;
    out.cancel().await?;
    ends(&server, "4930201", "ABANDONED", "CALLER", "CANCELLED", 0).await?;

    // The caller leaves while the phone rings.
    let anna = agent(&server, "anna").await?;
    let out = dial(&caller(&server, "4930202").await?, "support").await?;
    let ringing = incoming(&anna).await?;
    ringing.ring().await?;
    out.wait_ringing(PATIENCE).await?;
    out.cancel().await?;
    ringing.wait_ended(PATIENCE).await?;
    ends(&server, "4930202", "ABANDONED", "CALLER", "CANCELLED", 1).await?;
    agent_is(&server, "anna", "READY").await?;

    // Each side hangs up first.
    let (out, call) = speak(&caller(&server, "4930203").await?, &anna).await?;
    call.hang_up().await?;
    out.wait_ended(PATIENCE).await?;
    ends(&server, "4930203", "ANSWERED", "AGENT", "HANGUP", 1).await?;
    agent_is(&server, "anna", "READY").await?;
    let (out, call) = speak(&caller(&server, "4930204").await?, &anna).await?;
    out.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    ends(&server, "4930204", "ANSWERED", "CALLER", "HANGUP", 1).await?;
    agent_is(&server, "anna", "READY").await?;

    // The caller vanishes: no BYE, no RTP.
    let (out, call) = speak(&caller(&server, "4930205").await?, &anna).await?;
    out.vanish().await?;
    call.wait_ended(PATIENCE).await?;
    ends(&server, "4930205", "ANSWERED", "CALLER", "MEDIA_SILENCE", 1).await?;
    let cdr = record(&server, "4930205").await?;
    ensure!(cdr["incomplete"] == true, "{cdr}");
    agent_is(&server, "anna", "READY").await?;

    // On hold nobody need send RTP: there a probe finds who has vanished.
    let (out, call) = speak(&caller(&server, "4930206").await?, &anna).await?;
    ensure!(out.hold().await? == 200, "hold is answered");
    out.vanish().await?;
    call.wait_ended(PATIENCE).await?;
    ends(
        &server,
        "4930206",
        "ANSWERED",
        "CALLER",
        "SIGNALLING_LOST",
        1,
    )
    .await?;
    agent_is(&server, "anna", "READY").await?;
    server.stop().await
}

#[tokio::test]
async fn a_caller_who_leaves_in_the_instant_of_the_answer_has_one_record_either_way()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&impatient(folder.path(), &["anna"])).await?;
    let anna = agent(&server, "anna").await?;
    for round in 0..8 {
        let user = format!("49303{round:02}");
        let out = dial(&caller(&server, &user).await?, "support").await?;
        let ringing = incoming(&anna).await?;
        ringing.ring().await?;
        out.wait_ringing(PATIENCE).await?;
        // Either may be too late for the other: that is what the record says.
        let (_, _) = tokio::join!(out.cancel_even_if_answered(), ringing.answer());
        let cdr = record(&server, &user).await?;
        let disposition = cdr["disposition"].as_str().unwrap_or_default().to_owned();
        ensure!(
            ["ABANDONED", "ANSWERED"].contains(&disposition.as_str()),
            "{cdr}"
        );
        ensure!(cdr["hangupBy"] == "CALLER", "{cdr}");
        agent_is(&server, "anna", "READY").await?;
    }
    server.stop().await
}

#[tokio::test]
async fn a_phone_that_rings_too_long_is_taken_back_and_offered_again() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&impatient(folder.path(), &["anna"])).await?;

    // No answer: taken back, and offered again.
    let anna = agent(&server, "anna").await?;
    let out = dial(&caller(&server, "4930401").await?, "support").await?;
    let first = incoming(&anna).await?;
    first.ring().await?;
    first.wait_ended(PATIENCE).await?;
    let second = incoming(&anna).await?;
    second.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    ends(&server, "4930401", "ANSWERED", "CALLER", "HANGUP", 2).await?;
    agent_is(&server, "anna", "READY").await?;
    server.stop().await
}

#[tokio::test]
async fn phones_that_are_busy_decline_or_do_not_respond_are_followed_by_the_next()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = impatient(folder.path(), &["anna", "ben", "cleo"]);
    // Longer than a phone that does not respond is waited for.
    setup.provisioning = setup
        .provisioning
        .replace("ring_timeout_ms = 1000", "ring_timeout_ms = 10000");
    let server = Server::start(&setup).await?;
    let anna = agent(&server, "anna").await?;
    let out = dial(&caller(&server, "4930402").await?, "support").await?;
    incoming(&anna).await?.reject(486).await?;
    let ben = agent(&server, "ben").await?;
    incoming(&ben).await?.reject(603).await?;
    // No response at all.
    let cleo = agent(&server, "cleo").await?;
    incoming(&cleo).await?.ignore().await?;
    call_is(&server, "4930402", "WAITING").await?;
    out.cancel().await?;
    ends(&server, "4930402", "ABANDONED", "CALLER", "CANCELLED", 3).await?;
    for name in ["anna", "ben", "cleo"] {
        agent_is(&server, name, "READY").await?;
    }
    server.stop().await
}
