//! Two hundred SIPp callers, and ten agents whose phones all ring: each call has
//! one agent, the others are told that it was answered elsewhere, and every
//! decision can be explained.

use crate::{
    sipp::{sipp, succeeds},
    support::agent_is,
};
use anyhow::{Context as _, ensure};
use phone::{AgentScript, AgentStats, Phone, PhoneOptions, Talk};
use ringledger_tests::{
    capture::{Capture, Packet},
    server::{Server, Setup},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, path::Path, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

const QUEUE: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
                     strategy = \"ring_all\"\n";
const SCENARIO: &str = include_str!("five_callers.xml");
const AGENTS: usize = 10;
const CALLS: usize = 200;
/// Callers at once: for most of them several phones ring.
const AT_ONCE: &str = "3";
const SIPP_TIME: Duration = Duration::from_secs(120);
const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

type Shift = JoinHandle<(AgentStats, usize)>;

/// An agent who answers after a while, and stays until the caller hangs up.
async fn shift(
    server: &Server,
    number: usize,
    mut stopped: watch::Receiver<bool>,
) -> anyhow::Result<Shift> {
    let name = format!("agent{number}");
    let options = PhoneOptions::new(server.sip, &name).with_password(format!("{name}-secret"));
    let phone = Phone::bind(options).await?;
    phone.register(3_600).await?;
    let script = AgentScript {
        // Long enough that others ring beside; two answer in the same moment.
        ring_ms: 60 + (number as u64 / 2) * 10,
        talk: Talk::UntilRemoteHangup,
        ..AgentScript::default()
    };
    Ok(tokio::spawn(async move {
        let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
        let stats = phone.run_agent(script, until).await;
        (stats, phone.complaints().len())
    }))
}

async fn call_with_sipp(folder: &Path, server: &Server) -> anyhow::Result<()> {
    let mut callers = sipp(folder, "callers", SCENARIO, CALLS, SIPP_TIME)?;
    callers
        .arg(server.sip.to_string())
        .args(["-s", "support", "-d", "20", "-r", "100", "-l", AT_ONCE]);
    succeeds("callers", callers, SIPP_TIME).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_sipp_calls_ring_at_ten_agents_and_each_has_one_who_can_be_explained()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let names: Vec<_> = (0..AGENTS).map(|number| format!("agent{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let setup = Setup::new(folder.path(), &Setup::provisioning(QUEUE, &names));
    let server = Server::start(&setup).await?;
    let capture = Capture::start(folder.path(), server.sip.port()).await?;
    let (stop, stopped) = watch::channel(false);
    let mut shifts = vec![];
    for number in 0..AGENTS {
        shifts.push(shift(&server, number, stopped.clone()).await?);
    }
    for name in &names {
        agent_is(&server, name, "READY").await?;
    }
    call_with_sipp(folder.path(), &server).await?;
    let packets = capture.finish().await?;
    let statistics = "{ queues(first: 1) { nodes { statistics { total { offeredCount \
                      answeredCount abandonedCount } } } } }";
    let total = json!({ "offeredCount": CALLS, "answeredCount": CALLS, "abandonedCount": 0 });
    server
        .until(statistics, |answer| {
            answer["queues"]["nodes"][0]["statistics"]["total"] == total
        })
        .await?;
    for name in &names {
        let agent = agent_is(&server, name, "READY").await?;
        ensure!(agent["reason"].is_null(), "{agent}");
    }
    stop.send_replace(true);
    let (mut answered, mut cancelled) = (0, 0);
    for shift in shifts {
        let (stats, complaints) = shift.await?;
        ensure!(stats.overlaps() == 0, "an agent had two calls at once");
        ensure!((stats.failed, complaints) == (0, 0), "{stats:?}");
        answered += stats.answered;
        cancelled += stats.cancelled;
    }
    ensure!(answered >= CALLS as u64, "{answered} answers");
    ensure!(cancelled > 20, "several phones rang: {cancelled}");
    told_why(&packets, server.sip.port())?;
    every_decision_is_explained(&server).await?;
    server.stop().await
}

/// Each CANCEL to an agent says why.
fn told_why(packets: &[Packet], port: u16) -> anyhow::Result<()> {
    let cancels = packets
        .iter()
        .filter(|packet| packet.from_port == port && packet.start().starts_with("CANCEL"));
    let mut count = 0;
    for cancel in cancels {
        ensure!(
            cancel.header("Reason") == Some(ELSEWHERE),
            "{}",
            cancel.text
        );
        count += 1;
    }
    ensure!(count > 20, "{count} CANCELs");
    Ok(())
}

/// A hundred calls: one offer of each was accepted, the others were answered
/// elsewhere; each decision accounts for all agents, and nobody missed a call.
async fn every_decision_is_explained(server: &Server) -> anyhow::Result<()> {
    let query = "{ cdrs(first: 100) { nodes { callId agentId } } \
                 agents(first: 50) { nodes { name missedCount } } }";
    let answer = server.graphql(query, json!({})).await?;
    let agents = answer["agents"]["nodes"].as_array().context("agents")?;
    ensure!(agents.len() == AGENTS);
    ensure!(
        agents.iter().all(|agent| agent["missedCount"] == 0),
        "{agents:?}"
    );
    let cdrs = answer["cdrs"]["nodes"].as_array().context("records")?;
    let mut reasons = BTreeSet::new();
    for cdr in cdrs {
        let query = "query Q($id: ID!) { callExplanation(callId: $id) { agentId strategy \
                     decidedBy freeCount waitingCount place attempts outcome accepted \
                     leftOut { reason count agentIds } } }";
        let answer = server
            .graphql(query, json!({ "id": cdr["callId"] }))
            .await?;
        let decisions = answer["callExplanation"].as_array().context("decisions")?;
        let accepted: Vec<&Value> = decisions.iter().filter(|d| d["accepted"] == true).collect();
        ensure!(accepted.len() == 1, "{decisions:#?}");
        ensure!(accepted[0]["agentId"] == cdr["agentId"], "{cdr}");
        for decision in decisions {
            ensure!(decision["strategy"] == "RING_ALL", "{decision}");
            // Or the call was answered before that phone could ring.
            let is_over =
                decision["outcome"].is_null() || decision["outcome"] == "ANSWERED_ELSEWHERE";
            ensure!(is_over, "{decision}");
            let left_out = decision["leftOut"].as_array().context("left out")?;
            let count = left_out.iter().filter_map(|row| row["count"].as_u64());
            ensure!(count.sum::<u64>() + 1 == AGENTS as u64, "{decision:#}");
            reasons.extend(left_out.iter().map(|row| row["reason"].to_string()));
        }
    }
    ensure!(reasons.contains("\"ENGAGED\""), "{reasons:?}");
    Ok(())
}
