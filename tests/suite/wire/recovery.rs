//! The server dies with calls in every state: each ends once, as it should,
//! and the call centre goes on at once.

use crate::support::{
    PATIENCE, agent, agent_is, call_is, caller, calls, dial, incoming, records, setup, talk,
};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// The server notes once a second that it is alive; a busy machine is late.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// How long the connected call lasts at least, so that heartbeats are noted.
const TALK: Duration = Duration::from_millis(2_500);

/// Microseconds since 1970 of an instant in RFC 3339, in UTC.
pub(crate) fn micros(value: &Value) -> anyhow::Result<i64> {
    let instant: domain::time::Timestamp =
        serde_json::from_value(value.clone()).with_context(|| format!("{value} is no instant"))?;
    Ok(instant.micros())
}

#[tokio::test]
async fn connected_ringing_and_waiting_calls_each_end_once_after_kill_9() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = setup(folder.path(), &["anna", "ben"]);
    let server = Server::start(&setup).await?;
    setup.sip = server.sip;
    let anna = agent(&server, "anna").await?;
    let first = caller(&server, "4930111").await?;
    let (out, _call) = talk(&first, &anna).await?;
    let ben = agent(&server, "ben").await?;
    let second = caller(&server, "4930112").await?;
    let rings = dial(&second, "support").await?;
    let ringing = incoming(&ben).await?;
    ringing.ring().await?;
    agent_is(&server, "ben", "RINGING").await?;
    let third = caller(&server, "4930113").await?;
    let waits = dial(&third, "support").await?;
    call_is(&server, "4930113", "WAITING").await?;
    tokio::time::sleep(TALK).await;
    let killed_at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    server.kill().await?;
    for call in [&out, &rings, &waits] {
        call.vanish().await?;
    }
    ringing.ignore().await?;

    let server = Server::start(&setup).await?;
    check(&server, i64::try_from(killed_at.as_micros())?).await?;
    calls(&server, 0).await?;
    for name in ["anna", "ben"] {
        agent_is(&server, name, "READY").await?;
    }
    // The phones need not do anything: the next call is taken at once.
    let next = caller(&server, "4930114").await?;
    let out = dial(&next, "support").await?;
    let call = tokio::select! {
        call = incoming(&anna) => call?,
        call = incoming(&ben) => call?,
    };
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    let all = records(&server, 4).await?;
    ensure!(
        all[3]["disposition"] == "ANSWERED" && all[3]["incomplete"] == false,
        "{all:#?}"
    );
    server.stop().await?;
    ends(&setup).await
}

/// The records of the three calls.
async fn check(server: &Server, killed_at: i64) -> anyhow::Result<()> {
    let records = records(server, 3).await?;
    for (record, number) in records.iter().zip(["4930111", "4930112", "4930113"]) {
        ensure!(record["from"]["user"] == number, "{records:#?}");
        ensure!(record["endReason"] == "NODE_LOST", "{record:#}");
        ensure!(record["hangupBy"] == "SYSTEM", "{record:#}");
        ensure!(record["incomplete"] == true, "{record:#}");
        let answered = number == "4930111";
        let wanted = if answered { "ANSWERED" } else { "SYSTEM_ERROR" };
        ensure!(record["disposition"] == wanted, "{record:#}");
        ensure!(
            record["agentConnectedAt"].is_null() != answered,
            "{record:#}"
        );
        let ended_at = micros(&record["endedAt"])?;
        ensure!(
            ended_at <= killed_at,
            "it ended after the server: {record:#}"
        );
        ensure!(ended_at >= micros(&record["startedAt"])?, "{record:#}");
        let silent = Duration::from_micros(u64::try_from(killed_at - ended_at)?);
        ensure!(
            silent < HEARTBEAT,
            "it ended {silent:?} before the last heartbeat: {record:#}"
        );
        if answered {
            ensure!(
                ended_at > micros(&record["agentConnectedAt"])?,
                "{record:#}"
            );
        }
    }
    Ok(())
}

/// Each call has one end on the record, also after more restarts.
async fn ends(setup: &Setup) -> anyhow::Result<()> {
    Server::start(setup).await?.stop().await?;
    let events = crate::support::events(setup).await?;
    let mut ends = std::collections::BTreeMap::<_, u32>::new();
    for event in events
        .iter()
        .filter(|event| &*event.event_type == "call_ended")
    {
        *ends.entry(event.stream.to_string()).or_default() += 1;
    }
    ensure!(
        ends.len() == 4 && ends.values().all(|count| *count == 1),
        "{ends:?}"
    );
    Ok(())
}
