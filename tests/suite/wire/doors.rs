//! Who gets into a queue and how people leave it: its hours.

use crate::support::{PATIENCE, agent, caller, command_id, dial, incoming, records};
use anyhow::{Context as _, ensure};
use phone::Phone;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

const WEEK: [&str; 7] = [
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
];

/// Some day of the week that is neither today nor near it.
fn another_day() -> anyhow::Result<&'static str> {
    let days = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 86_400;
    let index = usize::try_from((days + 3) % 7)?;
    WEEK.get(index).copied().context("a day of the week")
}

/// The server reads a file with that queue beside "night", which anna serves too.
async fn runs_with(server: &Server, setup: &Setup, support: &str) -> anyhow::Result<()> {
    let provisioning = format!(
        "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n{support}\n\
         [[queue]]\nname = \"night\"\n\
         [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nready_on_register = true\n\
         queues = [\"support\", \"night\"]\n"
    );
    let written = Setup {
        provisioning,
        ..setup.clone()
    };
    written.write()?;
    let order = "mutation { reloadConfiguration { userErrors { message } } }";
    let answer = server.graphql(order, json!({})).await?;
    let errors = &answer["reloadConfiguration"]["userErrors"];
    ensure!(*errors == json!([]), "{answer}");
    Ok(())
}

/// What the queue says of itself.
async fn support(server: &Server, selection: &str) -> anyhow::Result<Value> {
    let query = format!("{{ queues(first: 5) {{ nodes {{ name {selection} }} }} }}");
    let answer = server.graphql(&query, json!({})).await?;
    let mut queues = answer["queues"]["nodes"].as_array().into_iter().flatten();
    let support = queues.find(|queue| queue["name"] == "support");
    support.cloned().context("the queue is there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_takes_calls_in_its_hours_and_sends_the_others_on_or_away() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), "");
    let server = Server::start(&setup).await?;
    runs_with(&server, &setup, "").await?;
    let anna = agent(&server, "anna").await?;
    let caller = caller(&server, "+4930111").await?;
    closed(&server, &setup, &caller, &anna).await?;
    overlapping(&server).await?;
    for phone in [&anna, &caller] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}

async fn closed(
    server: &Server,
    setup: &Setup,
    caller: &Phone,
    anna: &Phone,
) -> anyhow::Result<()> {
    let day = another_day()?;
    let hours = format!(
        "hours.zone = \"Europe/Berlin\"\n\
         hours.week = [{{ days = [\"{day}\"], from = \"09:00\", to = \"17:00\" }}]\n"
    );
    runs_with(server, setup, &hours).await?;
    let opening = support(server, "opening { isOpen nextChangeAt }").await?["opening"].clone();
    ensure!(opening["isOpen"] == false, "{opening}");
    ensure!(opening["nextChangeAt"].is_string(), "{opening}");
    // An agent is there and free: it is the hours that say no.
    let out = dial(caller, "support").await?;
    let ended = out.wait_ended(PATIENCE).await?;
    ensure!(ended.status == Some(480), "{ended:?}");
    let cdrs = records(server, 1).await?;
    ensure!(
        cdrs[0]["endReason"] == "QUEUE_CLOSED" && cdrs[0]["disposition"] == "NO_ANSWER",
        "{cdrs:#?}"
    );
    let total = "statistics { total { offeredCount rejectedCount } }";
    let counted = support(server, total).await?["statistics"]["total"].clone();
    ensure!(
        counted == json!({ "offeredCount": 0, "rejectedCount": 1 }),
        "{counted}"
    );

    let night = format!("{hours}overflow = [{{ when = \"closed\", queue = \"night\" }}]\n");
    runs_with(server, setup, &night).await?;
    let out = dial(caller, "support").await?;
    let ringing = incoming(anna).await?;
    ringing.answer().await?;
    out.wait_answered(PATIENCE).await?;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    ringing.wait_ended(PATIENCE).await?;
    let cdrs = records(server, 2).await?;
    ensure!(cdrs[1]["disposition"] == "ANSWERED", "{cdrs:#?}");

    runs_with(server, setup, "").await?;
    let opening = support(server, "opening { isOpen nextChangeAt }").await?["opening"].clone();
    ensure!(
        opening == json!({ "isOpen": true, "nextChangeAt": null }),
        "{opening}"
    );
    Ok(())
}

/// The same rules by the API: what overlaps, or is not written as it should be,
/// is refused by name; the rest is shown as it was asked for.
async fn overlapping(server: &Server) -> anyhow::Result<()> {
    let create = "mutation($input: CreateQueueInput!) { createQueue(input: $input) { \
                  queue { config { hours { zone week { days from to } \
                  holidays { date open { from to } } } } opening { isOpen } } \
                  userErrors { code field } } }";
    let time = |from: &str, to: &str| json!({ "days": ["MONDAY"], "from": from, "to": to });
    let hours = |zone: &str, second: Value| {
        json!({ "zone": zone, "week": [time("08:00", "12:00"), second],
                "holidays": [{ "date": "2026-12-25", "open": [] }] })
    };
    for (number, hours, code) in [
        (
            1,
            hours("Europe/Berlin", time("11:00", "13:00")),
            "queue.overlapping_hours",
        ),
        (
            2,
            hours("Europe/Bärlin", time("13:00", "17:00")),
            "input.invalid_hours",
        ),
        (
            3,
            hours("Europe/Berlin", time("13:00", "25:00")),
            "input.invalid_hours",
        ),
        (4, hours("Europe/Berlin", time("13:00", "24:00")), ""),
    ] {
        let input = json!({ "commandId": command_id(number), "name": "late", "hours": hours });
        let answer = server.graphql(create, json!({ "input": input })).await?;
        let payload = &answer["createQueue"];
        if code.is_empty() {
            let shown = &payload["queue"]["config"]["hours"];
            ensure!(*shown == hours, "{payload}");
            continue;
        }
        ensure!(payload["userErrors"][0]["code"] == code, "{payload}");
        ensure!(payload["queue"].is_null(), "{payload}");
    }
    Ok(())
}
