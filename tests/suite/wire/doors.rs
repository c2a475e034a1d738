//! Who gets into a queue and how people leave it: its hours, keys
//! that lead out, nobody who waits for nobody, and places that are kept for a while.

use crate::support::{
    PATIENCE, agent, agent_is, call_is, caller, command_id, dial, incoming, mutate, records,
};
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

const BOTH: &str = "\"support\", \"night\"";

/// The server reads a file with that queue beside "night"; anna serves these.
async fn runs_with(
    server: &Server,
    setup: &Setup,
    support: &str,
    annas: &str,
) -> anyhow::Result<()> {
    let provisioning = format!(
        "[[queue]]\nname = \"support\"\n{support}\n[[queue]]\nname = \"night\"\n\
         [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nready_on_register = true\n\
         queues = [{annas}]\n"
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

/// The queue "support" in an answer that names some.
fn support(answer: &Value) -> Option<&Value> {
    let mut queues = answer["queues"]["nodes"].as_array().into_iter().flatten();
    queues.find(|queue| queue["name"] == "support")
}

/// Waits until the queue has counted these: its statistics are not the records' projection.
async fn counts(server: &Server, counted: Value) -> anyhow::Result<()> {
    let query = "{ queues(first: 5) { nodes { name statistics { total { \
                 offeredCount abandonedCount flowOutCount rejectedCount } } } } }";
    let says = |answer: &Value| {
        let counts = counted.as_object().into_iter().flatten();
        let total = support(answer).map(|queue| &queue["statistics"]["total"]);
        total.is_some_and(|total| counts.clone().all(|(name, count)| total[name] == *count))
    };
    server.until(query, says).await?;
    Ok(())
}

/// Waits until the queue says so of its hours.
async fn opens(server: &Server, is: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
    let query = "{ queues(first: 5) { nodes { name opening { isOpen nextChangeAt } } } }";
    let says = |answer: &Value| support(answer).is_some_and(|queue| is(&queue["opening"]));
    server.until(query, says).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_has_hours_keys_that_lead_out_and_nobody_who_waits_for_nobody() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), "");
    let server = Server::start(&setup).await?;
    runs_with(&server, &setup, "", BOTH).await?;
    let anna = agent(&server, "anna").await?;
    let caller = caller(&server, "+4930111").await?;
    closed(&server, &setup, &caller, &anna).await?;
    overlapping(&server).await?;
    exits(&server, &setup, &caller, &anna).await?;
    emptied(&server, &setup, &caller, &anna).await?;
    rings_back(&server, &setup, &caller, &anna).await?;
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
        "answer_mode = \"on_agent\"\nhours.zone = \"Europe/Berlin\"\n\
         hours.week = [{{ days = [\"{day}\"], from = \"09:00\", to = \"17:00\" }}]\n"
    );
    runs_with(server, setup, &hours, BOTH).await?;
    opens(server, |opening| {
        opening["isOpen"] == false && opening["nextChangeAt"].is_string()
    })
    .await?;
    // An agent is there and free: it is the hours that say no.
    let out = dial(caller, "support").await?;
    let ended = out.wait_ended(PATIENCE).await?;
    ensure!(ended.status == Some(480), "{ended:?}");
    let cdrs = records(server, 1).await?;
    ensure!(
        cdrs[0]["endReason"] == "QUEUE_CLOSED" && cdrs[0]["disposition"] == "NO_ANSWER",
        "{cdrs:#?}"
    );
    counts(server, json!({ "offeredCount": 0, "rejectedCount": 1 })).await?;

    let night = format!("{hours}overflow = [{{ when = \"closed\", queue = \"night\" }}]\n");
    runs_with(server, setup, &night, BOTH).await?;
    let out = dial(caller, "support").await?;
    let ringing = incoming(anna).await?;
    ringing.answer().await?;
    // That queue has answered the caller before.
    agent_is(server, "anna", "ON_CONTACT").await?;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    ringing.wait_ended(PATIENCE).await?;
    let cdrs = records(server, 2).await?;
    ensure!(cdrs[1]["disposition"] == "ANSWERED", "{cdrs:#?}");

    runs_with(server, setup, "", BOTH).await?;
    let always = json!({ "isOpen": true, "nextChangeAt": null });
    opens(server, |opening| *opening == always).await
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

/// Nobody serves support: its caller presses a key and is with anna.
async fn exits(server: &Server, setup: &Setup, caller: &Phone, anna: &Phone) -> anyhow::Result<()> {
    let exits =
        "exits = [{ key = \"1\", queue = \"night\" }, { key = \"#\", number = \"+4930\" }]\n";
    runs_with(server, setup, exits, "\"night\"").await?;
    let out = dial(caller, "support").await?;
    out.wait_answered(PATIENCE).await?;
    ensure!(out.media().wait_packets(1, PATIENCE).await, "no music");
    // The first means nothing and is not on the record.
    for key in ['7', '1'] {
        ensure!(out.media().send_digit(key, 60), "{key} is not sent");
    }
    let ringing = incoming(anna).await?;
    ringing.answer().await?;
    let heard = ringing.media().wait_packets(1, PATIENCE).await;
    ensure!(heard, "they do not hear each other");
    // In a conversation it is a key like any other.
    ensure!(out.media().send_digit('1', 60), "1 is not sent");
    let all = |media: &phone::Media| media.received_digits() == "1";
    ensure!(ringing.media().wait_until(PATIENCE, all).await, "1 is lost");
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    ringing.wait_ended(PATIENCE).await?;
    let cdrs = records(server, 3).await?;
    ensure!(cdrs[2]["disposition"] == "ANSWERED", "{cdrs:#?}");
    let call = &cdrs[2]["callId"];
    let query =
        "query Q($id: ID!) { callTimeline(callId: $id, first: 50) { nodes { type payload } } }";
    let answer = server.graphql(query, json!({ "id": call })).await?;
    let events = answer["callTimeline"]["nodes"].as_array();
    let pressed: Vec<&Value> = events
        .into_iter()
        .flatten()
        .filter(|event| event["type"] == "exit_key_pressed")
        .collect();
    ensure!(pressed.len() == 1, "{answer}");
    ensure!(pressed[0]["payload"]["key"] == "1", "{answer}");
    let counted = json!({ "offeredCount": 1, "abandonedCount": 0, "flowOutCount": 1,
                          "rejectedCount": 2 });
    counts(server, counted).await
}

/// Anna is alone: while she takes no calls nobody is let in, and whoever waits when
/// she stops is sent away.
async fn emptied(
    server: &Server,
    setup: &Setup,
    caller: &Phone,
    anna: &Phone,
) -> anyhow::Result<()> {
    let empty = "empty = { join = [\"not_ready\"], leave = [\"not_ready\"] }\n";
    runs_with(server, setup, empty, BOTH).await?;
    let id = agent_is(server, "anna", "READY").await?["id"].clone();
    let set = async |number, state: &str| {
        let input = json!({ "commandId": command_id(number), "agentId": id, "state": state,
                            "reason": "training" });
        mutate(server, "forceAgentState", "agent { id }", input).await
    };
    set(21, "NOT_READY").await?;
    let out = dial(caller, "support").await?;
    let ended = out.wait_ended(PATIENCE).await?;
    ensure!(ended.status == Some(480), "{ended:?}");

    set(22, "READY").await?;
    let out = dial(caller, "support").await?;
    let call = incoming(anna).await?;
    call.answer().await?;
    agent_is(server, "anna", "ON_CONTACT").await?;
    let second = crate::support::caller(server, "+4930222").await?;
    let waits = dial(&second, "support").await?;
    waits.wait_answered(PATIENCE).await?;
    // After the contact: the other caller would wait for nobody.
    set(23, "NOT_READY").await?;
    call_is(server, "+4930222", "WAITING").await?;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    call.wait_ended(PATIENCE).await?;
    waits.wait_ended(PATIENCE).await?;
    let cdrs = records(server, 6).await?;
    for of in [3, 5] {
        ensure!(
            cdrs[of]["endReason"] == "NOBODY_THERE" && cdrs[of]["disposition"] == "NO_ANSWER",
            "{cdrs:#?}"
        );
    }
    set(24, "READY").await?;
    ensure!(second.complaints().is_empty(), "{:?}", second.complaints());
    Ok(())
}

/// Nobody serves support while two wait; the first drops and calls again, and is
/// before the second when anna comes.
async fn rings_back(
    server: &Server,
    setup: &Setup,
    caller: &Phone,
    anna: &Phone,
) -> anyhow::Result<()> {
    runs_with(server, setup, "resume_abandoned_ms = 60000\n", "\"night\"").await?;
    let second = crate::support::caller(server, "+4930222").await?;
    let dropped = dial(caller, "support").await?;
    dropped.wait_answered(PATIENCE).await?;
    let other = dial(&second, "support").await?;
    other.wait_answered(PATIENCE).await?;
    ensure!(dropped.hang_up().await? == 200, "BYE is refused");
    records(server, 7).await?;
    let back = dial(caller, "support").await?;
    back.wait_answered(PATIENCE).await?;
    runs_with(server, setup, "resume_abandoned_ms = 60000\n", BOTH).await?;
    for (out, from) in [(&back, "+4930111"), (&other, "+4930222")] {
        let call = incoming(anna).await?;
        ensure!(call.from_user() == Some(from), "{:?}", call.from_user());
        call.answer().await?;
        agent_is(server, "anna", "ON_CONTACT").await?;
        ensure!(out.hang_up().await? == 200, "BYE is refused");
        call.wait_ended(PATIENCE).await?;
    }
    ensure!(second.complaints().is_empty(), "{:?}", second.complaints());
    Ok(())
}
