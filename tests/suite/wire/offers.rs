//! An offer that is rejected by an order, as the phone would with 603.

use crate::support::{
    PATIENCE, Wrong, agent, agent_is, call_is, caller, command_id, dial, incoming, mutate,
};
use anyhow::{Context as _, ensure};
use phone::EndedBy;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const QUEUES: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
    terms = { rejected = { delay_ms = 0, in_a_row_max = 2 } }\n\
    [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nqueues = [\"support\"]\n\
    ready_on_register = true\n\
    [[agent]]\nname = \"ben\"\npassword = \"ben-secret\"\nqueues = [\"support\"]\n\
    ready_on_register = true\n";

/// The offer that the agent has.
async fn offer_of(server: &Server, name: &str) -> anyhow::Result<Value> {
    let query = "{ agents(first: 5) { nodes { name state offerId } } }";
    let of = |answer: &Value| {
        let agents = answer["agents"]["nodes"].as_array()?;
        let mut agents = agents.iter();
        let agent = agents.find(|agent| agent["name"] == name && agent["state"] == "RINGING")?;
        Some(agent["offerId"].clone())
    };
    let answer = server.until(query, |answer| of(answer).is_some()).await?;
    of(&answer).context("the phone rings")
}

async fn refused(server: &Server, number: u128, wrong: Wrong) -> anyhow::Result<()> {
    let (name, mut input, code, field, says) = wrong;
    input["commandId"] = json!(command_id(number));
    let query = "mutation($input: RejectOfferInput!) { rejectOffer(input: $input) { agent { id } \
                 position userErrors { code field message } } }";
    let answer = server.graphql(query, json!({ "input": input })).await?;
    let error = json!([{ "code": code, "field": field, "message": says }]);
    let nothing = json!({ "agent": null, "position": null, "userErrors": error });
    ensure!(answer[name] == nothing, "{input}: {answer}");
    Ok(())
}

/// Nobody rejects what another is offered, or what nobody is.
async fn nobody_else_rejects(
    server: &Server,
    (anna, ben): (&Value, &Value),
    offer: &Value,
) -> anyhow::Result<()> {
    let (nobody, no_offer) = (json!(command_id(98)), json!(command_id(99)));
    let none = ("input.not_offered", "offerId", "agent has no such offer");
    let unknown = ("input.unknown_agent", "agentId", "agent is not known");
    let wrong = [
        (ben, offer, none),
        (anna, &no_offer, none),
        (&nobody, offer, unknown),
    ];
    for (number, (agent, offer, (code, field, says))) in (1..).zip(wrong) {
        let input = json!({ "agentId": agent, "offerId": offer });
        let wrong = ("rejectOffer", input, code, field, says);
        refused(server, number, wrong).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_offer_stops_ringing_and_the_caller_is_offered_on() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), QUEUES)).await?;
    let anna = agent(&server, "anna").await?;
    let anna_id = agent_is(&server, "anna", "READY").await?["id"].clone();
    let ben = agent(&server, "ben").await?;
    let ben_id = agent_is(&server, "ben", "READY").await?["id"].clone();
    let from = caller(&server, "+4930111").await?;
    let out = dial(&from, "support").await?;
    let at_anna = incoming(&anna).await?;
    at_anna.ring().await?;
    let first = offer_of(&server, "anna").await?;
    let input = |agent: &Value, offer: &Value| json!({ "agentId": agent, "offerId": offer });

    nobody_else_rejects(&server, (&anna_id, &ben_id), &first).await?;
    let reject = |number: u128, agent: &Value, offer: &Value| {
        let mut input = input(agent, offer);
        input["commandId"] = json!(command_id(number));
        mutate(&server, "rejectOffer", "agent { missedCount }", input)
    };
    let done = reject(10, &anna_id, &first).await?;
    let ended = at_anna.wait_ended(PATIENCE).await?;
    ensure!(ended.ended_by == Some(EndedBy::Cancelled), "{ended:?}");
    // Told twice it is one; told anew it comes too late.
    let again = reject(10, &anna_id, &first).await?;
    ensure!(again["position"] == done["position"], "{done} {again}");
    let late = "offer is not the live one";
    let wrong = (
        "rejectOffer",
        input(&anna_id, &first),
        "call.stale_offer",
        "offerId",
        late,
    );
    refused(&server, 11, wrong).await?;

    // Ben comes next, then anna again: twice in a row, and she is taken out.
    let at_ben = incoming(&ben).await?;
    at_ben.ring().await?;
    let second = offer_of(&server, "ben").await?;
    reject(12, &ben_id, &second).await?;
    at_ben.wait_ended(PATIENCE).await?;
    let at_anna = incoming(&anna).await?;
    at_anna.ring().await?;
    let third = offer_of(&server, "anna").await?;
    reject(13, &anna_id, &third).await?;
    at_anna.wait_ended(PATIENCE).await?;
    let out_of_it = agent_is(&server, "anna", "NOT_READY").await?;
    ensure!(out_of_it["reason"] == "REJECTED", "{out_of_it}");
    let at_ben = incoming(&ben).await?;
    at_ben.answer().await?;
    out.wait_answered(PATIENCE).await?;

    // Whoever has the caller can not reject it any more.
    let talk = call_is(&server, "+4930111", "CONNECTED").await?["id"].clone();
    let accepted = input(&ben_id, &fourth(&server, &talk).await?);
    let wrong = ("rejectOffer", accepted, "call.stale_offer", "offerId", late);
    refused(&server, 14, wrong).await?;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    at_ben.wait_ended(PATIENCE).await?;
    for phone in [&anna, &ben, &from] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}

/// The last offer of the call, which was accepted; those before it were rejected.
async fn fourth(server: &Server, call: &Value) -> anyhow::Result<Value> {
    let query = "query Q($id: ID!) { callExplanation(callId: $id) { offerId outcome accepted } }";
    let answer = server.graphql(query, json!({ "id": call })).await?;
    let offers = answer["callExplanation"].as_array().context("decisions")?;
    let outcomes: Vec<&Value> = offers.iter().map(|offer| &offer["outcome"]).collect();
    let rejected = Value::from("REJECTED");
    let expected = [&rejected, &rejected, &rejected, &Value::Null];
    ensure!(outcomes == expected, "{answer:#}");
    Ok(offers[3]["offerId"].clone())
}
