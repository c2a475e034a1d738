//! The HTTP interface of the real server, with real phones at the other end.

use crate::support::{
    PATIENCE, agent, agent_is, call_is, caller, command_id, dial, incoming, mutate, records, setup,
    talk,
};
use anyhow::{Context as _, ensure};
use phone::EndedBy;
use ringledger_tests::server::{Server, Setup, TOKEN};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A hostile request is refused within this, by a debug build on a busy
/// machine.
const REFUSAL: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_token_is_needed_wherever_data_is_to_be_had() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&setup(folder.path(), &["anna"])).await?;
    let client = reqwest::Client::new();
    let query = json!({ "query": "{ agents { nodes { name } } }" });
    for token in [
        None,
        Some("wrong"),
        Some(""),
        Some(&TOKEN[..TOKEN.len() - 1]),
    ] {
        for is_post in [true, false] {
            let request = if is_post {
                client.post(server.url("/graphql")).json(&query)
            } else {
                client.get(server.url("/metrics"))
            };
            let request = match token {
                Some(token) => request.bearer_auth(token),
                None => request,
            };
            let response = request.send().await?;
            ensure!(response.status() == 401, "{token:?}: {}", response.status());
            let text = response.text().await?;
            ensure!(
                !text.contains("anna") && !text.contains("ringledger_"),
                "{text}"
            );
        }
    }
    for path in ["/health", "/ready", "/"] {
        let response = client.get(server.url(path)).send().await?;
        ensure!(response.status() == 200, "{path}: {}", response.status());
    }
    let (status, metrics) = server.get("/metrics").await?;
    ensure!(
        status == 200 && metrics.contains("ringledger_"),
        "{status}: {metrics}"
    );
    server.stop().await
}

#[tokio::test]
async fn what_a_mutation_wrote_is_read_at_its_position() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), "")).await?;
    let read = "query($at: Cursor) { queues(first: 100, minPosition: $at) { nodes { name } } }";
    let mut last = 0;
    for number in 0..25 {
        let name = format!("queue-{number}");
        let input = json!({ "commandId": command_id(number), "name": name });
        let payload = mutate(&server, "createQueue", "", input).await?;
        let answer = server
            .graphql(read, json!({ "at": payload["position"] }))
            .await?;
        let queues = answer["queues"]["nodes"].as_array().context("a list")?;
        ensure!(
            queues.iter().any(|queue| queue["name"] == name),
            "{name} is not in {answer}"
        );
        let position: u64 = payload["position"]
            .as_str()
            .context("a position")?
            .parse()?;
        ensure!(position > last, "position {position} after {last}");
        last = position;
    }
    // What is not there yet is not made up.
    let ahead = json!({ "at": (last + 1_000).to_string() });
    let error = server
        .graphql(read, ahead)
        .await
        .err()
        .context("it reads the future")?;
    ensure!(error.to_string().contains("STALE"), "{error}");
    server.stop().await
}

#[tokio::test]
async fn hang_up_ends_a_call_on_both_phones() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&setup(folder.path(), &["anna"])).await?;
    let anna = agent(&server, "anna").await?;
    let first = caller(&server, "4930111").await?;
    let (out, call) = talk(&first, &anna).await?;
    let second = caller(&server, "4930112").await?;
    let waits = dial(&second, "support").await?;
    let live = call_is(&server, "4930111", "CONNECTED").await?;
    let waiting = call_is(&server, "4930112", "WAITING").await?;

    let input = json!({ "commandId": command_id(1), "callId": waiting["id"] });
    mutate(&server, "hangUp", "call { state }", input).await?;
    let ended = waits.wait_ended(PATIENCE).await?;
    ensure!(ended.ended_by == Some(EndedBy::Rejected), "{ended:?}");
    let input = json!({ "commandId": command_id(2), "callId": live["id"] });
    let payload = mutate(&server, "hangUp", "call { state endReason }", input).await?;
    ensure!(
        payload["call"] == json!({ "state": "ENDED", "endReason": "OPERATOR" }),
        "{payload}"
    );
    for ended in [
        out.wait_ended(PATIENCE).await?,
        call.wait_ended(PATIENCE).await?,
    ] {
        ensure!(ended.ended_by == Some(EndedBy::Remote), "no BYE: {ended:?}");
    }
    for record in records(&server, 2).await? {
        ensure!(record["endReason"] == "OPERATOR", "{record}");
        ensure!(record["hangupBy"] == "SUPERVISOR", "{record}");
        let wanted = if record["from"]["user"] == "4930111" {
            "ANSWERED"
        } else {
            "FAILED"
        };
        ensure!(record["disposition"] == wanted, "{record}");
    }
    agent_is(&server, "anna", "READY").await?;
    server.stop().await
}

async fn order(server: &Server, name: &str, number: u128, input: Value) -> anyhow::Result<()> {
    let mut input = input;
    input["commandId"] = command_id(number).into();
    mutate(server, name, "agent { state }", input)
        .await
        .map(|_| ())
}

#[tokio::test]
async fn calls_go_to_agents_who_want_them() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&setup(folder.path(), &["anna", "ben"])).await?;
    // Anna has been idle longer: she would be asked first.
    let anna = agent(&server, "anna").await?;
    let ben = agent(&server, "ben").await?;
    let id = agent_is(&server, "anna", "READY").await?["id"].clone();
    order(
        &server,
        "agentNotReady",
        1,
        json!({ "agentId": id, "reason": "MEAL" }),
    )
    .await?;
    let state = agent_is(&server, "anna", "NOT_READY").await?;
    ensure!(state["reason"] == "MEAL", "{state}");

    let phone = caller(&server, "4930111").await?;
    let first = dial(&phone, "support").await?;
    let at_ben = incoming(&ben).await?;
    at_ben.answer().await?;
    first.wait_answered(PATIENCE).await?;
    let phone = caller(&server, "4930112").await?;
    let second = dial(&phone, "support").await?;
    call_is(&server, "4930112", "WAITING").await?;
    order(&server, "agentReady", 2, json!({ "agentId": id })).await?;
    let at_anna = incoming(&anna).await?;
    ensure!(at_anna.from_user() == Some("4930112"), "another caller");
    at_anna.answer().await?;
    second.wait_answered(PATIENCE).await?;
    // Asked for during the call, it comes after it.
    order(
        &server,
        "agentNotReady",
        3,
        json!({ "agentId": id, "reason": "BREAK" }),
    )
    .await?;
    agent_is(&server, "anna", "ON_CONTACT").await?;
    ensure!(second.progress().ended_by.is_none(), "the call is cut");
    second.hang_up().await?;
    let state = agent_is(&server, "anna", "NOT_READY").await?;
    ensure!(state["reason"] == "BREAK", "{state}");
    first.hang_up().await?;
    server.stop().await
}

#[tokio::test]
async fn hostile_queries_are_refused_at_once() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&setup(folder.path(), &["anna"])).await?;
    let client = reqwest::Client::new();
    let deep = |depth: usize| {
        let (open, close) = ("agents { nodes { queues { ", " } } }");
        format!(
            "{{ {}name{} }}",
            format!("{open}agents {{ nodes {{ ").repeat(depth),
            format!(" }} }}{close}").repeat(depth)
        )
    };
    let aliases: String = (0..2_000)
        .map(|n| format!("a{n}: me {{ name }} "))
        .collect();
    let fragments: String = (0..30)
        .map(|n| format!("fragment f{n} on Query {{ ...f{0} ...f{0} }} ", n + 1))
        .collect();
    for query in [
        deep(40),
        deep(4_000),
        format!("{{ {aliases} }}"),
        format!("{{ ...f0 }} {fragments} fragment f30 on Query {{ me {{ name }} }}"),
        "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".into(),
        "{ agents(first: 100) { nodes { queues { agents(first: 100) { nodes { queues { name \
         agents(first: 100) { nodes { name } } } } } } } } }"
            .into(),
        "[".repeat(100_000),
        format!("{{ me {{ name }} }} #{}", "x".repeat(1_000_000)),
    ] {
        let shown = query.chars().take(60).collect::<String>();
        let started = Instant::now();
        let response = client
            .post(server.url("/graphql"))
            .bearer_auth(TOKEN)
            .json(&json!({ "query": query }))
            .send()
            .await;
        // A body that is too long may be cut off while it is being sent.
        if let Ok(response) = response {
            let too_long = response.status() == 413;
            let text = response.text().await.unwrap_or_default();
            ensure!(too_long || text.contains("errors"), "{shown}: {text}");
            ensure!(!text.contains("\"name\":\""), "{shown}: {text}");
        }
        ensure!(
            started.elapsed() < REFUSAL,
            "{shown} takes {:?}",
            started.elapsed()
        );
    }
    let agents = server
        .graphql("{ agents { nodes { name } } }", json!({}))
        .await?;
    ensure!(agents["agents"]["nodes"][0]["name"] == "anna", "{agents}");
    server.stop().await
}
