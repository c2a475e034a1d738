//! An agent answers at the desk: the phone that rings is told to, and says itself whether it
//! does.

use crate::support::{PATIENCE, agent_is, call_is, caller, command_id, dial, incoming, mutate};
use anyhow::{Context as _, ensure};
use phone::{CallEvent, EndedBy, IncomingCall, Phase, Phone, PhoneOptions};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use tokio::time::timeout;

const AGENTS: &str = "[[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\n\
    queues = [\"support\"]\nready_on_register = true\n\
    [[agent]]\nname = \"ben\"\npassword = \"ben-secret\"\nqueues = [\"support\"]\n\
    ready_on_register = true\n";

async fn serves(folder: &std::path::Path, rules: &str) -> anyhow::Result<Server> {
    let queue = format!("[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n{rules}\n");
    Server::start(&Setup::new(folder, &format!("{queue}{AGENTS}"))).await
}

/// A registered phone that says that it knows these events, and answers a NOTIFY so.
async fn desk(
    server: &Server,
    name: &str,
    (events, status): (Option<&str>, u16),
) -> anyhow::Result<Phone> {
    let phone = Phone::bind(PhoneOptions {
        allow_events: events.map(str::to_owned),
        notify_status: status,
        ..PhoneOptions::new(server.sip, name).with_password(format!("{name}-secret"))
    });
    let phone = phone.await?;
    phone.register(3_600).await?;
    Ok(phone)
}

/// The agent and the offer that the agent has, as an order names them.
async fn offer_of(server: &Server, name: &str) -> anyhow::Result<Value> {
    let query = "{ agents(first: 5) { nodes { id name offerId } } }";
    let of = |answer: &Value| {
        let agents = answer["agents"]["nodes"].as_array()?;
        let mut agents = agents.iter();
        let agent = agents.find(|agent| agent["name"] == name && !agent["offerId"].is_null())?;
        Some(json!({ "agentId": agent["id"], "offerId": agent["offerId"] }))
    };
    let answer = server.until(query, |answer| of(answer).is_some()).await?;
    of(&answer).context("an offer")
}

async fn accept(server: &Server, number: u128, offer: &Value) -> anyhow::Result<Value> {
    let mut input = offer.clone();
    input["commandId"] = json!(command_id(number));
    mutate(server, "acceptOffer", "agent { name }", input).await
}

async fn refused(server: &Server, number: u128, offer: &Value, why: &str) -> anyhow::Result<()> {
    let (code, says) = match why {
        "not_ringing" => ("call.not_ringing", "offer does not ring yet"),
        "not_offered" => ("input.not_offered", "agent has no such offer"),
        "stale" => ("call.stale_offer", "offer is not the live one"),
        _ => (
            "call.no_answer_by_order",
            "phone of the offer does not answer by an order",
        ),
    };
    let mut input = offer.clone();
    input["commandId"] = json!(command_id(number));
    let query = "mutation($input: AcceptOfferInput!) { acceptOffer(input: $input) { agent { id } \
                 position userErrors { code field message } } }";
    let answer = server.graphql(query, json!({ "input": input })).await?;
    let error = json!([{ "code": code, "field": "offerId", "message": says }]);
    let nothing = json!({ "agent": null, "position": null, "userErrors": error });
    ensure!(answer["acceptOffer"] == nothing, "{why}: {answer}");
    Ok(())
}

/// What the phone is told next while it rings: the event, the state and the body.
async fn is_told(ringing: &mut IncomingCall) -> anyhow::Result<()> {
    loop {
        match timeout(PATIENCE, ringing.next_event()).await? {
            Some(CallEvent::Notified { event, state, body }) => {
                let told = (event.as_str(), state.as_str(), body.as_str());
                ensure!(told == ("talk", "active", ""), "{told:?}");
                return Ok(());
            }
            Some(_) => {}
            None => anyhow::bail!("the call is over"),
        }
    }
}

/// The call is over at the phone, and it was told nothing meanwhile.
async fn was_told_nothing(mut over: IncomingCall) -> anyhow::Result<()> {
    let ended = over.wait_ended(PATIENCE).await?;
    ensure!(ended.phase == Phase::Ended, "{ended:?}");
    while let Ok(Some(event)) = timeout(PATIENCE, over.next_event()).await {
        let is_told = matches!(event, CallEvent::Notified { .. });
        ensure!(!is_told, "{event:?}");
        if matches!(event, CallEvent::Cancelled | CallEvent::RemoteHangup { .. }) {
            break;
        }
    }
    Ok(())
}

/// What the record says of that event, once there is one.
async fn on_record(server: &Server, event: &str) -> anyhow::Result<Value> {
    let query = format!(
        "{{ events(filter: {{ types: [\"{event}\"] }}, first: 9) {{ nodes {{ \
                         payload }} }} }}"
    );
    let nodes = |answer: &Value| answer["events"]["nodes"].as_array().cloned();
    let is_there = |answer: &Value| nodes(answer).is_some_and(|nodes| !nodes.is_empty());
    let answer = server.until(&query, is_there).await?;
    let all = nodes(&answer).unwrap_or_default();
    ensure!(all.len() == 1, "{answer:#}");
    Ok(all[0]["payload"].clone())
}

/// Two phones of anna's ring beside ben's: both of hers are told, and his is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_rings_is_told_to_answer_and_its_agent_has_the_caller() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = serves(folder.path(), "strategy = \"ring_all\"").await?;
    let desks = [
        desk(&server, "anna", (Some("hold, Talk"), 200)).await?,
        desk(&server, "anna", (None, 200)).await?,
    ];
    let ben = desk(&server, "ben", (Some("talk"), 200)).await?;
    for name in ["anna", "ben"] {
        agent_is(&server, name, "READY").await?;
    }
    let from = caller(&server, "+4930111").await?;
    let out = dial(&from, "support").await?;
    let mut first = incoming(&desks[0]).await?;
    let mut second = incoming(&desks[1]).await?;
    let bens = incoming(&ben).await?;
    let (offer, other) = (
        offer_of(&server, "anna").await?,
        offer_of(&server, "ben").await?,
    );
    refused(&server, 1, &offer, "not_ringing").await?;
    let others = json!({ "agentId": offer["agentId"], "offerId": other["offerId"] });
    refused(&server, 2, &others, "not_offered").await?;

    for ringing in [&second, &first, &bens] {
        ringing.ring().await?;
    }
    on_record_twice(&server, "leg_alerting").await?;
    let done = accept(&server, 3, &offer).await?;
    is_told(&mut first).await?;
    is_told(&mut second).await?;
    // The order connects nobody: the phone does.
    ensure!(
        call_is(&server, "+4930111", "OFFERING").await.is_ok(),
        "it rings on"
    );
    first.answer().await?;
    out.wait_answered(PATIENCE).await?;
    call_is(&server, "+4930111", "CONNECTED").await?;
    was_told_nothing(bens).await?;
    let ended = second.wait_ended(PATIENCE).await?;
    ensure!(ended.ended_by == Some(EndedBy::Cancelled), "{ended:?}");

    // Told twice it is one; told anew it comes too late.
    let again = accept(&server, 3, &offer).await?;
    ensure!(again["position"] == done["position"], "{done} {again}");
    refused(&server, 4, &offer, "stale").await?;
    let said = on_record(&server, "answer_ordered").await?;
    ensure!(said["by"] == "token:administrator", "{said}");
    ensure!(said["offer"] == offer["offerId"], "{said}");
    // The phone takes the BYE, which is counted on from what it was told.
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    let ended = first.wait_ended(PATIENCE).await?;
    ensure!(ended.ended_by == Some(EndedBy::Remote), "{ended:?}");
    for phone in [&desks[0], &desks[1], &ben, &from] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}

/// Both offers ring, as the record says.
async fn on_record_twice(server: &Server, event: &str) -> anyhow::Result<()> {
    let query = format!(
        "{{ events(filter: {{ types: [\"{event}\"] }}, first: 9) {{ nodes {{ \
                         payload }} }} }}"
    );
    let are_two = |answer: &Value| answer["events"]["nodes"].as_array().map(Vec::len) == Some(2);
    server.until(&query, are_two).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_refuses_to_answer_by_an_order_rings_on_and_the_offer_runs_its_course()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = serves(folder.path(), "ring_timeout_ms = 6000").await?;
    let anna = desk(&server, "anna", (None, 489)).await?;
    agent_is(&server, "anna", "READY").await?;
    let from = caller(&server, "+4930111").await?;
    let out = dial(&from, "support").await?;
    let mut ringing = incoming(&anna).await?;
    ringing.ring().await?;
    let offer = offer_of(&server, "anna").await?;
    on_record(&server, "leg_alerting").await?;
    accept(&server, 1, &offer).await?;
    is_told(&mut ringing).await?;
    let said = on_record(&server, "answer_order_refused").await?;
    ensure!(said["wire"]["sip_status"] == 489, "{said}");
    refused(&server, 2, &offer, "no_answer_by_order").await?;

    let ended = ringing.wait_ended(PATIENCE).await?;
    ensure!(ended.ended_by == Some(EndedBy::Cancelled), "{ended:?}");
    let said = on_record(&server, "offer_ended").await?;
    ensure!(said["outcome"] == "no_answer", "{said}");
    // And is offered again, and picked up by hand.
    let ringing = incoming(&anna).await?;
    ringing.answer().await?;
    out.wait_answered(PATIENCE).await?;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    ringing.wait_ended(PATIENCE).await?;
    for phone in [&anna, &from] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_knows_other_events_is_told_nothing_and_is_picked_up_by_hand()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = serves(folder.path(), "").await?;
    let anna = desk(&server, "anna", (Some("hold, conference"), 200)).await?;
    agent_is(&server, "anna", "READY").await?;
    let from = caller(&server, "+4930111").await?;
    let out = dial(&from, "support").await?;
    let ringing = incoming(&anna).await?;
    ringing.ring().await?;
    let offer = offer_of(&server, "anna").await?;
    on_record(&server, "leg_alerting").await?;
    accept(&server, 1, &offer).await?;
    let said = on_record(&server, "answer_order_refused").await?;
    ensure!(said["wire"]["sip_status"].is_null(), "{said}");
    refused(&server, 2, &offer, "no_answer_by_order").await?;
    ringing.answer().await?;
    out.wait_answered(PATIENCE).await?;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    was_told_nothing(ringing).await?;
    for phone in [&anna, &from] {
        ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    }
    server.stop().await
}
