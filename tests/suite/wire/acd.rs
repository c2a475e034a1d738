//! What the matcher promises, with SIPp as the callers: overflow by room and by
//! time, skills that are asked for less with time, agents who let it ring, whoever
//! served the caller last, and one wrap-up for two queues.

use crate::{
    sipp::{sipp, succeeds},
    support::{PATIENCE, agent, agent_is, agent_with, command_id, incoming, mutate},
};
use anyhow::{Context as _, ensure};
use domain::cause::OfferOutcome;
use phone::{AgentScript, AgentStats, Complaint, IncomingCall, Phone};
use ringledger_tests::{
    capture::{Capture, Packet},
    server::{Server, Setup},
};
use serde_json::{Value, json};
use std::{path::Path, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

const SCENARIO: &str = include_str!("five_callers.xml");
const SIPP_TIME: Duration = Duration::from_secs(45);

/// An agent of these queues, and whatever else is said of it.
fn agent_of(name: &str, queues: &str, more: &str) -> String {
    format!(
        "[[agent]]\nname = \"{name}\"\npassword = \"{name}-secret\"\nqueues = [{queues}]\n\
         ready_on_register = true\n{more}\n"
    )
}

/// Phones at work until they are told to stop.
struct Shift {
    stop: watch::Sender<bool>,
    works: Vec<JoinHandle<(AgentStats, Vec<Complaint>)>>,
}

impl Shift {
    fn new() -> Self {
        let (stop, _) = watch::channel(false);
        let works = vec![];
        Self { stop, works }
    }

    /// The agent's phone registers, rings so long, and answers: ready before anybody calls.
    async fn begins(&mut self, server: &Server, name: &str, ring_ms: u64) -> anyhow::Result<()> {
        self.comes(server, name, ring_ms).await?;
        agent_is(server, name, "READY").await.map(drop)
    }

    /// The same while callers wait, who are offered at once.
    async fn comes(&mut self, server: &Server, name: &str, ring_ms: u64) -> anyhow::Result<()> {
        let phone: Phone = agent_with(server, name, &format!("{name}-secret")).await?;
        let script = AgentScript {
            ring_ms,
            ..AgentScript::default()
        };
        let mut stopped = self.stop.subscribe();
        self.works.push(tokio::spawn(async move {
            let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
            let stats = phone.run_agent(script, until).await;
            (stats, phone.complaints())
        }));
        Ok(())
    }

    /// How many calls each has answered, in the order in which they began.
    async fn ends(self) -> anyhow::Result<Vec<u64>> {
        self.stop.send_replace(true);
        let mut answered = vec![];
        for work in self.works {
            let (stats, complaints) = work.await?;
            ensure!(stats.overlaps() == 0, "an agent had two calls at once");
            ensure!(complaints.is_empty(), "{complaints:?}");
            answered.push(stats.answered);
        }
        Ok(answered)
    }
}

/// So many SIPp callers (`caller1`, `caller2`, ...), so many of them at once, who
/// talk so long.
async fn ring_in(
    server: &Server,
    folder: &Path,
    queue: &str,
    (calls, at_once): (usize, usize),
    talk_ms: u64,
) -> anyhow::Result<()> {
    let mut callers = sipp(folder, "callers", SCENARIO, calls, SIPP_TIME)?;
    callers
        .arg(server.sip.to_string())
        .args(["-s", queue, "-r", "100", "-l", &at_once.to_string()])
        .args(["-d", &talk_ms.to_string()]);
    succeeds("callers", callers, SIPP_TIME).await
}

/// The events of these types, in order.
async fn told(server: &Server, types: &[&str]) -> anyhow::Result<Vec<Value>> {
    let query = "query Q($types: [String!]) { events(filter: { types: $types }, first: 50) \
                 { nodes { type payload } } }";
    let answer = server.graphql(query, json!({ "types": types })).await?;
    answer["events"]["nodes"]
        .as_array()
        .cloned()
        .context("events")
}

/// What was decided for each record, the oldest first: once there are so many.
async fn decisions(server: &Server, count: usize) -> anyhow::Result<Vec<(Value, Vec<Value>)>> {
    let query = "{ cdrs(first: 20) { nodes { callId from { user } disposition } } }";
    let all = |answer: &Value| {
        let cdrs = answer["cdrs"]["nodes"].as_array();
        cdrs.cloned().unwrap_or_default()
    };
    let answer = server
        .until(query, |answer| all(answer).len() >= count)
        .await?;
    let cdrs = all(&answer);
    ensure!(cdrs.len() == count, "{cdrs:#?}");
    let mut found = vec![];
    for cdr in cdrs.into_iter().rev() {
        ensure!(cdr["disposition"] == "ANSWERED", "{cdr}");
        let query = "query Q($id: ID!) { callExplanation(callId: $id) { agentId decidedBy \
                     waitedMs accepted outcome leftOut { reason count agentIds } } }";
        let id = json!({ "id": cdr["callId"] });
        let answer = server.graphql(query, id).await?;
        let made = answer["callExplanation"].as_array().cloned();
        found.push((cdr, made.context("decisions")?));
    }
    Ok(found)
}

/// The metrics say that one caller waits for that reason, and nobody for another.
async fn is_told(server: &Server, reason: &str) -> anyhow::Result<()> {
    let name = "ringledger_routing_unserved_count{reason=\"";
    let is_told = |metrics: &str| {
        let told = metrics.lines().filter_map(|line| {
            let (reason, count) = line.strip_prefix(name)?.split_once("\"} ")?;
            (count != "0").then_some((reason, count))
        });
        told.eq([(reason, "1")])
    };
    server.until_metrics(is_told).await.map(drop)
}

fn waited(decision: &Value) -> Option<u64> {
    decision["waitedMs"].as_str()?.parse().ok()
}

/// Whether so many agents were left out for that reason, this one among them.
fn left_out(decision: &Value, reason: &str, agent: &Value) -> bool {
    let rows = decision["leftOut"].as_array();
    rows.into_iter().flatten().any(|row| {
        let names = row["agentIds"].as_array();
        row["reason"] == reason && names.is_some_and(|names| names.contains(agent))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sipp_callers_without_room_or_patience_are_served_by_the_next_queue() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let queues = "[[queue]]\nname = \"first\"\nanswer_mode = \"on_agent\"\ncapacity = 1\n\
                  max_wait_ms = 1000\noverflow = [{ when = \"full\", queue = \"second\" }, \
                  { when = \"max_wait\", queue = \"second\" }]\n\
                  [[queue]]\nname = \"second\"\nanswer_mode = \"on_agent\"\n";
    let agents = ["anna", "ben"].map(|name| agent_of(name, "\"second\"", ""));
    let text = format!("{queues}{}", agents.concat());
    let server = Server::start(&Setup::new(folder.path(), &text)).await?;
    let mut shift = Shift::new();
    for name in ["anna", "ben"] {
        shift.begins(&server, name, 50).await?;
    }
    ring_in(&server, folder.path(), "first", (2, 2), 200).await?;

    let sent_on = told(&server, &["call_overflowed"]).await?;
    let causes = sent_on.iter().map(|event| &event["payload"]["cause"]);
    let causes: Vec<&Value> = causes.collect();
    ensure!(causes == ["full", "max_wait"], "{sent_on:#?}");
    let query = "{ cdrs(first: 5) { nodes { waitMs disposition } } queues(first: 5) { nodes { name \
                 statistics { total { offeredCount answeredCount abandonedCount flowOutCount } } } } }";
    let of = |answer: &Value, name: &str| {
        let queues = answer["queues"]["nodes"].as_array();
        let mut queues = queues.into_iter().flatten();
        let queue = queues.find(|queue| queue["name"] == name);
        queue.map(|queue| queue["statistics"]["total"].clone())
    };
    let total = |offered, answered, flow_out| {
        Some(
            json!({ "offeredCount": offered, "answeredCount": answered, "abandonedCount": 0,
                "flowOutCount": flow_out }),
        )
    };
    let are_over = |answer: &Value| {
        let cdrs = answer["cdrs"]["nodes"].as_array();
        cdrs.is_some_and(|cdrs| cdrs.len() == 2)
            && of(answer, "first") == total(1, 0, 1)
            && of(answer, "second") == total(2, 2, 0)
    };
    let answer = server.until(query, are_over).await?;
    let waits = answer["cdrs"]["nodes"].as_array().into_iter().flatten();
    let waits = waits.filter_map(|cdr| cdr["waitMs"].as_str()?.parse::<u64>().ok());
    let mut waits: Vec<u64> = waits.collect();
    waits.sort_unstable();
    ensure!(
        matches!(waits[..], [short, long] if short < 1_000 && (1_000..3_000).contains(&long)),
        "{answer:#}"
    );
    shift.ends().await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sipp_caller_is_asked_less_of_after_waiting_and_keeps_the_place() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let queue = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\nmatching = { skills = \
                 [{ skill = \"german\", level = 4, relax = [{ after_ms = 1000, level = 2 }] }] }\n";
    let german = "skills = [{ skill = \"german\", level = 2 }]";
    let agents = [("anna", ""), ("ben", german)];
    let agents = agents.map(|(name, more)| agent_of(name, "\"support\"", more));
    let text = format!("{queue}{}", agents.concat());
    let mut setup = Setup::new(folder.path(), &text);
    setup.head = "skills = [\"german\"]\n".into();
    let server = Server::start(&setup).await?;
    let mut shift = Shift::new();
    // Anna has been free for longer, and knows no German at all.
    shift.begins(&server, "anna", 50).await?;
    shift.begins(&server, "ben", 50).await?;
    let anna = agent_is(&server, "anna", "READY").await?["id"].clone();
    let ben = agent_is(&server, "ben", "READY").await?["id"].clone();
    ring_in(&server, folder.path(), "support", (2, 2), 100).await?;
    for (call, made) in decisions(&server, 2).await? {
        ensure!(made.len() == 1, "{call}: {made:#?}");
        ensure!(made[0]["agentId"] == ben, "{call}: {made:#?}");
        let waited = waited(&made[0]).context("waitedMs")?;
        ensure!((1_000..10_000).contains(&waited), "{call}: {made:#?}");
        ensure!(left_out(&made[0], "SKILL", &anna), "{call}: {made:#?}");
    }
    // Who came first was served first, though nobody was good enough at first.
    let all = decisions(&server, 2).await?;
    let by_wait: Vec<_> = all
        .iter()
        .filter_map(|(_, made)| waited(&made[0]))
        .collect();
    ensure!(by_wait[0] < by_wait[1], "{all:#?}");
    ensure!(shift.ends().await? == [0, 2], "ben alone is good enough");
    server.stop().await
}

/// An offer comes to nothing in that way.
async fn in_vain(call: &IncomingCall, status: Option<u16>) -> anyhow::Result<()> {
    match status {
        Some(status) => call.reject(status).await?,
        None => {
            call.ring().await?;
            call.wait_ended(PATIENCE).await?;
        }
    }
    Ok(())
}

/// Offers to Anna end with that status of her phone, or none, until she is taken out for
/// that reason; the caller is Ben's then. `outcome` is what the offers are recorded as.
async fn is_taken_out(
    status: Option<u16>,
    outcome: OfferOutcome,
    reason: &str,
) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let cause = serde_json::to_value(outcome)?;
    let cause = cause.as_str().context("a word")?;
    let queue = format!(
        "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\nring_timeout_ms = 1000\n\
         terms = {{ {cause} = {{ delay_ms = 0, in_a_row_max = 2 }} }}\n"
    );
    let agents = ["anna", "ben"].map(|name| agent_of(name, "\"support\"", ""));
    let text = format!("{queue}{}", agents.concat());
    let server = Server::start(&Setup::new(folder.path(), &text)).await?;
    let mut shift = Shift::new();
    let phone = agent(&server, "anna").await?;
    let anna = agent_is(&server, "anna", "READY").await?["id"].clone();
    let rings = ring_in(&server, folder.path(), "support", (1, 1), 100);
    let next = async {
        for _ in 0..2 {
            in_vain(&incoming(&phone).await?, status).await?;
        }
        let out = agent_is(&server, "anna", "NOT_READY").await?;
        ensure!(out["reason"] == reason, "{out}");
        is_told(&server, "nobody_ready").await?;
        shift.comes(&server, "ben", 50).await
    };
    let (rings, next) = tokio::join!(rings, next);
    next?;
    rings?;
    ensure!(phone.complaints().is_empty(), "{:?}", phone.complaints());
    let all = decisions(&server, 1).await?;
    let (_, made) = all.first().context("a record")?;
    let outcomes: Vec<&Value> = made.iter().map(|made| &made["outcome"]).collect();
    let (twice, last) = (json!(cause.to_uppercase()), Value::Null);
    ensure!(outcomes == [&twice, &twice, &last], "{made:#?}");
    ensure!(made[2]["accepted"] == true, "{made:#?}");
    ensure!(left_out(&made[2], "NOT_READY", &anna), "{made:#?}");
    let released = told(&server, &["reservation_released"]).await?;
    let why = released.iter().map(|event| &event["payload"]["reason"]);
    let why: Vec<&Value> = why.collect();
    ensure!(why == [cause, cause], "{released:#?}");
    ensure!(shift.ends().await? == [1], "ben answered");
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_who_lets_sipp_ring_twice_is_taken_out_and_the_next_has_the_caller()
-> anyhow::Result<()> {
    is_taken_out(None, OfferOutcome::NoAnswer, "RONA").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_who_declines_twice_is_taken_out_and_the_next_has_the_caller() -> anyhow::Result<()>
{
    is_taken_out(Some(603), OfferOutcome::Rejected, "REJECTED").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_who_is_busy_twice_is_taken_out_and_the_next_has_the_caller() -> anyhow::Result<()>
{
    is_taken_out(Some(486), OfferOutcome::Busy, "BUSY").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_who_can_not_be_reached_twice_is_taken_out_and_the_next_has_the_caller()
-> anyhow::Result<()> {
    is_taken_out(Some(503), OfferOutcome::Unreachable, "UNREACHABLE").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sipp_caller_is_kept_for_the_last_agent_for_a_while_and_no_longer() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let queue = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
                 matching = { last_agent_ms = 1500 }\n";
    let agents = ["anna", "ben"].map(|name| agent_of(name, "\"support\"", ""));
    let text = format!("{queue}{}", agents.concat());
    let server = Server::start(&Setup::new(folder.path(), &text)).await?;
    let mut shift = Shift::new();
    shift.begins(&server, "anna", 20).await?;
    let anna = agent_is(&server, "anna", "READY").await?["id"].clone();
    // Both callers know anna, as nobody else is there.
    ring_in(&server, folder.path(), "support", (2, 1), 50).await?;
    shift.begins(&server, "ben", 20).await?;
    let ben = agent_is(&server, "ben", "READY").await?["id"].clone();
    // The first has her at once, though the other has waited for longer by then;
    // the second waits for her, and has the other when that time is over.
    agent_is(&server, "anna", "READY").await?;
    ring_in(&server, folder.path(), "support", (2, 2), 3_500).await?;
    let logs_out = json!({ "commandId": command_id(1), "agentId": anna });
    mutate(&server, "agentLogOut", "agent { id }", logs_out).await?;
    // She is not there: the step is skipped at once.
    ring_in(&server, folder.path(), "support", (1, 1), 50).await?;

    let all = decisions(&server, 5).await?;
    for (call, made) in &all {
        ensure!(made.len() == 1, "{call}: {made:#?}");
    }
    let of = |number: usize| (&all[number].0["from"]["user"], &all[number].1[0]);
    let (first, kept) = of(2);
    ensure!(first == "caller1" && kept["agentId"] == anna, "{kept:#}");
    ensure!(kept["decidedBy"] == "LAST_AGENT", "{kept:#}");
    ensure!(left_out(kept, "NOT_LAST_AGENT", &ben), "{kept:#}");
    ensure!(waited(kept) < Some(1_500), "{kept:#}");
    let (second, later) = of(3);
    ensure!(second == "caller2" && later["agentId"] == ben, "{later:#}");
    ensure!(later["decidedBy"] == "ALONE", "{later:#}");
    ensure!(left_out(later, "ENGAGED", &anna), "{later:#}");
    let waits = waited(later).context("waitedMs")?;
    ensure!((1_500..3_400).contains(&waits), "{later:#}");
    let (third, at_once) = of(4);
    ensure!(
        third == "caller1" && at_once["agentId"] == ben,
        "{at_once:#}"
    );
    ensure!(left_out(at_once, "LOGGED_OUT", &anna), "{at_once:#}");
    ensure!(waited(at_once) < Some(1_500), "{at_once:#}");
    ensure!(shift.ends().await? == [3, 2], "who served whom");
    server.stop().await
}

/// How long a wrap-up of the queue `support` is.
const WRAP_UP_MS: u64 = 1_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrap_up_of_one_queue_keeps_sipp_callers_of_the_other_waiting() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let queues = format!(
        "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\nwrap_up_ms = {WRAP_UP_MS}\n\
         [[queue]]\nname = \"sales\"\nanswer_mode = \"on_agent\"\n"
    );
    let text = format!("{queues}{}", agent_of("anna", "\"support\", \"sales\"", ""));
    let server = Server::start(&Setup::new(folder.path(), &text)).await?;
    let capture = Capture::start(folder.path(), server.sip.port()).await?;
    let mut shift = Shift::new();
    shift.begins(&server, "anna", 20).await?;
    ring_in(&server, folder.path(), "support", (1, 1), 100).await?;
    ring_in(&server, folder.path(), "sales", (1, 1), 100).await?;
    let agent = agent_is(&server, "anna", "READY").await?;
    ensure!(agent["reason"].is_null(), "{agent}");
    let packets = capture.finish().await?;
    let types = ["wrap_up_started", "wrap_up_ended", "agent_reserved"];
    let order = told(&server, &types).await?;
    let order: Vec<&Value> = order.iter().map(|event| &event["type"]).collect();
    let [reserved, began, ended] = [types[2], types[0], types[1]];
    ensure!(order == [reserved, began, ended, reserved], "{order:?}");
    the_phone_was_left_alone(&packets, server.sip.port())?;
    ensure!(shift.ends().await? == [2], "she answered both");
    server.stop().await
}

/// On the wire: from the end of the first call to the second INVITE at the agent's
/// phone.
fn the_phone_was_left_alone(packets: &[Packet], port: u16) -> anyhow::Result<()> {
    let to_us = |packet: &&Packet| packet.to_port == port;
    let bye = packets.iter().filter(to_us);
    let mut bye = bye.filter(|packet| packet.start().starts_with("BYE"));
    let over = bye.next().context("a BYE")?.at;
    let from_us = packets.iter().filter(|packet| packet.from_port == port);
    let mut invites = from_us.filter(|packet| packet.start().starts_with("INVITE"));
    let rung = invites.find(|invite| invite.at > over);
    let alone = (rung.context("a second INVITE")?.at - over) * 1_000.0;
    ensure!(
        alone >= f64::from(u32::try_from(WRAP_UP_MS)?) - 20.0,
        "the phone rang {alone} ms after the call"
    );
    Ok(())
}
