//! What an agent was to do and what of it was kept, from the real binary: over GraphQL and
//! as a file, on both databases.

use crate::{
    reports::{column, export},
    support::{agent, agent_is, command_id, mutate, setup},
};
use anyhow::{Context as _, ensure};
use commands::{ports::Clock as _, system::SystemClock};
use domain::time::Timestamp;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

/// So many minutes from now.
fn minutes(now: Timestamp, minutes: i64) -> String {
    Timestamp::from_micros(now.micros() + minutes * 60_000_000).to_string()
}

/// Two hours ago a meal of an hour, then half an hour of work; more of it in an hour. Of the
/// work nothing was done: the agent was not there.
async fn plans(server: &Server, id: &Value, now: Timestamp) -> anyhow::Result<Value> {
    let segment = |from: i64, to: i64, activity: &str| json!({ "from": minutes(now, from), "to": minutes(now, to), "activity": activity });
    let segments = [
        segment(-120, -60, "MEAL"),
        segment(-60, -30, "WORK"),
        segment(60, 120, "WORK"),
    ];
    let input = json!({ "commandId": command_id(1), "agentId": id, "from": minutes(now, -120),
        "to": minutes(now, 120), "segments": segments });
    mutate(server, "setSchedule", "segments { activity }", input).await
}

async fn told(server: &Server, id: &Value, now: Timestamp) -> anyhow::Result<(u64, u64)> {
    let query = "query Q($r: Range!, $ids: [ID!]!) { agentReport(range: $r, agentIds: $ids, \
                 granularity: HOUR) { scheduledMs inScheduleMs adherencePpm } }";
    let range = json!({ "from": minutes(now, -180), "until": minutes(now, 180) });
    let variables = json!({ "r": range, "ids": [id] });
    let answer = server.graphql(query, variables).await?;
    let rows = answer["agentReport"].as_array().context("rows")?;
    let (mut kept, mut scheduled) = (0, 0);
    for row in rows {
        let ms = |name: &str| row[name].as_str().and_then(|ms| ms.parse::<u64>().ok());
        let part = ms("inScheduleMs").context("in schedule")?;
        let whole = ms("scheduledMs").context("scheduled")?;
        let share = (part * 1_000_000).checked_div(whole);
        ensure!(row["adherencePpm"].as_u64() == share, "{row}");
        kept += part;
        scheduled += whole;
    }
    Ok((kept, scheduled))
}

async fn adherence(setup: Setup) -> anyhow::Result<()> {
    let mut server = Server::start(&setup).await?;
    let phone = agent(&server, "anna").await?;
    let anna = agent_is(&server, "anna", "READY").await?;
    let now = SystemClock.now();
    let done = plans(&server, &anna["id"], now).await?;
    let activities =
        json!([{ "activity": "MEAL" }, { "activity": "WORK" }, { "activity": "WORK" }]);
    ensure!(done["segments"] == activities, "{done}");
    let expected = (3_600_000, 5_400_000);
    let kept = told(&server, &anna["id"], now).await?;
    ensure!(kept == expected, "{kept:?}");
    let file = export(&setup, "agent-report", &["--agent", "anna"]).await?;
    ensure!(column(&file, "in_schedule_ms")? == expected.0, "{file}");
    ensure!(column(&file, "scheduled_ms")? == expected.1, "{file}");
    let header = file.lines().next().context("a header")?;
    ensure!(header.ends_with(",adherence_ppm"), "{file}");
    // Said by the settings again at the start, the agent has the plan of before.
    drop(phone);
    server.stop().await?;
    server = Server::start(&setup).await?;
    let kept = told(&server, &anna["id"], now).await?;
    ensure!(kept == expected, "{kept:?}");
    server.stop().await
}

#[tokio::test]
async fn what_was_planned_and_kept_is_reported_and_survives_a_restart() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    adherence(setup(folder.path(), &["anna"])).await
}

#[tokio::test]
async fn what_was_planned_and_kept_is_the_same_on_postgresql() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = store::testing::database().await;
    let mut setup = setup(folder.path(), &["anna"]);
    setup.store_url = Some(database.url().into());
    adherence(setup).await
}
