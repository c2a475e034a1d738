//! A supervisor takes a call over at the real binary: by the API, with phones, on the record;
//! with a phone at another node, and over a node that is lost.

use crate::{
    nodes::Nodes,
    supervised::{
        AGENT_HZ, CALLER_HZ, NUMBER, SUPERVISORS, agent_id, answers, hears, is_started_in, kinds,
        provisioning, record, refused, supervise, supervision_is, supervisor, supervisors_leg,
        three,
    },
    support::{PATIENCE, SUPPORT, agent, agent_is, call_is, caller, command_id, mutate, talk},
};
use anyhow::{Context as _, ensure};
use phone::{EndedBy, Phone, PhoneOptions, Transport};
use ringledger_tests::server::{Server, Setup};
use serde_json::json;

#[tokio::test]
async fn a_supervisor_takes_a_call_and_the_agent_goes_to_work_after_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let text = provisioning(&["anna"]);
    let wraps_up = SUPPORT.replace("wrap_up_ms = 0", "wrap_up_ms = 60000");
    let text = text.replace(SUPPORT, &wraps_up);
    let server = Server::start(&Setup::new(folder.path(), &text)).await?;
    let anna = agent(&server, "anna").await?;
    let sam = supervisor(&server, "sam").await?;
    let who = agent_id(&server, "sam").await?;
    let (other, hers) = (
        agent_id(&server, "tom").await?,
        agent_id(&server, "anna").await?,
    );
    let phone = caller(&server, NUMBER).await?;
    let (out, call) = talk(&phone, &anna).await?;
    out.media().play_tone(CALLER_HZ, 0.2);
    call.media().play_tone(AGENT_HZ, 0.2);
    let id = call_is(&server, NUMBER, "CONNECTED").await?["id"].clone();
    supervise(&server, 1, (&id, &who), "TAKEOVER").await?;
    supervision_is(&server, |it| it["mode"] == "TAKEOVER").await?;
    hears(out.media(), three(false, true, false)).await?;
    let taking = answers(&sam).await?;
    let ended = call.wait_ended(PATIENCE).await?;
    ensure!(ended.ended_by == Some(EndedBy::Remote), "{ended:?}");
    hears(out.media(), three(false, false, true)).await?;
    hears(taking.media(), three(true, false, false)).await?;
    agent_is(&server, "anna", "WRAP_UP").await?;
    let live = supervision_is(&server, is_started_in("TAKEOVER")).await?;
    let timeline = live["timeline"]["nodes"].as_array().context("events")?;
    let taken = timeline
        .iter()
        .find(|item| item["type"] == "call_taken_over");
    let taken = taken.context("call_taken_over")?;
    ensure!(taken["agentId"] == hers, "{taken}");
    // It is not given back, and nobody hears it besides.
    let input = json!({
        "commandId": command_id(2), "callId": id, "mode": "LISTEN", "agentId": other,
    });
    let error = ("call.taken_over", "callId");
    refused(&server, "superviseCall", input, error).await?;
    let stop = json!({"commandId": command_id(3), "callId": id});
    refused(&server, "stopSupervising", stop, error).await?;
    // The work after the call is over before the call is.
    let input = json!({"commandId": command_id(4), "agentId": hers});
    mutate(&server, "completeWrapUp", "agent { id }", input).await?;
    agent_is(&server, "anna", "READY").await?;
    ensure!(taking.hang_up().await? == 200, "BYE is refused");
    out.wait_ended(PATIENCE).await?;
    let record = record(&server, true).await?;
    ensure!(
        record["disposition"] == "ANSWERED"
            && record["endReason"] == "HANGUP"
            && record["hangupBy"] == "SUPERVISOR",
        "{record}"
    );
    ensure!(record["agentId"] == hers, "{record}");
    let leg = supervisors_leg(&record)?;
    ensure!(
        leg["supervisionEnd"] == "TAKEN_OVER" && leg["agentId"] == who,
        "{leg}"
    );
    ensure!(kinds(&leg) == ["TAKEOVER"], "{leg}");
    ensure!(leg["endedAt"] == record["endedAt"], "{record}");
    let agents = kinds(&record["legs"][1]);
    ensure!(agents == ["ALERT", "TALK", "WRAP_UP"], "{record}");
    server
        .until_metrics(|text| {
            text.contains("ringledger_supervisions_total{reason=\"taken_over\"} 1")
        })
        .await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_at_another_node_takes_a_call_and_a_lost_node_ends_it() -> anyhow::Result<()> {
    let mut nodes = Nodes::new(&["anna"]).await.and(SUPERVISORS);
    let a = nodes.start("a").await?;
    let b = nodes.start("b").await?;
    let anna = agent(&a, "anna").await?;
    // Its connection ends there: it is reached through that node alone.
    let mut options = PhoneOptions::new(b.sip, "sam").with_password("sam-secret");
    options.transport = Transport::Tcp;
    let sam = Phone::bind(options).await?;
    sam.register(3_600).await?;
    a.until("{ nodes { name } }", |answer| {
        answer["nodes"]
            .as_array()
            .is_some_and(|nodes| nodes.len() == 2)
    })
    .await?;
    let who = agent_id(&b, "sam").await?;
    let phone = caller(&a, NUMBER).await?;
    let (out, call) = talk(&phone, &anna).await?;
    out.media().play_tone(CALLER_HZ, 0.2);
    call.media().play_tone(AGENT_HZ, 0.2);
    let id = call_is(&b, NUMBER, "CONNECTED").await?["id"].clone();
    supervise(&b, 1, (&id, &who), "TAKEOVER").await?;
    let taking = answers(&sam).await?;
    call.wait_ended(PATIENCE).await?;
    hears(out.media(), three(false, false, true)).await?;
    hears(taking.media(), three(true, false, false)).await?;
    for node in [&a, &b] {
        supervision_is(node, is_started_in("TAKEOVER")).await?;
        agent_is(node, "anna", "READY").await?;
    }
    a.kill().await?;
    for one in [&*out, &*taking] {
        one.vanish().await?;
    }
    let record = record(&b, false).await?;
    ensure!(
        record["endReason"] == "NODE_LOST" && record["disposition"] == "ANSWERED",
        "{record}"
    );
    let leg = supervisors_leg(&record)?;
    ensure!(leg["supervisionEnd"] == "TAKEN_OVER", "{leg}");
    ensure!(leg["endedAt"] == record["endedAt"], "{record}");
    b.stop().await
}
