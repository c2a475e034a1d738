//! Somebody supervises a call at the real binary: by the API, with phones, on the record;
//! over a kill -9, and with a phone at another node.

use crate::nodes::Nodes;
use crate::support::{
    PATIENCE, SUPPORT, agent, agent_with, call_is, caller, command_id, dial, incoming, mutate, talk,
};
use anyhow::{Context as _, ensure};
use phone::{IncomingCall, Media, Phone, PhoneOptions, Transport, tone};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

pub(crate) const CALLER_HZ: f64 = 440.0;
pub(crate) const AGENT_HZ: f64 = 700.0;
const SUPERVISOR_HZ: f64 = 1_300.0;
/// Samples that are looked at together: 200 ms.
const PIECE: usize = 1_600;
pub(crate) const NUMBER: &str = "4930601";
const SUPERVISION: &str = "supervision { mode requestedAt startedAt supervisor { name } } timeline(first: 100) { \
     nodes { type agentId payload } }";

/// Two who supervise, and take no calls.
pub(crate) const SUPERVISORS: &str = "\n[[agent]]\nname = \"sam\"\npassword = \"sam-secret\"\n\
                           queues = []\nready_on_register = false\n\
                           [[agent]]\nname = \"tom\"\npassword = \"tom-secret\"\n\
                           queues = []\nready_on_register = false\n";

pub(crate) fn provisioning(agents: &[&str]) -> String {
    Setup::provisioning(SUPPORT, agents) + SUPERVISORS
}

pub(crate) async fn agent_id(server: &Server, name: &str) -> anyhow::Result<Value> {
    let query = "{ agents(first: 50) { nodes { id name } } }";
    let answer = server.graphql(query, json!({})).await?;
    let agents = answer["agents"]["nodes"].as_array().context("agents")?;
    let found = agents.iter().find(|agent| agent["name"] == name);
    Ok(found.context("the agent is there")?["id"].clone())
}

/// A registered phone of a supervisor.
pub(crate) async fn supervisor(server: &Server, name: &str) -> anyhow::Result<Phone> {
    agent_with(server, name, &format!("{name}-secret")).await
}

pub(crate) async fn supervise(
    server: &Server,
    number: u128,
    (call, agent): (&Value, &Value),
    mode: &str,
) -> anyhow::Result<Value> {
    let input = json!({
        "commandId": command_id(number), "callId": call, "agentId": agent, "mode": mode,
    });
    mutate(server, "superviseCall", "call { id }", input).await
}

/// The supervisor's phone rings and is answered, and plays a tone.
pub(crate) async fn answers(phone: &Phone) -> anyhow::Result<IncomingCall> {
    let call = incoming(phone).await?;
    call.media().play_tone(SUPERVISOR_HZ, 0.2);
    call.ring().await?;
    call.answer().await?;
    Ok(call)
}

/// The only call in progress, once its supervision is so.
pub(crate) async fn supervision_is(
    server: &Server,
    wanted: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let query = format!("{{ activeCalls(first: 5) {{ nodes {{ id {SUPERVISION} }} }} }}");
    let of = |answer: &Value| answer["activeCalls"]["nodes"][0].clone();
    let answer = server
        .until(&query, |answer| {
            let call = of(answer);
            call.is_object() && wanted(&call["supervision"])
        })
        .await?;
    Ok(of(&answer))
}

pub(crate) fn is_started_in(mode: &'static str) -> impl Fn(&Value) -> bool {
    move |supervision| supervision["mode"] == mode && supervision["startedAt"].is_string()
}

/// What comes has that much of each tone, soon.
pub(crate) async fn hears(media: &Media, tones: [(f64, bool); 3]) -> anyhow::Result<()> {
    let is_so = |heard: &[i16]| {
        tones.iter().all(|(hz, is_there)| {
            let share = tone::tone_share(heard, *hz);
            if *is_there { share > 0.3 } else { share < 1e-2 }
        })
    };
    let begins = async { while !is_so(&media.record(PIECE, PATIENCE).await) {} };
    let begun = tokio::time::timeout(PATIENCE, begins).await;
    begun.with_context(|| format!("{tones:?} do not come"))?;
    ensure!(is_so(&media.record(2 * PIECE, PATIENCE).await), "{tones:?}");
    Ok(())
}

pub(crate) fn three(caller: bool, agent: bool, supervisor: bool) -> [(f64, bool); 3] {
    [
        (CALLER_HZ, caller),
        (AGENT_HZ, agent),
        (SUPERVISOR_HZ, supervisor),
    ]
}

/// The record of the only ended call, once its sound is measured or, of a node that was
/// lost, once it is there.
pub(crate) async fn record(server: &Server, is_measured: bool) -> anyhow::Result<Value> {
    let query = "{ cdrs(first: 2) { nodes { disposition endReason hangupBy agentId endedAt codec mos legs { role \
                 agentId endedAt answeredAt supervisionEnd media { receivedCount sentCount } \
                 segments { kind durationMs } } } } }";
    let answer = server
        .until(query, |answer| {
            let record = &answer["cdrs"]["nodes"][0];
            record.is_object() && (!is_measured || !record["mos"].is_null())
        })
        .await?;
    Ok(answer["cdrs"]["nodes"][0].clone())
}

pub(crate) fn supervisors_leg(record: &Value) -> anyhow::Result<Value> {
    let legs = record["legs"].as_array().context("legs")?;
    let mut found = legs.iter().filter(|leg| leg["role"] == "SUPERVISOR");
    let leg = found.next().context("a leg of the supervisor")?.clone();
    ensure!(found.next().is_none(), "{record}");
    Ok(leg)
}

pub(crate) fn kinds(leg: &Value) -> Vec<&str> {
    let segments = leg["segments"].as_array().into_iter().flatten();
    segments.filter_map(|one| one["kind"].as_str()).collect()
}

#[tokio::test]
async fn a_supervisor_listens_whispers_and_hangs_up_and_all_of_it_is_on_the_record()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), &provisioning(&["anna"]))).await?;
    let anna = agent(&server, "anna").await?;
    let sam = supervisor(&server, "sam").await?;
    let who = agent_id(&server, "sam").await?;
    let phone = caller(&server, NUMBER).await?;
    let (out, call) = talk(&phone, &anna).await?;
    out.media().play_tone(CALLER_HZ, 0.2);
    call.media().play_tone(AGENT_HZ, 0.2);
    let id = call_is(&server, NUMBER, "CONNECTED").await?["id"].clone();
    supervise(&server, 1, (&id, &who), "LISTEN").await?;
    let rings = supervision_is(&server, |it| it["mode"] == "LISTEN").await?;
    ensure!(
        rings["supervision"]["supervisor"]["name"] == "sam",
        "{rings}"
    );
    let supervising = answers(&sam).await?;
    supervision_is(&server, is_started_in("LISTEN")).await?;
    hears(supervising.media(), three(true, true, false)).await?;
    hears(call.media(), three(true, false, false)).await?;
    hears(out.media(), three(false, true, false)).await?;
    let position = supervise(&server, 2, (&id, &who), "WHISPER").await?["position"].clone();
    hears(call.media(), three(true, false, true)).await?;
    hears(out.media(), three(false, true, false)).await?;
    let live = supervision_is(&server, is_started_in("WHISPER")).await?;
    let timeline = live["timeline"]["nodes"].as_array().context("events")?;
    let asked = timeline
        .iter()
        .find(|item| item["type"] == "supervision_requested");
    let asked = asked.context("supervision_requested")?;
    ensure!(asked["agentId"] == who, "{asked}");
    let by = asked["payload"]["by"].as_str().context("by")?;
    ensure!(by.starts_with("token:"), "{asked}");
    ensure!(supervising.hang_up().await? == 200, "BYE is refused");
    supervision_is(&server, Value::is_null).await?;
    // As it was, of the past.
    let query = format!(
        "{{ callStateAt(callId: {id}, position: {position}) {{ call {{ supervision {{ mode \
         supervisor {{ name }} }} }} }} }}"
    );
    let then = server.graphql(&query, json!({})).await?;
    let then = &then["callStateAt"]["call"]["supervision"];
    ensure!(
        *then == json!({"mode": "WHISPER", "supervisor": {"name": "sam"}}),
        "{then}"
    );
    hears(call.media(), three(true, false, false)).await?;
    hears(out.media(), three(false, true, false)).await?;
    out.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    let record = record(&server, true).await?;
    ensure!(record["disposition"] == "ANSWERED", "{record}");
    let leg = supervisors_leg(&record)?;
    ensure!(
        leg["supervisionEnd"] == "HUNG_UP" && leg["agentId"] == who,
        "{leg}"
    );
    ensure!(kinds(&leg) == ["LISTEN", "WHISPER"], "{leg}");
    ensure!(leg["media"]["sentCount"].as_i64() > Some(20), "{leg}");
    server
        .until_metrics(|text| text.contains("ringledger_supervisions_total{reason=\"hung_up\"} 1"))
        .await?;
    server.stop().await
}

/// An order that is refused, with its code and field.
pub(crate) async fn refused(
    server: &Server,
    name: &str,
    input: Value,
    (code, field): (&str, &str),
) -> anyhow::Result<()> {
    let mut kind = name.to_owned();
    kind[..1].make_ascii_uppercase();
    let query = format!(
        "mutation($input: {kind}Input!) {{ {name}(input: $input) {{ position userErrors {{ \
         code field message }} }} }}"
    );
    let answer = server.graphql(&query, json!({ "input": input })).await?;
    let payload = &answer[name];
    let error = &payload["userErrors"][0];
    ensure!(payload["position"].is_null(), "{input}: {payload}");
    ensure!(
        error["code"] == code && error["field"] == field,
        "{input}: {payload}"
    );
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_supervised_is_refused_by_name() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let text = provisioning(&["anna", "ben"]);
    let server = Server::start(&Setup::new(folder.path(), &text)).await?;
    let sam = supervisor(&server, "sam").await?;
    let (who, other) = (
        agent_id(&server, "sam").await?,
        agent_id(&server, "tom").await?,
    );
    let anna_id = agent_id(&server, "anna").await?;
    let ben_id = agent_id(&server, "ben").await?;
    let phone = caller(&server, NUMBER).await?;
    let out = dial(&phone, "support").await?;
    let id = call_is(&server, NUMBER, "WAITING").await?["id"].clone();
    let input = |number: u128, agent: &Value| {
        json!({
            "commandId": command_id(number), "callId": id, "mode": "LISTEN", "agentId": agent,
        })
    };
    let of_call = |code: &'static str| (code, "callId");
    let name = "superviseCall";
    refused(&server, name, input(1, &who), of_call("call.not_connected")).await?;
    // She is offered the call at once, and never seen to be ready.
    let anna = agent_with(&server, "anna", "anna-secret").await?;
    let call = incoming(&anna).await?;
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    call_is(&server, NUMBER, "CONNECTED").await?;
    // Who is with a caller, and who waits for one, does not supervise.
    let busy = ("input.supervisor_takes_calls", "agentId");
    refused(&server, name, input(2, &anna_id), busy).await?;
    let ben = agent(&server, "ben").await?;
    refused(&server, name, input(3, &ben_id), busy).await?;
    // Nobody is named, and the token is no agent's.
    let mut nobody = input(4, &who);
    nobody["agentId"] = Value::Null;
    refused(&server, name, nobody, ("input.unknown_agent", "agentId")).await?;
    let stop = |number: u128| json!({"commandId": command_id(number), "callId": id});
    let none = of_call("call.not_supervised");
    refused(&server, "stopSupervising", stop(5), none).await?;
    supervise(&server, 6, (&id, &who), "BARGE").await?;
    let ringing = incoming(&sam).await?;
    ringing.ring().await?;
    let taken = of_call("call.already_supervised");
    refused(&server, name, input(7, &other), taken).await?;
    // The phone that rings for one call is rung for no other.
    let another = caller(&server, "4930222").await?;
    let beside = dial(&another, "support").await?;
    incoming(&ben).await?.answer().await?;
    beside.wait_answered(PATIENCE).await?;
    let second = call_is(&server, "4930222", "CONNECTED").await?["id"].clone();
    let mut of_second = input(10, &who);
    of_second["callId"] = second;
    refused(&server, name, of_second, busy).await?;
    // The same order again has one effect.
    supervise(&server, 6, (&id, &who), "BARGE").await?;
    mutate(&server, "stopSupervising", "call { id }", stop(8)).await?;
    ringing.wait_ended(PATIENCE).await?;
    supervision_is(&server, Value::is_null).await?;
    out.hang_up().await?;
    let record = record(&server, false).await?;
    let leg = supervisors_leg(&record)?;
    ensure!(
        leg["supervisionEnd"] == "STOPPED" && leg["answeredAt"].is_null(),
        "{leg}"
    );
    refused(&server, name, input(9, &who), of_call("call.already_ended")).await?;
    beside.hang_up().await?;
    server.stop().await
}

#[tokio::test]
async fn a_supervision_that_goes_on_at_kill_9_ends_with_its_call() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = Setup::new(folder.path(), &provisioning(&["anna"]));
    let server = Server::start(&setup).await?;
    setup.sip = server.sip;
    let anna = agent(&server, "anna").await?;
    let sam = supervisor(&server, "sam").await?;
    let who = agent_id(&server, "sam").await?;
    let phone = caller(&server, NUMBER).await?;
    let (out, call) = talk(&phone, &anna).await?;
    let id = call_is(&server, NUMBER, "CONNECTED").await?["id"].clone();
    supervise(&server, 1, (&id, &who), "BARGE").await?;
    let supervising = answers(&sam).await?;
    supervision_is(&server, is_started_in("BARGE")).await?;
    server.kill().await?;
    for one in [&*out, &*call, &*supervising] {
        one.vanish().await?;
    }
    let server = Server::start(&setup).await?;
    let record = record(&server, false).await?;
    ensure!(record["endReason"] == "NODE_LOST", "{record}");
    let leg = supervisors_leg(&record)?;
    ensure!(leg["supervisionEnd"] == "NODE_LOST", "{leg}");
    ensure!(kinds(&leg) == ["BARGE"], "{leg}");
    // Nothing of it is later than the call.
    ensure!(leg["endedAt"] == record["endedAt"], "{record}");
    // The next call is supervised as if nothing had been.
    let (out, call) = talk(&phone, &anna).await?;
    let id = call_is(&server, NUMBER, "CONNECTED").await?["id"].clone();
    supervise(&server, 2, (&id, &who), "LISTEN").await?;
    let supervising = answers(&sam).await?;
    supervision_is(&server, is_started_in("LISTEN")).await?;
    call.hang_up().await?;
    supervising.wait_ended(PATIENCE).await?;
    out.wait_ended(PATIENCE).await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_at_another_node_supervises_a_call_of_this_one() -> anyhow::Result<()> {
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
    // Ordered at the node that does not have the call.
    supervise(&b, 1, (&id, &who), "WHISPER").await?;
    let supervising = answers(&sam).await?;
    hears(supervising.media(), three(true, true, false)).await?;
    hears(call.media(), three(true, false, true)).await?;
    hears(out.media(), three(false, true, false)).await?;
    for node in [&a, &b] {
        supervision_is(node, is_started_in("WHISPER")).await?;
    }
    let stop = json!({"commandId": command_id(2), "callId": id});
    mutate(&b, "stopSupervising", "call { id }", stop).await?;
    supervising.wait_ended(PATIENCE).await?;
    hears(call.media(), three(true, false, false)).await?;
    out.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    let record = record(&b, true).await?;
    ensure!(
        supervisors_leg(&record)?["supervisionEnd"] == "STOPPED",
        "{record}"
    );
    a.stop().await?;
    b.stop().await
}
