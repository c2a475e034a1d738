//! A waiting call that a supervisor means for one agent.

use crate::support::{
    PATIENCE, agent, agent_is, call_is, caller, command_id, dial, incoming, mutate,
};
use anyhow::{Context as _, ensure};
use phone::Phone;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const QUEUES: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
    [[queue]]\nname = \"sales\"\nanswer_mode = \"on_agent\"\n\
    [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nqueues = [\"support\"]\n\
    ready_on_register = true\n\
    [[agent]]\nname = \"ben\"\npassword = \"ben-secret\"\nqueues = [\"sales\"]\n\
    ready_on_register = true\n";

/// Means the call for the agent; returns why not, if so.
async fn assign(
    server: &Server,
    number: u128,
    (call, agent): (&Value, &Value),
    for_ms: &str,
) -> anyhow::Result<Value> {
    let query = "mutation($input: AssignVisitInput!) { assignVisit(input: $input) { call { id } \
                 userErrors { code field } } }";
    let input = json!({ "commandId": command_id(number), "callId": call, "agentId": agent,
                        "forMs": for_ms });
    let answer = server.graphql(query, json!({ "input": input })).await?;
    let payload = &answer["assignVisit"];
    let errors = payload["userErrors"].as_array().map_or(0, Vec::len);
    ensure!(payload["call"].is_null() == (errors > 0), "{payload}");
    Ok(payload["userErrors"][0].clone())
}

/// The queue.
async fn support(server: &Server) -> anyhow::Result<Value> {
    let query = "{ queues(first: 5) { nodes { id name } } }";
    let queues = server.graphql(query, json!({})).await?;
    let mut queues = queues["queues"]["nodes"].as_array().into_iter().flatten();
    let support = queues.find(|queue| queue["name"] == "support");
    Ok(support.context("support")?["id"].clone())
}

/// Anna is free from now on: she has a caller who came later, and not the one who waits.
async fn another_is_free(server: &Server) -> anyhow::Result<Phone> {
    let anna = agent(server, "anna").await?;
    let second = caller(server, "+4930222").await?;
    let two = dial(&second, "support").await?;
    let at_anna = incoming(&anna).await?;
    let from = at_anna.from_user();
    ensure!(from == Some("+4930222"), "{from:?}");
    at_anna.answer().await?;
    two.wait_answered(PATIENCE).await?;
    ensure!(two.hang_up().await? == 200, "BYE is refused");
    at_anna.wait_ended(PATIENCE).await?;
    agent_is(server, "anna", "READY").await?;
    call_is(server, "+4930111", "WAITING").await?;
    ensure!(second.complaints().is_empty(), "{:?}", second.complaints());
    Ok(anna)
}

/// Who was free meanwhile is left out, and why.
async fn is_explained(server: &Server, call: &Value, agent: &Value) -> anyhow::Result<()> {
    let query = "query Q($id: ID!) { callExplanation(callId: $id) { agentId decidedBy \
                 leftOut { reason count } } }";
    let answer = server.graphql(query, json!({ "id": call })).await?;
    let decision = &answer["callExplanation"][0];
    ensure!(
        decision["decidedBy"] == "ASSIGNED" && decision["agentId"] == *agent,
        "{answer}"
    );
    let left_out = json!([{ "reason": "NOT_ASSIGNED", "count": 1 }]);
    ensure!(decision["leftOut"] == left_out, "{answer}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_call_is_meant_for_one_agent_and_nobody_else_is_asked() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), QUEUES)).await?;
    let support = support(&server).await?;
    // Ben talks with a caller of sales; the next caller of support waits for nobody.
    let ben = agent(&server, "ben").await?;
    let ben_id = agent_is(&server, "ben", "READY").await?["id"].clone();
    let busy = caller(&server, "+4930100").await?;
    let talk = dial(&busy, "sales").await?;
    let at_ben = incoming(&ben).await?;
    at_ben.answer().await?;
    talk.wait_answered(PATIENCE).await?;
    let first = caller(&server, "+4930111").await?;
    let one = dial(&first, "support").await?;
    let waits = call_is(&server, "+4930111", "WAITING").await?["id"].clone();

    // He is no agent of that queue, until he is made one.
    let refused = assign(&server, 1, (&waits, &ben_id), "60000").await?;
    ensure!(
        refused == json!({ "code": "input.not_of_queue", "field": "agentId" }),
        "{refused}"
    );
    let member = json!({ "commandId": command_id(2), "agentId": ben_id,
                         "place": { "queueId": support, "tier": 2 } });
    mutate(&server, "addMember", "agent { id }", member).await?;
    let refused = assign(&server, 3, (&waits, &ben_id), "3600001").await?;
    ensure!(
        refused == json!({ "code": "visit.invalid_time", "field": "forMs" }),
        "{refused}"
    );
    let done = assign(&server, 4, (&waits, &ben_id), "60000").await?;
    ensure!(done.is_null(), "{done}");

    let anna = another_is_free(&server).await?;
    // Ben has the one that is his, though anna has nothing to do.
    ensure!(talk.hang_up().await? == 200, "BYE is refused");
    at_ben.wait_ended(PATIENCE).await?;
    let at_ben = incoming(&ben).await?;
    ensure!(
        at_ben.from_user() == Some("+4930111"),
        "{:?}",
        at_ben.from_user()
    );
    at_ben.answer().await?;
    one.wait_answered(PATIENCE).await?;
    let refused = assign(&server, 5, (&json!(command_id(77)), &ben_id), "60000").await?;
    ensure!(refused["code"] == "input.not_waiting", "{refused}");
    is_explained(&server, &waits, &ben_id).await?;
    ensure!(one.hang_up().await? == 200, "BYE is refused");
    at_ben.wait_ended(PATIENCE).await?;
    for phone in [&anna, &ben, &busy, &first] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}
