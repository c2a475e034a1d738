//! Five SIPp callers at once, two registered agents: the record agrees with a
//! packet capture.

use crate::sipp::{sipp, succeeds};
use anyhow::{Context as _, ensure};
use phone::{AgentScript, Phone, PhoneOptions, Talk};
use ringledger_tests::{
    capture::{Capture, Packet},
    server::{Server, Setup},
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::watch;

const QUEUE: &str =
    "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\nwrap_up_ms = 1000\n";
const SCENARIO: &str = include_str!("five_callers.xml");
const TALK_MS: &str = "1500";
/// The record and the capture may differ by this.
const TOLERANCE_MS: f64 = 250.0;
const SIPP_TIME: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_sipp_callers_share_two_agents_three_to_two_and_the_record_agrees_with_the_wire()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), &Setup::provisioning(QUEUE, &["anna", "ben"]));
    let server = Server::start(&setup).await?;
    let capture = Capture::start(folder.path(), server.sip.port()).await?;
    let (stop, stopped) = watch::channel(false);
    let mut agents = vec![];
    for name in ["anna", "ben"] {
        let options = PhoneOptions::new(server.sip, name).with_password(format!("{name}-secret"));
        let phone = Phone::bind(options).await?;
        phone.register(3_600).await?;
        let script = AgentScript {
            ring_ms: 300,
            talk: Talk::UntilRemoteHangup,
            ..AgentScript::default()
        };
        let mut stopped = stopped.clone();
        agents.push(tokio::spawn(async move {
            let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
            let stats = phone.run_agent(script, until).await;
            (stats, phone.complaints())
        }));
    }
    all_agents(&server, "READY").await?;
    call_with_sipp(folder.path(), &server).await?;
    all_agents(&server, "READY").await?;
    let packets = capture.finish().await?;
    stop.send_replace(true);
    let mut shares = vec![];
    for agent in agents {
        let (stats, complaints) = agent.await?;
        ensure!(stats.overlaps() == 0, "an agent had two calls at once");
        ensure!(complaints.is_empty(), "{complaints:?}");
        shares.push(stats.answered);
    }
    shares.sort_unstable();
    ensure!(shares == [2, 3], "the split is {shares:?}");
    let cdrs = server
        .graphql(
            "{ cdrs(first: 10) { edges { node { from { user } disposition waitMs ringMs talkMs \
             wrapUpMs } } } }",
            json!({}),
        )
        .await?;
    let cdrs = cdrs["cdrs"]["edges"].as_array().context("a list")?;
    ensure!(cdrs.len() == 5, "{} records", cdrs.len());
    for cdr in cdrs {
        agrees(&cdr["node"], &packets, server.sip.port())?;
    }
    let (_, metrics) = server.get("/metrics").await?;
    ensure!(
        gauge(&metrics, "ringledger_media_ports_open_count") == Some(0.0),
        "{metrics}"
    );
    the_matcher_is_watched(&metrics)?;
    server.stop().await
}

/// How long routing takes to decide, what it asked for, and who waits.
fn the_matcher_is_watched(metrics: &str) -> anyhow::Result<()> {
    let routing = "process=\"routing\"";
    let decided = format!("ringledger_process_step_seconds_count{{{routing}}}");
    let asked = format!("ringledger_process_commands_total{{{routing},command=\"reserve\"}}");
    for name in [decided.as_str(), asked.as_str()] {
        let count = gauge(metrics, name);
        ensure!(count >= Some(5.0), "{name} is {count:?}: {metrics}");
    }
    for name in ["visits", "waiting", "asked"] {
        let name = format!("ringledger_routing_{name}_count");
        ensure!(gauge(metrics, &name) == Some(0.0), "{name}: {metrics}");
    }
    Ok(())
}

async fn all_agents(server: &Server, state: &str) -> anyhow::Result<Value> {
    server
        .until(
            "{ agents(first: 10) { edges { node { state } } } }",
            |answer| {
                answer["agents"]["edges"].as_array().is_some_and(|agents| {
                    agents.len() == 2 && agents.iter().all(|agent| agent["node"]["state"] == state)
                })
            },
        )
        .await
}

async fn call_with_sipp(folder: &std::path::Path, server: &Server) -> anyhow::Result<()> {
    let mut callers = sipp(folder, "callers", SCENARIO, 5, SIPP_TIME)?;
    callers
        .arg(server.sip.to_string())
        .args(["-s", "support", "-l", "5", "-r", "1000", "-d", TALK_MS]);
    succeeds("callers", callers, SIPP_TIME).await
}

/// Wait, ring and talk of a record against the packets of its two dialogs.
fn agrees(cdr: &Value, packets: &[Packet], port: u16) -> anyhow::Result<()> {
    let user = cdr["from"]["user"].as_str().context("a caller")?;
    ensure!(cdr["disposition"] == "ANSWERED", "{cdr}");
    let of_user: Vec<&Packet> = packets
        .iter()
        .filter(|packet| packet.from_user() == Some(user))
        .collect();
    let find = |what: &str, wanted: &dyn Fn(&Packet) -> bool| {
        of_user
            .iter()
            .find(|packet| wanted(packet))
            .map(|packet| packet.at)
            .with_context(|| format!("no {what} of {user} on the wire"))
    };
    let invite = |packet: &Packet| {
        packet
            .header("CSeq")
            .is_some_and(|cseq| cseq.ends_with("INVITE"))
    };
    let received = find("INVITE", &|packet| {
        packet.to_port == port && packet.start().starts_with("INVITE")
    })?;
    let from_agent = |packet: &Packet, status: &str| {
        packet.to_port == port && packet.start().contains(status) && invite(packet)
    };
    let alerting = find("180 of the agent", &|packet| from_agent(packet, " 180 "))?;
    let connected = find("200 of the agent", &|packet| from_agent(packet, " 200 "))?;
    let bye = find("BYE", &|packet| {
        packet.to_port == port && packet.start().starts_with("BYE")
    })?;
    for (field, seen) in [
        ("waitMs", connected - received),
        ("ringMs", connected - alerting),
        ("talkMs", bye - connected),
    ] {
        let recorded = number(&cdr[field]).with_context(|| format!("{field} in {cdr}"))?;
        let seen = seen * 1_000.0;
        ensure!(
            (recorded - seen).abs() <= TOLERANCE_MS,
            "{field} of {user}: {recorded} on the record, {seen} on the wire"
        );
    }
    Ok(())
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn gauge(metrics: &str, name: &str) -> Option<f64> {
    let line = metrics.lines().find(|line| line.starts_with(name))?;
    line.rsplit(' ').next()?.parse().ok()
}
