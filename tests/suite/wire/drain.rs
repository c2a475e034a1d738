//! SIGTERM: nobody who talks is cut off, nobody new is let in.

use crate::support::{
    PATIENCE, agent, caller, command_id, dial, mutate, records, records_from, setup, talk,
};
use anyhow::{Context as _, ensure};
use phone::{CallEvent, EndedBy, Phone, Rejection};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// What a new caller hears.
async fn refusal(phone: &Phone) -> anyhow::Result<Rejection> {
    let mut call = dial(phone, "support").await?;
    let refusal = async {
        loop {
            match call.next_event().await.context("the call is gone")? {
                CallEvent::Rejected(rejection) => return anyhow::Ok(rejection),
                CallEvent::Trying => {}
                other => anyhow::bail!("{other:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, refusal)
        .await
        .context("no final answer")?
}

/// A server whose log says when the signal has arrived.
fn logged(folder: &Path) -> Setup {
    let mut setup = setup(folder, &["anna"]);
    setup.log = Some(folder.join("log.txt"));
    setup.environment = vec![(
        "RINGLEDGER__LOG__FILTER".into(),
        "info,rsipstack=error".into(),
    )];
    setup
}

/// Sends the signal; from then on a new caller is told to come back later.
async fn terminate(server: &Server, setup: &Setup, phone: &Phone) -> anyhow::Result<()> {
    server.terminate()?;
    let log = setup.log.as_ref().context("a log")?;
    let deadline = Instant::now() + PATIENCE;
    while !std::fs::read_to_string(log)?.contains("draining") {
        ensure!(Instant::now() < deadline, "the signal is not heard");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let rejection = refusal(phone).await?;
    ensure!(rejection.status == 503, "{rejection:?}");
    let header = |name: &str| {
        let mut headers = rejection.headers.iter();
        headers
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
    };
    let retry_after = header("Retry-After").context("no Retry-After")?;
    ensure!(
        retry_after
            .trim()
            .parse::<u32>()
            .is_ok_and(|seconds| seconds > 0),
        "{retry_after}"
    );
    Ok(())
}

#[tokio::test]
async fn a_running_call_goes_on_while_new_ones_are_refused_and_the_exit_code_is_0()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = logged(folder.path());
    let server = Server::start(&setup).await?;
    setup.sip = server.sip;
    let anna = agent(&server, "anna").await?;
    let first = caller(&server, "4930111").await?;
    let (out, call) = talk(&first, &anna).await?;
    terminate(&server, &setup, &caller(&server, "4930112").await?).await?;

    nobody_is_rung_back(&server).await?;

    // It is not only not cut off: they hear each other.
    out.media().play_tone(440.0, 0.5);
    let heard = call.media().received_packets();
    ensure!(
        call.media().wait_packets(heard + 25, PATIENCE).await,
        "the audio is cut"
    );
    ensure!(out.progress().ended_by.is_none(), "the call is cut");
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    let ended = call.wait_ended(PATIENCE).await?;
    ensure!(ended.ended_by == Some(EndedBy::Remote), "{ended:?}");
    let status = server.exited().await?;
    ensure!(status.code() == Some(0), "{status}");

    let server = Server::start(&setup).await?;
    // Whoever was told to come back has a record too, and so has the call of ours.
    let records = records(&server, 3).await?;
    let refused = records.iter().find(|it| it["from"]["user"] == "4930112");
    let refused = refused.context("the refused call has no record")?;
    ensure!(refused["endReason"] == "SHUTDOWN", "{records:#?}");
    let call = records.iter().find(|it| it["disposition"] == "ANSWERED");
    let call = call.context("the call has no record")?;
    ensure!(call["endReason"] == "HANGUP", "{records:#?}");
    ensure!(call["hangupBy"] == "CALLER", "{records:#?}");
    ensure!(call["incomplete"] == false, "{records:#?}");
    // Its sound was measured, although the server stopped right after it.
    let query = "{ cdrs(first: 10, filter: {dispositions: [ANSWERED]}) { nodes { mos } } }";
    let answer = server.graphql(query, serde_json::json!({})).await?;
    ensure!(!answer["cdrs"]["nodes"][0]["mos"].is_null(), "{answer}");
    server.stop().await
}

/// Nor is a call of ours begun: the promise is told why, and stands.
async fn nobody_is_rung_back(server: &Server) -> anyhow::Result<()> {
    let queues = server.graphql("{ queues(first: 1) { nodes { id } } }", json!({}));
    let queue = queues.await?["queues"]["nodes"][0]["id"].clone();
    let input = json!({ "commandId": command_id(1), "queueId": queue, "number": "+4930333" });
    mutate(server, "requestCallback", "callback { id }", input).await?;
    let query = "{ callbacks(first: 1) { nodes { state attempts { endReason isCounted } } } }";
    let stands = json!({ "state": "PENDING",
                         "attempts": [{ "endReason": "SHUTDOWN", "isCounted": false }] });
    let is_told = |answer: &Value| answer["callbacks"]["nodes"][0] == stands;
    server.until(query, is_told).await?;
    Ok(())
}

#[tokio::test]
async fn a_second_signal_ends_the_running_call_with_bye_and_the_record_says_so()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = logged(folder.path());
    let server = Server::start(&setup).await?;
    setup.sip = server.sip;
    let anna = agent(&server, "anna").await?;
    let first = caller(&server, "4930111").await?;
    let (out, call) = talk(&first, &anna).await?;
    let waiting = caller(&server, "4930112").await?;
    let waits = dial(&waiting, "support").await?;
    waits.wait_ringing(PATIENCE).await?;
    terminate(&server, &setup, &caller(&server, "4930113").await?).await?;
    server.terminate()?;

    for ended in [
        out.wait_ended(PATIENCE).await?,
        call.wait_ended(PATIENCE).await?,
    ] {
        ensure!(ended.ended_by == Some(EndedBy::Remote), "no BYE: {ended:?}");
    }
    let refused = waits.wait_ended(PATIENCE).await?;
    ensure!(refused.ended_by == Some(EndedBy::Rejected), "{refused:?}");
    let status = server.exited().await?;
    ensure!(status.code() == Some(0), "{status}");

    let server = Server::start(&setup).await?;
    // A third, of whoever was told to come back, may have had no time.
    let records = records_from(&server, 2).await?;
    for (record, disposition) in records.iter().zip(["ANSWERED", "SYSTEM_ERROR"]) {
        ensure!(record["endReason"] == "SHUTDOWN", "{record:#}");
        ensure!(record["hangupBy"] == "SYSTEM", "{record:#}");
        ensure!(record["incomplete"] == false, "{record:#}");
        ensure!(record["disposition"] == disposition, "{record:#}");
    }
    crate::support::agent_is(&server, "anna", "READY").await?;
    server.stop().await
}

#[tokio::test]
async fn a_signal_during_the_start_stops_the_server_in_order() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    for _ in 0..5 {
        // As soon as it says where it is, and often before it has said all.
        let server = Server::start(&setup).await?;
        server.stop().await?;
    }
    Ok(())
}
