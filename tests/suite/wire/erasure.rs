//! A person is forgotten: in the rows, in the bytes of every file and in the
//! log, while the server runs, over kill -9, and with keys from an old backup.

use crate::exports::{self, export};
use crate::support::{
    PATIENCE, agent, call_is, command_id, dial, files_with, has, incoming, mutate, records, setup,
    talk,
};
use anyhow::{Context as _, ensure};
use phone::{CallOptions, OutgoingCall, Phone, PhoneOptions};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::path::Path;

const NUMBER: &str = "4917655501239911";
const NAME: &str = "Ottokar Zwirbelbart";
const OTHER: &str = "4917655501230000";

async fn phone(server: &Server, user: &str) -> anyhow::Result<Phone> {
    let mut options = PhoneOptions::new(server.sip, user);
    options.display_name = (user == NUMBER).then(|| NAME.into());
    Ok(Phone::bind(options).await?)
}

/// Calls that lead nowhere: many rows in a short time.
async fn calls_in_vain(phone: &Phone, count: usize) -> anyhow::Result<()> {
    for _ in 0..count {
        let out = phone.call("nowhere", CallOptions::default()).await?;
        out.wait_ended(PATIENCE).await?;
    }
    Ok(())
}

async fn erase(server: &Server, id: u128, who: Value) -> anyhow::Result<Value> {
    let mut input = json!({"commandId": command_id(id), "reason": "CONSENT_WITHDRAWN"});
    input
        .as_object_mut()
        .context("an object")?
        .extend(who.as_object().context("an object")?.clone());
    mutate(server, "eraseSubject", "subject { id state }", input).await
}

/// Waits until the last byte of the person is gone.
async fn until_erased(server: &Server) -> anyhow::Result<Value> {
    let query = format!("{{ subject(number: \"{NUMBER}\") {{ id state reason erasuresCount }} }}");
    let answer = server
        .until(&query, |answer| answer["subject"]["state"] == "ERASED")
        .await?;
    Ok(answer["subject"].clone())
}

/// The person is in no file under the folder, and the other one still is.
fn is_forgotten(folder: &Path) -> anyhow::Result<()> {
    for trace in [NUMBER, NAME, "Ottokar", "Zwirbelbart"] {
        let found = files_with(folder, trace.as_bytes())?;
        ensure!(found.is_empty(), "{trace} stands in {found:?}");
    }
    let other = files_with(folder, OTHER.as_bytes())?;
    ensure!(!other.is_empty(), "the other caller is forgotten too");
    Ok(())
}

fn logged(folder: &Path) -> (Setup, std::path::PathBuf) {
    let mut setup = setup(folder, &["anna"]);
    let log = folder.join("log.txt");
    setup.log = Some(log.clone());
    setup.environment = vec![
        (
            "RINGLEDGER__LOG__FILTER".into(),
            "trace,rsipstack=error".into(),
        ),
        // Every call in vain is to leave its row.
        (
            "RINGLEDGER__SIP__REFUSED_RECORDS_PER_S".into(),
            "1000".into(),
        ),
    ];
    (setup, log)
}

/// A call that is being talked.
async fn talking(server: &Server) -> anyhow::Result<(OutgoingCall, Phone, Phone)> {
    let anna = agent(server, "anna").await?;
    let caller = phone(server, NUMBER).await?;
    let (out, _call) = talk(&caller, &anna).await?;
    call_is(server, NUMBER, "CONNECTED").await?;
    Ok((out, caller, anna))
}

#[tokio::test]
async fn a_person_is_forgotten_in_every_file_and_a_call_in_progress_goes_on() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let (setup, log) = logged(folder.path());
    let server = Server::start(&setup).await?;
    calls_in_vain(&phone(&server, NUMBER).await?, 60).await?;
    calls_in_vain(&phone(&server, OTHER).await?, 60).await?;
    let (out, _caller, _anna) = talking(&server).await?;
    let before = records(&server, 100).await?;
    ensure!(!files_with(&setup.data(), NUMBER.as_bytes())?.is_empty());

    let payload = erase(&server, 1, json!({"number": format!("+{NUMBER}")})).await;
    ensure!(payload.is_err(), "another number is another person");
    let payload = erase(&server, 2, json!({"number": NUMBER})).await?;
    let again = erase(&server, 2, json!({"number": NUMBER})).await?;
    ensure!(again["position"] == payload["position"], "one effect");
    let subject = until_erased(&server).await?;
    ensure!(subject["reason"] == "CONSENT_WITHDRAWN" && subject["erasuresCount"] == 1);
    // At once, in the running server: nobody waits for a restart.
    is_forgotten(&setup.data())?;

    // The board shows the call without the number; the call goes on.
    let live = "{ activeCalls(first: 5) { nodes { state from { user displayName } } } }";
    let live = server.graphql(live, json!({})).await?;
    let nodes = json!([{"state": "CONNECTED", "from": {"user": null, "displayName": null}}]);
    ensure!(live["activeCalls"]["nodes"] == nodes, "{live}");
    ensure!(out.hang_up().await? == 200, "the call in progress was cut");
    check_records(&server, &before).await?;
    is_forgotten(&setup.data())?;
    server.stop().await?;
    is_forgotten(&setup.data())?;

    let log = std::fs::read(log)?;
    for trace in [NUMBER, NAME, OTHER, "Zwirbelbart"] {
        ensure!(!has(&log, trace.as_bytes()), "{trace} is in the log");
    }
    ensure!(has(&log, b"INFO"), "there is a log");
    Ok(())
}

/// The same figures as before, without the person; and nothing is found by the
/// number any more.
async fn check_records(server: &Server, before: &[Value]) -> anyhow::Result<()> {
    let query = "{ cdrs(first: 1) { nodes { disposition talkMs } } }";
    server
        .until(query, |answer| {
            answer["cdrs"]["nodes"][0]["disposition"] == "ANSWERED"
        })
        .await?;
    let after = records(server, 100).await?;
    for record in &after {
        let user = record["from"]["user"].as_str();
        ensure!(user.is_none() || user == Some(OTHER), "{record}");
    }
    // The latest hundred: the newest is new, the rest is what it was.
    for (old, new) in before[1..].iter().zip(&after) {
        for field in ["callId", "startedAt", "endedAt", "disposition", "sipStatus"] {
            ensure!(old[field] == new[field], "{field}: {old} {new}");
        }
    }
    for (number, count) in [(NUMBER, 0), (OTHER, 60)] {
        let query = format!(
            "{{ cdrs(first: 100, filter: {{from: \"{number}\"}}) {{ nodes {{ callId }} }} }}"
        );
        let found = server.graphql(&query, json!({})).await?;
        let found = found["cdrs"]["nodes"].as_array().map_or(0, Vec::len);
        ensure!(found == count, "{found} records of {number}");
    }
    Ok(())
}

#[tokio::test]
async fn an_erasure_survives_kill_9_at_any_moment() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let mut server = Server::start(&setup).await?;
    calls_in_vain(&phone(&server, OTHER).await?, 3).await?;
    for round in 0..6u32 {
        calls_in_vain(&phone(&server, NUMBER).await?, 10).await?;
        let found = files_with(&setup.data(), NUMBER.as_bytes())?;
        ensure!(!found.is_empty(), "the caller is known again");
        erase(&server, u128::from(round), json!({"number": NUMBER})).await?;
        // From the very moment of the answer to a while later.
        tokio::time::sleep(std::time::Duration::from_millis(u64::from(round) * 4)).await;
        server.kill().await?;
        server = Server::start(&setup).await?;
        let subject = until_erased(&server).await?;
        ensure!(subject["erasuresCount"] == round + 1, "{subject}");
        is_forgotten(&setup.data())?;
    }
    server.stop().await
}

#[tokio::test]
async fn keys_from_a_backup_do_not_bring_back_who_was_forgotten_since() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let data = setup.data();
    let server = Server::start(&setup).await?;
    calls_in_vain(&phone(&server, NUMBER).await?, 3).await?;
    calls_in_vain(&phone(&server, OTHER).await?, 3).await?;
    records(&server, 6).await?;
    server.stop().await?;
    let old_keys = std::fs::read(data.join("secrets.db"))?;

    let server = Server::start(&setup).await?;
    erase(&server, 1, json!({"number": NUMBER})).await?;
    until_erased(&server).await?;
    server.stop().await?;
    std::fs::write(data.join("secrets.db"), old_keys)?;
    // With the read models of today, and with none at all.
    for is_rebuilt in [false, true] {
        if is_rebuilt {
            for name in ["read.db", "read.db-wal", "read.db-shm"] {
                match std::fs::remove_file(data.join(name)) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(error.into());
                    }
                    Ok(()) | Err(_) => {}
                }
            }
        }
        let server = Server::start(&setup).await?;
        until_erased(&server).await?;
        let users = records(&server, 6).await?;
        let known = users
            .iter()
            .filter(|record| record["from"]["user"] == OTHER);
        ensure!(known.count() == 3, "the other one is known: {users:?}");
        is_forgotten(&data)?;
        server.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_agent_rings_with_the_number_of_a_caller_who_comes_back() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let server = Server::start(&setup).await?;
    calls_in_vain(&phone(&server, NUMBER).await?, 1).await?;
    let subject = {
        let found = records(&server, 1).await?;
        let query = "{ cdrs(first: 1) { nodes { from { subject } } } }";
        let answer = server.graphql(query, json!({})).await?;
        ensure!(found[0]["from"]["user"] == NUMBER);
        answer["cdrs"]["nodes"][0]["from"]["subject"].clone()
    };
    erase(&server, 1, json!({"subjectId": subject})).await?;
    until_erased(&server).await?;
    let anna = agent(&server, "anna").await?;
    let caller = phone(&server, NUMBER).await?;
    let out = dial(&caller, "support").await?;
    let call = incoming(&anna).await?;
    ensure!(call.from_user() == Some(NUMBER), "a new call is a new call");
    out.cancel().await?;
    let query = format!("{{ subject(number: \"{NUMBER}\") {{ state }} }}");
    let answer = server.graphql(&query, json!({})).await?;
    ensure!(answer["subject"]["state"] == "KEPT", "{answer}");
    let records = records(&server, 2).await?;
    let users: Vec<_> = records
        .iter()
        .map(|record| &record["from"]["user"])
        .collect();
    ensure!(users == [&Value::Null, &json!(NUMBER)], "{users:?}");
    server.stop().await
}

/// What of an exported row is the caller's.
const PERSONAL: [&str; 3] = ["from", "from_host", "caller_name"];

/// Rows of the calls of that number, and how many people were forgotten since: what the
/// manifest of an order says of it.
async fn rows_of_hers(server: &Server, manifest: &Value) -> anyhow::Result<(Value, Value)> {
    let manifest = exports::text(server, manifest).await?;
    let manifest: Value = serde_json::from_str(&manifest)?;
    Ok((
        manifest["rows"].clone(),
        manifest["forgotten_since"].clone(),
    ))
}

/// An export of the same calls before and after: the figures stay, the person goes,
/// and the manifest says in how many rows.
async fn figures_stay(setup: &Setup) -> anyhow::Result<()> {
    let server = Server::start(setup).await?;
    let anna = agent(&server, "anna").await?;
    let caller = phone(&server, NUMBER).await?;
    let (out, at_anna) = talk(&caller, &anna).await?;
    call_is(&server, NUMBER, "CONNECTED").await?;
    out.hang_up().await?;
    at_anna.wait_ended(PATIENCE).await?;
    calls_in_vain(&phone(&server, NUMBER).await?, 1).await?;
    calls_in_vain(&phone(&server, OTHER).await?, 2).await?;
    records(&server, 4).await?;
    let totals = "{ queues(first: 5) { nodes { name statistics { total { offeredCount \
                  answeredCount abandonedCount } } } } }";
    // Whatever was offered is over.
    let is_counted = |answer: &Value| {
        let total = &answer["queues"]["nodes"][0]["statistics"]["total"];
        let count = |name: &str| total[name].as_u64().unwrap_or(0);
        let over = count("answeredCount") + count("abandonedCount");
        over > 0 && over == count("offeredCount")
    };
    let counted = server.until(totals, is_counted).await?;
    let (before, manifest) = export(setup, "before.jsonl", &["--format", "jsonl"]).await?;
    ensure!(manifest["rows_erased"] == 0, "{manifest}");
    ensure!(before.contains(NUMBER) && before.contains(NAME), "{before}");
    let position = manifest["position"].to_string().replace('"', "");
    let hers = json!({"format": "JSONL", "filter": {"from": NUMBER}});
    let hers = exports::order(&server, hers).await?["manifestUrl"].clone();
    let told = rows_of_hers(&server, &hers).await?;
    ensure!(told == (json!(2), json!(0)), "{told:?}");

    erase(&server, 1, json!({"number": NUMBER})).await?;
    until_erased(&server).await?;
    let same = ["--format", "jsonl", "--position", &position];
    let (after, manifest) = export(setup, "after.jsonl", &same).await?;
    ensure!(manifest["rows_erased"] == 2, "{manifest}");
    ensure!(manifest["rows"] == 4, "{manifest}");
    ensure!(manifest.get("forgotten_since").is_none(), "{manifest}");
    // Nobody is found by number who was forgotten, and the manifest says that it may be so.
    let told = rows_of_hers(&server, &hers).await?;
    ensure!(told == (json!(0), json!(1)), "{told:?}");
    for trace in [NUMBER, NAME] {
        ensure!(!after.contains(trace), "{trace} is in {after}");
    }
    ensure!(
        after.contains(OTHER),
        "the other caller is forgotten too: {after}"
    );
    let rows = |text: &str| -> anyhow::Result<Vec<Value>> {
        let lines = text.lines();
        lines.map(|line| Ok(serde_json::from_str(line)?)).collect()
    };
    let (before, after) = (rows(&before)?, rows(&after)?);
    ensure!(before.len() == after.len(), "{after:?}");
    let mut talked = 0;
    for (old, new) in before.iter().zip(&after) {
        for (key, value) in old.as_object().context("an object")? {
            let is_hers = old["from"] == NUMBER && PERSONAL.contains(&key.as_str());
            ensure!(is_hers || new[key] == *value, "{key}: {old} {new}");
        }
        talked += new["talk_ms"].as_u64().unwrap_or_default();
    }
    ensure!(talked > 0, "nobody talked: {after:?}");
    ensure!(
        server.graphql(totals, json!({})).await? == counted,
        "counts changed"
    );
    server.stop().await
}

#[tokio::test]
async fn an_export_after_an_erasure_has_every_figure_and_not_the_person() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    figures_stay(&setup(folder.path(), &["anna"])).await
}

#[tokio::test]
async fn an_export_after_an_erasure_has_every_figure_and_not_the_person_on_postgresql()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = store::testing::database().await;
    let mut setup = setup(folder.path(), &["anna"]);
    setup.store_url = Some(database.url().into());
    figures_stay(&setup).await
}
