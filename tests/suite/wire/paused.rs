//! An agent who is paused in one of two queues: who rings, what the board, the decisions
//! and the record show.

use crate::support::{
    agent, agent_is, agent_with, call_is, caller, command_id, dial, finishes, mutate, reaches,
};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const QUEUES: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
    [[queue]]\nname = \"sales\"\nanswer_mode = \"on_agent\"\n\
    [[queue]]\nname = \"night\"\nanswer_mode = \"on_agent\"\n\
    [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nready_on_register = true\n\
    queues = [\"support\", \"sales\"]\n\
    [[agent]]\nname = \"ben\"\npassword = \"ben-secret\"\nready_on_register = true\n\
    queues = [\"support\"]\n";

/// The queue, with who is paused in it.
async fn shown(server: &Server, name: &str) -> anyhow::Result<Value> {
    let query = "{ queues(first: 5) { nodes { id name pausedMembers { agentId by reason } } } }";
    let answer = server.graphql(query, json!({})).await?;
    let mut queues = answer["queues"]["nodes"].as_array().into_iter().flatten();
    queues
        .find(|queue| queue["name"] == name)
        .cloned()
        .context("the queue")
}

/// Gives the order; returns who is paused then, or why nothing was done.
async fn order(
    server: &Server,
    (number, name): (u128, &str),
    (agent, queue): (&Value, &Value),
    reason: &str,
) -> anyhow::Result<Value> {
    let mut kind = name.to_owned();
    kind[..1].make_ascii_uppercase();
    let query = format!(
        "mutation($input: {kind}Input!) {{ {name}(input: $input) {{ position queue {{ \
         pausedMembers {{ agentId by reason }} }} userErrors {{ code field }} }} }}"
    );
    let input = json!({ "commandId": command_id(number), "agentId": agent, "queueId": queue,
                        "reason": reason });
    let answer = server.graphql(&query, json!({ "input": input })).await?;
    let payload = &answer[name];
    Ok(match payload["userErrors"].get(0) {
        Some(refused) => {
            ensure!(payload["position"].is_null(), "{payload}");
            refused.clone()
        }
        None => payload["queue"]["pausedMembers"].clone(),
    })
}

async fn what_makes_no_sense_is_refused(
    server: &Server,
    anna: &Value,
    support: &Value,
) -> anyhow::Result<()> {
    let (nobody, night) = (json!(command_id(99)), shown(server, "night").await?);
    let night = &night["id"];
    let (pause, unpause) = ("pauseMember", "unpauseMember");
    for (number, name, (agent, queue), reason, (code, field)) in [
        (
            1,
            pause,
            (anna, night),
            "rush",
            ("input.not_of_queue", "agentId"),
        ),
        (
            2,
            pause,
            (&nobody, support),
            "rush",
            ("input.unknown_agent", "agentId"),
        ),
        (
            3,
            pause,
            (anna, &nobody),
            "rush",
            ("queue.unknown", "queueId"),
        ),
        (
            4,
            pause,
            (anna, support),
            "Mr Smith",
            ("queue.invalid_reason", "reason"),
        ),
        (
            5,
            unpause,
            (anna, support),
            "rush",
            ("queue.not_paused", "agentId"),
        ),
    ] {
        let refused = order(server, (number, name), (agent, queue), reason).await?;
        ensure!(
            refused == json!({ "code": code, "field": field }),
            "{refused}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_who_is_paused_in_one_queue_serves_the_other_until_that_is_taken_back()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), QUEUES);
    let server = Server::start(&setup).await?;
    let support = shown(&server, "support").await?["id"].clone();
    let anna = agent(&server, "anna").await?;
    let anna_id = agent_is(&server, "anna", "READY").await?["id"].clone();
    what_makes_no_sense_is_refused(&server, &anna_id, &support).await?;
    let paused = order(
        &server,
        (6, "pauseMember"),
        (&anna_id, &support),
        "training",
    )
    .await?;
    let expected = json!([{ "agentId": anna_id, "by": "token:administrator",
                            "reason": "training" }]);
    ensure!(paused == expected, "{paused}");

    // One waits beside her; who calls the other queue reaches her.
    let from = caller(&server, "+4930111").await?;
    let waits = dial(&from, "support").await?;
    call_is(&server, "+4930111", "WAITING").await?;
    let is_told = |metrics: &str| {
        metrics.contains("ringledger_routing_unserved_count{reason=\"paused\"} 1\n")
    };
    server.until_metrics(is_told).await?;
    let other = caller(&server, "+4930222").await?;
    reaches(&other, "sales", &anna).await?;
    call_is(&server, "+4930111", "WAITING").await?;

    // Whoever else comes has the caller, and the decision says why it was not her.
    let ben = agent_with(&server, "ben", "ben-secret").await?;
    finishes(waits, &ben).await?;
    is_explained(&server, &anna_id).await?;
    for phone in [&anna, &ben, &from, &other] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }

    // Ben goes. It outlives a restart, and ends when somebody takes it back.
    let ben_id = agent_is(&server, "ben", "READY").await?["id"].clone();
    let pause = json!({ "commandId": command_id(8), "agentId": ben_id, "reason": "BREAK" });
    mutate(&server, "agentNotReady", "agent { id }", pause).await?;
    server.kill().await?;
    let server = Server::start(&setup).await?;
    let kept = shown(&server, "support").await?;
    ensure!(kept["pausedMembers"] == expected, "{kept}");
    it_is_taken_back(&server, &anna_id, &support).await?;
    server.stop().await
}

async fn it_is_taken_back(server: &Server, anna_id: &Value, support: &Value) -> anyhow::Result<()> {
    let anna = agent(server, "anna").await?;
    agent_is(server, "anna", "READY").await?;
    let from = caller(server, "+4930111").await?;
    let waits = dial(&from, "support").await?;
    call_is(server, "+4930111", "WAITING").await?;
    let paused = order(server, (7, "unpauseMember"), (anna_id, support), "over").await?;
    ensure!(paused == json!([]), "{paused}");
    finishes(waits, &anna).await?;
    the_record_says_so(server).await?;
    for phone in [&anna, &from] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    Ok(())
}

async fn is_explained(server: &Server, anna: &Value) -> anyhow::Result<()> {
    let query = "{ cdrs(first: 5) { nodes { callId from { user } } } }";
    let of = |answer: &Value| {
        let cdrs = answer["cdrs"]["nodes"].as_array();
        let mut cdrs = cdrs.into_iter().flatten();
        let cdr = cdrs.find(|cdr| cdr["from"]["user"] == "+4930111");
        cdr.map(|cdr| cdr["callId"].clone())
    };
    let answer = server.until(query, |answer| of(answer).is_some()).await?;
    let call = of(&answer).context("the record")?;
    let query =
        "query Q($id: ID!) { callExplanation(callId: $id) { leftOut { reason agentIds } } }";
    let answer = server.graphql(query, json!({ "id": call })).await?;
    let left_out = json!([{ "reason": "MEMBER_PAUSED", "agentIds": [anna] }]);
    ensure!(
        answer["callExplanation"][0]["leftOut"] == left_out,
        "{answer}"
    );
    Ok(())
}

async fn the_record_says_so(server: &Server) -> anyhow::Result<()> {
    let query = "{ events(filter: { types: [\"queue_member_paused\", \"queue_member_unpaused\"] }, \
                 first: 9) { nodes { type payload } } }";
    let answer = server.graphql(query, json!({})).await?;
    let nodes = answer["events"]["nodes"].as_array().into_iter().flatten();
    let said: Vec<_> = nodes
        .map(|node| {
            [
                &node["type"],
                &node["payload"]["by"],
                &node["payload"]["why"],
            ]
        })
        .collect();
    let expected = [
        ["queue_member_paused", "token:administrator", "training"],
        ["queue_member_unpaused", "token:administrator", "over"],
    ];
    ensure!(said == expected, "{answer:#}");
    Ok(())
}
