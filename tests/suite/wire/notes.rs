//! What agents note of calls: in the call's timeline, in no file of the server as it is,
//! and gone with whoever called.

use crate::support::{
    PATIENCE, agent, agent_is, call_is, caller, command_id, dial, files_with, incoming, mutate,
};
use anyhow::{Context as _, ensure};
use phone::Phone;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const QUEUES: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
    wrap_up_ms = 600000\n\
    [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nqueues = [\"support\"]\n\
    ready_on_register = true\n";
const NUMBER: &str = "4917655501239911";
const NOTE: &str = "Zwirbelbart wants the blue one, delivered to the neighbour";
const OTHER: &str = "asks again next week";

/// The number calls, talks to anna and hangs up; anna is in wrap-up. Which call it was.
async fn talked(server: &Server, anna: &Phone, number: &str) -> anyhow::Result<Value> {
    let phone = caller(server, number).await?;
    let out = dial(&phone, "support").await?;
    let call = incoming(anna).await?;
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    let id = call_is(server, number, "CONNECTED").await?["id"].clone();
    out.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    agent_is(server, "anna", "WRAP_UP").await?;
    Ok(id)
}

/// The end of the call's wrap-up, as its timeline tells it, once it is as wanted.
async fn told(
    server: &Server,
    call: &Value,
    wanted: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let call = call.as_str().context("an id")?;
    let query = format!(
        "{{ callTimeline(callId: \"{call}\", first: 100) {{ nodes {{ type note payload }} }} }}"
    );
    let end = |answer: &Value| {
        let nodes = answer["callTimeline"]["nodes"].as_array()?;
        let mut nodes = nodes.iter();
        nodes.find(|node| node["type"] == "wrap_up_ended").cloned()
    };
    let answer = server
        .until(&query, |answer| end(answer).is_some_and(|end| wanted(&end)))
        .await?;
    end(&answer).context("the wrap-up has ended")
}

async fn refused(server: &Server, input: Value) -> anyhow::Result<Value> {
    let query = "mutation($input: CompleteWrapUpInput!) { completeWrapUp(input: $input) \
                 { position userErrors { code field } } }";
    let answer = server.graphql(query, json!({ "input": input })).await?;
    ensure!(answer["completeWrapUp"]["position"].is_null(), "{answer}");
    Ok(answer["completeWrapUp"]["userErrors"][0].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agents_note_is_with_its_call_and_goes_with_the_caller() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = Setup::new(folder.path(), QUEUES);
    setup.head = "wrap_up_codes = [\"sold\"]\n".into();
    let server = Server::start(&setup).await?;
    let anna = agent(&server, "anna").await?;
    let id = agent_is(&server, "anna", "READY").await?["id"].clone();
    let noted = |number: u128, note: &str| {
        json!({
            "commandId": command_id(number), "agentId": id, "code": "sold", "note": note,
        })
    };
    // Nobody has called yet.
    let early = refused(&server, noted(1, NOTE)).await?;
    ensure!(early["code"] == "agent.no_wrap_up", "{early}");

    let first = talked(&server, &anna, NUMBER).await?;
    for note in [" ".to_owned(), "x".repeat(2_001)] {
        let wrong = refused(&server, noted(2, &note)).await?;
        let expected = json!({ "code": "input.invalid_note", "field": "note" });
        ensure!(wrong == expected, "{wrong}");
    }
    let once = mutate(&server, "completeWrapUp", "agent { id }", noted(3, NOTE)).await?;
    let ended = told(&server, &first, |_| true).await?;
    ensure!(ended["note"] == NOTE, "{ended}");
    ensure!(ended["payload"]["code"] == "sold", "{ended}");
    ensure!(ended["payload"].get("note").is_none(), "{ended}");
    // A retry hears the first answer, though the agent has no call any more.
    let again = mutate(&server, "completeWrapUp", "agent { id }", noted(3, NOTE)).await?;
    ensure!(again["position"] == once["position"], "{again}");

    let second = talked(&server, &anna, "4917655501230000").await?;
    let longest = format!("{OTHER}{}", "x".repeat(2_000 - OTHER.len()));
    mutate(
        &server,
        "completeWrapUp",
        "agent { id }",
        noted(4, &longest),
    )
    .await?;
    let other = told(&server, &second, |_| true).await?;
    ensure!(other["note"] == longest, "{other}");
    for text in ["Zwirbelbart", OTHER] {
        let found = files_with(&setup.data(), text.as_bytes())?;
        ensure!(found.is_empty(), "{text} stands in {found:?}");
    }

    let person = json!({
        "commandId": command_id(5), "number": NUMBER, "reason": "CONSENT_WITHDRAWN",
    });
    mutate(&server, "eraseSubject", "subject { id }", person).await?;
    let gone = told(&server, &first, |end| end["note"].is_null()).await?;
    ensure!(gone["payload"]["code"] == "sold", "{gone}");
    let other = told(&server, &second, |_| true).await?;
    ensure!(other["note"] == longest, "{other}");
    server.stop().await
}
