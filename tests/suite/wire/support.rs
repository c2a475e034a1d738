//! What the files of this suite share: phones at a real server, its command
//! line, and its record after it has stopped.

use anyhow::{Context as _, ensure};
use commands::ports::{Position, Recorded};
use phone::{CallOptions, IncomingCall, OutgoingCall, Phone, PhoneOptions};
use ringledger_tests::server::{Server, Setup, binary};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};

/// Whatever a phone waits for comes within this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Events of one read; the records of these tests are shorter.
const EVENTS_MAX: usize = 100_000;

/// What recordings of the settings have.
const RATE_HZ: u32 = 8_000;

/// Callers hear ringing until an agent answers.
pub(crate) const SUPPORT: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
                                  ring_timeout_ms = 10000\nwrap_up_ms = 0\n";

/// A server in the folder, with the queue `support` and these agents.
pub(crate) fn setup(folder: &Path, agents: &[&str]) -> Setup {
    Setup::new(folder, &Setup::provisioning(SUPPORT, agents))
}

/// A recording of one second that can be told from music: a tone. One of whole hertz has no
/// seam where it begins again.
pub(crate) fn recorded(file: &Path, hz: f64) -> anyhow::Result<()> {
    let form = hound::WavSpec {
        channels: 1,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, form)?;
    for number in 0..RATE_HZ {
        let phase = std::f64::consts::TAU * hz * f64::from(number) / f64::from(RATE_HZ);
        writer.write_sample((8_000.0 * phase.sin()) as i16)?;
    }
    Ok(writer.finalize()?)
}

/// A registered phone of an agent whose password is `NAME-secret`.
pub(crate) async fn agent(server: &Server, name: &str) -> anyhow::Result<Phone> {
    let phone = agent_with(server, name, &format!("{name}-secret")).await?;
    agent_is(server, name, "READY").await?;
    Ok(phone)
}

/// A registered phone.
pub(crate) async fn agent_with(
    server: &Server,
    name: &str,
    password: &str,
) -> anyhow::Result<Phone> {
    let phone = Phone::bind(PhoneOptions::new(server.sip, name).with_password(password)).await?;
    phone.register(3_600).await?;
    Ok(phone)
}

/// The seller of the tests' invoices; what is given stands beside or instead.
pub(crate) async fn sell(server: &Server, differs: Value) -> anyhow::Result<()> {
    let mut seller = json!({
        "commandId": command_id(1), "name": "Example Telecom", "address": ["Example Street 1"],
        "country": "DE", "taxId": "DE123456789",
        "taxRates": [
            {"country": "DE", "category": "STANDARD", "percent": "19", "from": "2021-01-01"},
        ],
    });
    for (key, value) in differs.as_object().into_iter().flatten() {
        seller[key] = value.clone();
    }
    mutate(server, "configureSeller", "id", seller).await?;
    Ok(())
}

/// A phone that only calls.
pub(crate) async fn caller(server: &Server, user: &str) -> anyhow::Result<Phone> {
    Ok(Phone::bind(PhoneOptions::new(server.sip, user)).await?)
}

pub(crate) async fn dial(phone: &Phone, target: &str) -> anyhow::Result<OutgoingCall> {
    Ok(phone.call(target, CallOptions::default()).await?)
}

/// The next call at a phone.
pub(crate) async fn incoming(phone: &Phone) -> anyhow::Result<IncomingCall> {
    let call = tokio::time::timeout(PATIENCE, phone.next_incoming()).await;
    call.context("no call comes")?.context("the phone is gone")
}

/// A caller and an agent who talk.
pub(crate) async fn talk(
    caller: &Phone,
    agent: &Phone,
) -> anyhow::Result<(OutgoingCall, IncomingCall)> {
    let out = dial(caller, "support").await?;
    let call = incoming(agent).await?;
    call.ring().await?;
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    Ok((out, call))
}

/// What a call that is rated talks at least, in samples of 8,000 a second: two started
/// seconds, or more on a machine that is busy.
pub(crate) const TALK_SAMPLES: usize = 8_000;

/// Calls that number, and talks; the call, once `count` calls have a record.
pub(crate) async fn called(server: &Server, number: &str, count: usize) -> anyhow::Result<Value> {
    let phone = caller(server, "4930501").await?;
    let out = dial(&phone, number).await?;
    out.wait_answered(PATIENCE).await?;
    out.media().record(TALK_SAMPLES, PATIENCE).await;
    out.hang_up().await?;
    let record = records(server, count).await?.remove(count - 1);
    Ok(record["callId"].clone())
}

/// The caller reaches the agent, and hangs up after a moment.
pub(crate) async fn reaches(caller: &Phone, target: &str, agent: &Phone) -> anyhow::Result<()> {
    let out = dial(caller, target).await?;
    finishes(out, agent).await
}

/// The caller who waits reaches the agent, and hangs up after a moment.
pub(crate) async fn finishes(out: OutgoingCall, agent: &Phone) -> anyhow::Result<()> {
    let ringing = incoming(agent).await?;
    ringing.answer().await?;
    out.wait_answered(PATIENCE).await?;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    ringing.wait_ended(PATIENCE).await?;
    Ok(())
}

/// Waits until an agent is in a state.
pub(crate) async fn agent_is(server: &Server, name: &str, state: &str) -> anyhow::Result<Value> {
    let query = "{ agents(first: 50) { nodes { id name state reason routability } } }";
    let of = |answer: &Value| {
        let agents = answer["agents"]["nodes"].as_array()?;
        agents.iter().find(|agent| agent["name"] == name).cloned()
    };
    let answer = server
        .until(query, |answer| {
            of(answer).is_some_and(|agent| agent["state"] == state)
        })
        .await?;
    of(&answer).context("the agent is there")
}

/// The calls in progress, the first first, once there are so many.
pub(crate) async fn calls(server: &Server, count: usize) -> anyhow::Result<Vec<Value>> {
    let query = "{ activeCalls(first: 50) { nodes { id state sipCallId from { user } } } }";
    let answer = server
        .until(query, |answer| {
            answer["activeCalls"]["nodes"]
                .as_array()
                .is_some_and(|calls| calls.len() == count)
        })
        .await?;
    Ok(answer["activeCalls"]["nodes"]
        .as_array()
        .cloned()
        .unwrap_or_default())
}

/// Waits until a call of this number is in a state.
pub(crate) async fn call_is(server: &Server, user: &str, state: &str) -> anyhow::Result<Value> {
    let query = "{ activeCalls(first: 50) { nodes { id state sipCallId from { user } } } }";
    let of = |answer: &Value| {
        let calls = answer["activeCalls"]["nodes"].as_array()?;
        let mut calls = calls.iter();
        calls
            .find(|call| call["from"]["user"] == user && call["state"] == state)
            .cloned()
    };
    let answer = server.until(query, |answer| of(answer).is_some()).await?;
    of(&answer).context("the call is there")
}

/// The records of ended calls, the oldest first, once there are so many: more
/// are a mistake.
pub(crate) async fn records(server: &Server, count: usize) -> anyhow::Result<Vec<Value>> {
    let cdrs = records_from(server, count).await?;
    ensure!(cdrs.len() == count, "{} records: {cdrs:#?}", cdrs.len());
    Ok(cdrs)
}

/// The records of ended calls, the oldest first, once there are at least so
/// many.
pub(crate) async fn records_from(server: &Server, count: usize) -> anyhow::Result<Vec<Value>> {
    let query = "{ cdrs(first: 100) { nodes { callId from { user displayName } agentId queueId \
                 disposition endReason endResult hangupBy incomplete startedAt answeredAt \
                 agentConnectedAt endedAt sipCallId sipStatus revision } } }";
    let answer = server
        .until(query, |answer| {
            answer["cdrs"]["nodes"]
                .as_array()
                .is_some_and(|cdrs| cdrs.len() >= count)
        })
        .await?;
    let mut cdrs = answer["cdrs"]["nodes"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    cdrs.reverse();
    Ok(cdrs)
}

/// Keeps a paper for a person to look at, where `RINGLEDGER_KEEP_PAPERS` names a folder.
pub(crate) fn keep(name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = std::env::var_os("RINGLEDGER_KEEP_PAPERS") {
        std::fs::write(Path::new(&folder).join(name), bytes)?;
    }
    Ok(())
}

/// A UUID that is the same in every run.
pub(crate) fn command_id(number: u128) -> String {
    uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number).to_string()
}

/// Carries out a mutation, which must have no user errors; returns its payload.
pub(crate) async fn mutate(
    server: &Server,
    name: &str,
    selection: &str,
    input: Value,
) -> anyhow::Result<Value> {
    let mut kind = name.to_owned();
    kind[..1].make_ascii_uppercase();
    let query = format!(
        "mutation($input: {kind}Input!) {{ {name}(input: $input) {{ {selection} position \
         userErrors {{ code message }} }} }}"
    );
    let answer = server.graphql(&query, json!({ "input": input })).await?;
    let payload = answer[name].clone();
    ensure!(payload["userErrors"] == json!([]), "{name}: {payload}");
    ensure!(payload["position"].is_string(), "{name}: {payload}");
    Ok(payload)
}

/// An order that is refused: its name, input, code, field and what it says.
pub(crate) type Wrong = (
    &'static str,
    Value,
    &'static str,
    &'static str,
    &'static str,
);

/// Gives the order, which must be refused in that way.
pub(crate) async fn is_refused(server: &Server, number: u128, wrong: Wrong) -> anyhow::Result<()> {
    let (name, mut input, code, field, says) = wrong;
    let mut kind = name.to_owned();
    kind[..1].make_ascii_uppercase();
    input["commandId"] = json!(command_id(number));
    let query = format!(
        "mutation($input: {kind}Input!) {{ {name}(input: $input) {{ id position userErrors {{ \
         code field message }} }} }}"
    );
    let answer = server.graphql(&query, json!({ "input": input })).await?;
    let payload = &answer[name];
    let error = &payload["userErrors"][0];
    ensure!(error["code"] == code, "{input}: {payload}");
    let told = error["field"].as_str().unwrap_or_default();
    ensure!(told == field, "{input}: {payload}");
    let message = error["message"].as_str().context("a reason")?;
    ensure!(
        !message.is_empty() && message.contains(says),
        "{input}: {payload}"
    );
    ensure!(
        payload["id"].is_null() && payload["position"].is_null(),
        "{payload}"
    );
    Ok(())
}

/// What a command of the binary came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the binary to its end.
pub(crate) async fn run(
    arguments: &[&str],
    environment: &[(&str, &str)],
    folder: &Path,
) -> anyhow::Result<Ran> {
    let output = tokio::process::Command::new(binary())
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(folder)
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(60), output).await??;
    Ok(Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout)?,
        err: String::from_utf8(output.stderr)?,
    })
}

/// Every event on the record of a server that has stopped.
pub(crate) async fn events(setup: &Setup) -> anyhow::Result<Vec<Recorded>> {
    let folder = format!("sqlite:{}", setup.data().display());
    let stores = store::open(setup.store_url.as_ref().unwrap_or(&folder)).await?;
    let page = stores.log.read_all(Position(0), EVENTS_MAX).await?;
    ensure!(page.events.len() < EVENTS_MAX, "there is more");
    Ok(page.events)
}

/// The files under a folder that hold these bytes.
pub(crate) fn files_with(folder: &Path, bytes: &[u8]) -> anyhow::Result<Vec<String>> {
    let mut found = vec![];
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes)?);
        } else if has(&std::fs::read(&path)?, bytes) {
            found.push(path.display().to_string());
        }
    }
    Ok(found)
}

/// Whether these bytes stand somewhere in those.
pub(crate) fn has(all: &[u8], bytes: &[u8]) -> bool {
    all.windows(bytes.len()).any(|window| window == bytes)
}
