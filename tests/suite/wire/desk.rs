//! An agent of two queues at the real binary: taken out when the phone is busy
//! too often, brought back by a supervisor, and one wrap-up that both queues
//! respect.

use crate::support::{
    PATIENCE, agent, agent_is, call_is, caller, command_id, dial, incoming, mutate,
};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const QUEUES: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\nwrap_up_ms = 600000\n\
    terms = { wrap_up_code = true, busy = { delay_ms = 0, in_a_row_max = 2 }, \
    rejected = { delay_ms = 600000, in_a_row_max = 0 } }\n\
    [[queue]]\nname = \"sales\"\nanswer_mode = \"on_agent\"\nwrap_up_ms = 600000\n\
    [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nqueues = [\"support\", \"sales\"]\n\
    ready_on_register = true\n";

/// What a mutation about anna's desk is refused for.
async fn refusal(server: &Server, name: &str, input: Value) -> anyhow::Result<Value> {
    let mut kind = name.to_owned();
    kind[..1].make_ascii_uppercase();
    let query = format!(
        "mutation($input: {kind}Input!) {{ {name}(input: $input) {{ userErrors {{ code field }} }} }}"
    );
    let answer = server.graphql(&query, json!({ "input": input })).await?;
    Ok(answer[name]["userErrors"][0].clone())
}

/// The fields of each event of these types, in order.
async fn told(server: &Server, types: &[&str]) -> anyhow::Result<Vec<Value>> {
    let query = "query Q($types: [String!]) { events(filter: { types: $types }, first: 50) \
                 { nodes { payload } } }";
    let answer = server.graphql(query, json!({ "types": types })).await?;
    let nodes = answer["events"]["nodes"].as_array().context("events")?;
    Ok(nodes.iter().map(|node| node["payload"].clone()).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_phone_is_taken_out_a_supervisor_brings_it_back_and_two_queues_share_one_wrap_up()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = Setup::new(folder.path(), QUEUES);
    setup.head = "wrap_up_codes = [\"sold\", \"no_sale\"]\n".into();
    let server = Server::start(&setup).await?;
    let anna = agent(&server, "anna").await?;
    let id = agent_is(&server, "anna", "READY").await?["id"].clone();
    let input = |number: u128, more: Value| {
        let mut input = json!({ "commandId": command_id(number), "agentId": id });
        if let (Some(input), Value::Object(more)) = (input.as_object_mut(), more) {
            input.extend(more);
        }
        input
    };

    // Twice busy, and the phone rings no more; the caller waits on.
    let first = caller(&server, "+4930111").await?;
    let one = dial(&first, "support").await?;
    for _ in 0..2 {
        incoming(&anna).await?.reject(486).await?;
    }
    let out = agent_is(&server, "anna", "NOT_READY").await?;
    ensure!(out["reason"] == "BUSY", "{out}");
    call_is(&server, "+4930111", "WAITING").await?;

    // A supervisor says why, in a word.
    let talks = json!({ "state": "READY", "reason": "Mr Smith called" });
    let refused = refusal(&server, "forceAgentState", input(1, talks)).await?;
    ensure!(
        refused == json!({ "code": "agent.invalid_reason", "field": "reason" }),
        "{refused}"
    );
    let rush = input(2, json!({ "state": "READY", "reason": "rush_hour" }));
    mutate(&server, "forceAgentState", "agent { id }", rush).await?;
    let call = incoming(&anna).await?;
    call.answer().await?;
    one.wait_answered(PATIENCE).await?;
    let second = caller(&server, "+4930222").await?;
    let two = dial(&second, "sales").await?;
    call_is(&server, "+4930222", "WAITING").await?;
    one.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    wrap_up_holds(&server, &id, &input).await?;

    // The other queue's caller comes only now.
    let sold = input(8, json!({ "code": "sold" }));
    mutate(&server, "completeWrapUp", "agent { id }", sold).await?;
    let call = incoming(&anna).await?;
    ensure!(
        call.from_user() == Some("+4930222"),
        "{:?}",
        call.from_user()
    );
    call.answer().await?;
    two.wait_answered(PATIENCE).await?;
    // Leaves after the contact: not earlier, and without a wrap-up in between.
    let away = input(9, json!({ "state": "NOT_READY", "reason": "training" }));
    mutate(&server, "forceAgentState", "agent { id }", away).await?;
    agent_is(&server, "anna", "ON_CONTACT").await?;
    two.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    agent_is(&server, "anna", "WRAP_UP").await?;
    mutate(
        &server,
        "completeWrapUp",
        "agent { id }",
        input(10, json!({})),
    )
    .await?;
    let out = agent_is(&server, "anna", "NOT_READY").await?;
    ensure!(out["reason"] == "SUPERVISOR", "{out}");
    the_record_says_so(&server).await?;
    for phone in [&anna, &first, &second] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}

/// Nobody is offered to an agent in wrap-up, by either queue, and it ends only
/// with a code.
async fn wrap_up_holds(
    server: &Server,
    id: &Value,
    input: &impl Fn(u128, Value) -> Value,
) -> anyhow::Result<()> {
    agent_is(server, "anna", "WRAP_UP").await?;
    let ready = refusal(server, "agentReady", input(3, json!({}))).await?;
    ensure!(ready["code"] == "agent.code_required", "{ready}");
    let none = refusal(server, "completeWrapUp", input(4, json!({}))).await?;
    ensure!(
        none == json!({ "code": "agent.code_required", "field": "code" }),
        "{none}"
    );
    let unknown = refusal(
        server,
        "completeWrapUp",
        input(5, json!({ "code": "sould" })),
    )
    .await?;
    ensure!(
        unknown == json!({ "code": "input.unknown_wrap_up_code", "field": "code" }),
        "{unknown}"
    );
    let query = "query Q($id: ID!) { agent(id: $id) { until } }";
    let ends = |answer: Value| answer["agent"]["until"].as_str().map(str::to_owned);
    let before = ends(server.graphql(query, json!({ "id": id })).await?).context("until")?;
    let long = refusal(
        server,
        "extendWrapUp",
        input(6, json!({ "byMs": "3600001" })),
    )
    .await?;
    ensure!(
        long == json!({ "code": "agent.invalid_extension", "field": "byMs" }),
        "{long}"
    );
    let more = input(7, json!({ "byMs": "60000" }));
    let extended = mutate(server, "extendWrapUp", "agent { state until }", more).await?;
    let after = extended["agent"]["until"].as_str().context("until")?;
    ensure!(
        after > before.as_str() && extended["agent"]["state"] == "WRAP_UP",
        "{extended}"
    );
    // Everything that an offer would need has been heard by now.
    let waits = call_is(server, "+4930222", "WAITING").await?;
    let query = "query Q($id: ID!) { callExplanation(callId: $id) { agentId } }";
    let asked = server.graphql(query, json!({ "id": waits["id"] })).await?;
    ensure!(asked["callExplanation"] == json!([]), "{asked}");
    Ok(())
}

async fn the_record_says_so(server: &Server) -> anyhow::Result<()> {
    let forced = told(server, &["agent_state_forced"]).await?;
    let why: Vec<_> = forced.iter().map(|event| &event["why"]).collect();
    ensure!(why == ["rush_hour", "training"], "{forced:?}");
    ensure!(
        forced
            .iter()
            .all(|event| event["by"] == "token:administrator"),
        "{forced:?}"
    );
    let ended = told(server, &["wrap_up_ended"]).await?;
    ensure!(ended.len() == 2, "one wrap-up for each call: {ended:?}");
    ensure!(
        ended[0]["code"] == "sold" && ended[1]["code"].is_null(),
        "{ended:?}"
    );
    let released = told(server, &["reservation_released"]).await?;
    let reasons: Vec<_> = released.iter().map(|event| &event["reason"]).collect();
    ensure!(reasons == ["busy", "busy"], "{released:?}");
    Ok(())
}
