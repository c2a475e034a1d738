//! The wall clock is set ten years ahead and back under a running server: no
//! call is longer, no agent is stuck, nothing ends before its time.

use anyhow::{Context as _, ensure};
use phone::{CallOptions, IncomingCall, OutgoingCall, Phone, PhoneOptions};
use ringledger_tests::{
    machine,
    server::{Server, Setup},
};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const TEN_YEARS_S: i64 = 10 * 365 * 86_400;
const PATIENCE: Duration = Duration::from_secs(20);
/// No call of this test lasts longer, on the slowest machine.
const CALL_MS_MAX: i64 = 60_000;
/// A phone that nobody answers rings no longer than this, on the slowest machine.
const RING_MAX: Duration = Duration::from_secs(10);
const QUEUE: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
                     ring_timeout_ms = 20000\nwrap_up_ms = 300\n";

async fn call(caller: &Phone, agent: &Phone) -> anyhow::Result<(OutgoingCall, IncomingCall)> {
    let out = caller.call("support", CallOptions::default()).await?;
    let rings = tokio::time::timeout(PATIENCE, agent.next_incoming()).await;
    let rings = rings
        .context("no call comes")?
        .context("the phone is gone")?;
    rings.ring().await?;
    out.wait_ringing(PATIENCE).await?;
    Ok((out, rings))
}

async fn ready(server: &Server) -> anyhow::Result<()> {
    server
        .until("{ agents(first: 5) { nodes { state } } }", |answer| {
            answer["agents"]["nodes"][0]["state"] == "READY"
        })
        .await?;
    Ok(())
}

fn iso(at: SystemTime) -> anyhow::Result<String> {
    let micros = at.duration_since(UNIX_EPOCH)?.as_micros();
    let at = domain::time::Timestamp::from_micros(i64::try_from(micros)?);
    let value = serde_json::to_value(at)?;
    Ok(value.as_str().context("a text")?.to_owned())
}

/// The board of an instant: its position, calls and agents.
async fn board(server: &Server, at: &str) -> anyhow::Result<Value> {
    let query = format!(
        "{{ board(asOf: \"{at}\") {{ position activeCalls {{ nodes {{ id }} }} \
         agents {{ nodes {{ name state }} }} }} }}"
    );
    Ok(server.graphql(&query, json!({})).await?["board"].clone())
}

/// Cursors of calls that came in a time.
async fn came(server: &Server, time: &str) -> anyhow::Result<Vec<Value>> {
    let query = format!(
        "{{ events(first: 50, filter: {{types: [\"call_received\"], {time}}}) \
         {{ nodes {{ cursor }} }} }}"
    );
    let answer = server.graphql(&query, json!({})).await?;
    let nodes = answer["events"]["nodes"].as_array().context("a list")?;
    Ok(nodes.iter().map(|node| node["cursor"].clone()).collect())
}

#[tokio::test]
async fn ten_years_ahead_and_back_change_no_call() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    std::fs::write(&clock, 0_i64.to_ne_bytes())?;
    let mut setup = Setup::new(folder.path(), &Setup::provisioning(QUEUE, &["anna"]));
    setup.environment = machine::clock_of(&clock)?;
    let began = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let server = Server::start(&setup).await?;
    let anna =
        Phone::bind(PhoneOptions::new(server.sip, "anna").with_password("anna-secret")).await?;
    anna.register(3_600).await?;
    ready(&server).await?;
    let caller = Phone::bind(PhoneOptions::new(server.sip, "4930111")).await?;

    // Ahead while it rings; back while they talk.
    let (out, rings) = call(&caller, &anna).await?;
    machine::set_clock(&clock, TEN_YEARS_S)?;
    rings.answer().await?;
    out.wait_answered(PATIENCE).await?;
    machine::set_clock(&clock, 0)?;
    out.hang_up().await?;
    ready(&server).await?;
    // Wholly in the wrong time, the wrap-up over the step back.
    machine::set_clock(&clock, TEN_YEARS_S)?;
    let (out, rings) = call(&caller, &anna).await?;
    rings.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    machine::set_clock(&clock, -TEN_YEARS_S)?;
    ready(&server).await?;
    // And in the past.
    let (out, rings) = call(&caller, &anna).await?;
    rings.answer().await?;
    out.wait_answered(PATIENCE).await?;
    machine::set_clock(&clock, 0)?;
    out.hang_up().await?;
    ready(&server).await?;

    let query = "{ cdrs(first: 10) { nodes { disposition durationMs startedAt endedAt } } }";
    let answer = server
        .until(query, |answer| {
            answer["cdrs"]["nodes"]
                .as_array()
                .is_some_and(|all| all.len() == 3)
        })
        .await?;
    let until = SystemTime::now().duration_since(UNIX_EPOCH)?;
    for record in answer["cdrs"]["nodes"].as_array().context("a list")? {
        ensure!(record["disposition"] == "ANSWERED", "{record}");
        let (start, end) = (micros(&record["startedAt"])?, micros(&record["endedAt"])?);
        ensure!(
            start as u128 >= began.as_micros() && end as u128 <= until.as_micros(),
            "{record}"
        );
        ensure!(start < end && end - start < CALL_MS_MAX * 1_000, "{record}");
    }
    let (_, metrics) = server.get("/metrics").await?;
    let jumps = metrics
        .lines()
        .find(|line| line.starts_with("ringledger_clock_jumps_count"));
    ensure!(jumps.is_some(), "the jumps were seen: {metrics}");
    let repairs = metrics
        .lines()
        .find(|line| line.starts_with("ringledger_repairs_count"));
    ensure!(repairs.is_none(), "{repairs:?}");
    server.stop().await
}

/// A whole call in the time that the clock shows.
async fn whole_call(server: &Server, caller: &Phone, anna: &Phone) -> anyhow::Result<()> {
    let (out, rings) = call(caller, anna).await?;
    rings.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    ready(server).await
}

#[tokio::test]
async fn what_was_at_an_instant_is_told_though_the_clock_was_ahead_and_behind_since()
-> anyhow::Result<()> {
    const LATE: &str = "2100-01-01T00:00:00Z";
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    std::fs::write(&clock, 0_i64.to_ne_bytes())?;
    let mut setup = Setup::new(folder.path(), &Setup::provisioning(QUEUE, &["anna"]));
    setup.environment = machine::clock_of(&clock)?;
    let began = iso(SystemTime::now())?;
    let server = Server::start(&setup).await?;
    let anna =
        Phone::bind(PhoneOptions::new(server.sip, "anna").with_password("anna-secret")).await?;
    anna.register(3_600).await?;
    ready(&server).await?;
    let caller = Phone::bind(PhoneOptions::new(server.sip, "4930111")).await?;
    let mut boards = vec![];
    for off in [0, TEN_YEARS_S, 0, -TEN_YEARS_S, 0] {
        machine::set_clock(&clock, off)?;
        whole_call(&server, &caller, &anna).await?;
        if off == 0 {
            let now = iso(SystemTime::now())?;
            boards.push((now, board(&server, LATE).await?));
        }
    }
    for (instant, then) in &boards {
        let again = board(&server, instant).await?;
        ensure!(again == *then, "at {instant}: {again} was {then}");
    }
    // Each call came once, at the time that stands beside its event.
    let now = &boards[2].0;
    for (time, count) in [
        (
            format!("recordedFrom: \"{began}\", recordedBefore: \"{now}\""),
            3,
        ),
        (
            format!(
                "recordedFrom: \"{}\", recordedBefore: \"{now}\"",
                boards[0].0
            ),
            2,
        ),
        (format!("recordedFrom: \"{now}\""), 1),
        (format!("recordedBefore: \"{began}\""), 1),
    ] {
        let came = came(&server, &time).await?;
        ensure!(came.len() == count, "{time}: {came:?}");
    }
    server.stop().await
}

#[tokio::test]
async fn what_was_done_in_a_time_ten_years_ahead_holds_nothing_up_in_the_right_one()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    std::fs::write(&clock, TEN_YEARS_S.to_ne_bytes())?;
    let queue = QUEUE.replace("ring_timeout_ms = 20000", "ring_timeout_ms = 1000");
    let mut setup = Setup::new(folder.path(), &Setup::provisioning(&queue, &["anna"]));
    setup.environment = machine::clock_of(&clock)?;
    let server = Server::start(&setup).await?;
    let options = |server: &Server| PhoneOptions::new(server.sip, "anna");
    let anna = Phone::bind(options(&server).with_password("anna-secret")).await?;
    anna.register(3_600).await?;
    ready(&server).await?;
    let caller = Phone::bind(PhoneOptions::new(server.sip, "4930111")).await?;
    let (out, rings) = call(&caller, &anna).await?;
    rings.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    ready(&server).await?;
    server.kill().await?;

    machine::set_clock(&clock, 0)?;
    let server = Server::start(&setup).await?;
    let anna = Phone::bind(options(&server).with_password("anna-secret")).await?;
    anna.register(3_600).await?;
    ready(&server).await?;
    let caller = Phone::bind(PhoneOptions::new(server.sip, "4930112")).await?;
    // A phone that nobody answers is taken back, and asked again.
    let (out, rings) = call(&caller, &anna).await?;
    tokio::time::timeout(RING_MAX, rings.cancelled())
        .await
        .context("it rings for ever")?;
    let again = tokio::time::timeout(PATIENCE, anna.next_incoming()).await;
    let again = again
        .context("no call comes")?
        .context("the phone is gone")?;
    again.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    // And the work after the call ends.
    ready(&server).await?;
    server.stop().await
}

fn micros(value: &Value) -> anyhow::Result<i64> {
    let instant: domain::time::Timestamp = serde_json::from_value(json!(value))?;
    Ok(instant.micros())
}
