//! Two servers on one PostgreSQL database: whoever receives a call has it, and
//! everything else is everybody's.

use crate::{
    socket::Client,
    support::{
        PATIENCE, SUPPORT, agent, agent_is, caller, calls, dial, incoming, mutate, records, talk,
    },
};
use anyhow::{Context as _, ensure};
use phone::{AgentScript, Phone, PhoneOptions, Talk, Transport};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinSet, time::Instant};

/// The last of a crowd is answered within this.
const CROWD: Duration = Duration::from_secs(90);

/// The database and folders of a few nodes.
pub(crate) struct Nodes {
    url: String,
    folders: Vec<TempDir>,
    provisioning: String,
    settings: String,
}

impl Nodes {
    pub(crate) async fn new(agents: &[&str]) -> Self {
        Self::on(store::testing::database().await.url(), agents)
    }

    /// On a database of the caller's.
    pub(crate) fn on(url: &str, agents: &[&str]) -> Self {
        Self {
            url: url.into(),
            folders: vec![],
            provisioning: Setup::provisioning(SUPPORT, agents),
            settings: String::new(),
        }
    }

    /// With another queue and more keys of `[node]`.
    pub(crate) fn with(mut self, queue: &str, node: &str) -> Self {
        self.provisioning = self.provisioning.replace(SUPPORT, queue);
        self.settings = format!("{node}\n{}", self.settings);
        self
    }

    /// With more agents, as TOML.
    pub(crate) fn and(mut self, agents: &str) -> Self {
        self.provisioning.push_str(agents);
        self
    }

    /// The database.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How the node of that name is started.
    pub(crate) fn setup(&mut self, name: &str) -> anyhow::Result<Setup> {
        let folder = tempfile::tempdir()?;
        let mut setup = Setup::new(folder.path(), &self.provisioning);
        self.folders.push(folder);
        setup.store_url = Some(self.url.clone());
        let browsers = ("RINGLEDGER__SIP__WS_LISTEN".into(), "127.0.0.1:0".into());
        setup.environment = vec![browsers];
        setup.settings = format!("[node]\nname = \"{name}\"\n{}", self.settings);
        Ok(setup)
    }

    pub(crate) async fn start(&mut self, name: &str) -> anyhow::Result<Server> {
        Server::start(&self.setup(name)?).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_at_one_node_is_answered_by_an_agent_who_registered_at_the_other()
-> anyhow::Result<()> {
    let mut nodes = Nodes::new(&["anna"]).await;
    let a = nodes.start("a").await?;
    let b = nodes.start("b").await?;
    let anna = agent(&b, "anna").await?;
    agent_is(&a, "anna", "READY").await?;
    let phone = caller(&a, "4930555").await?;
    let (out, call) = talk(&phone, &anna).await?;
    // Both nodes show the same call.
    calls(&a, 1).await?;
    calls(&b, 1).await?;
    out.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    for node in [&a, &b] {
        let records = records(node, 1).await?;
        ensure!(records[0]["disposition"] == "ANSWERED", "{records:?}");
        ensure!(records[0]["hangupBy"] == "CALLER", "{records:?}");
    }
    // And the other way round: the agent's node has the caller.
    let phone = caller(&b, "4930556").await?;
    let (out, call) = talk(&phone, &anna).await?;
    call.hang_up().await?;
    out.wait_ended(PATIENCE).await?;
    records(&a, 2).await?;
    a.stop().await?;
    b.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_hung_up_at_the_node_that_does_not_have_it() -> anyhow::Result<()> {
    let mut nodes = Nodes::new(&["anna"]).await;
    let a = nodes.start("a").await?;
    let b = nodes.start("b").await?;
    let anna = agent(&a, "anna").await?;
    let phone = caller(&a, "4930555").await?;
    let (out, call) = talk(&phone, &anna).await?;
    let live = calls(&b, 1).await?;
    let input = json!({ "commandId": crate::support::command_id(1), "callId": live[0]["id"] });
    mutate(&b, "hangUp", "call { id }", input).await?;
    out.wait_ended(PATIENCE).await?;
    call.wait_ended(PATIENCE).await?;
    for node in [&a, &b] {
        let records = records(node, 1).await?;
        ensure!(records[0]["endReason"] == "OPERATOR", "{records:?}");
    }
    // A caller who waits at one node is taken by nobody at the other.
    let phone = caller(&b, "4930556").await?;
    let out = dial(&phone, "support").await?;
    let call = incoming(&anna).await?;
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    records(&a, 2).await?;
    a.stop().await?;
    b.stop().await
}

/// An agent whose phone keeps a connection to that node, or is behind NAT and has opened
/// a way for that node alone.
async fn agent_bound(server: &Server, name: &str, transport: Transport) -> anyhow::Result<Phone> {
    let mut options = PhoneOptions::new(server.sip, name).with_password(format!("{name}-secret"));
    options.transport = transport;
    if transport == Transport::Ws {
        options.server = server.ws.context("no WebSockets are taken")?;
    }
    options.contact = match transport {
        Transport::Tcp | Transport::Ws => None,
        Transport::Udp => Some(format!("sip:{name}@192.168.77.3")),
    };
    let phone = Phone::bind(options).await?;
    phone.register(3_600).await?;
    agent_is(server, name, "READY").await?;
    Ok(phone)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_whose_connection_ends_at_the_other_node_is_reached_through_it()
-> anyhow::Result<()> {
    reached_through_the_other(Transport::Tcp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_whose_websocket_ends_at_the_other_node_is_reached_through_it()
-> anyhow::Result<()> {
    reached_through_the_other(Transport::Ws).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_behind_nat_is_reached_through_the_node_that_it_registered_at()
-> anyhow::Result<()> {
    reached_through_the_other(Transport::Udp).await
}

async fn reached_through_the_other(transport: Transport) -> anyhow::Result<()> {
    let mut nodes = Nodes::new(&["anna"]).await;
    let a = nodes.start("a").await?;
    let b = nodes.start("b").await?;
    let anna = agent_bound(&b, "anna", transport).await?;
    // Both nodes have seen each other, and share the key that flows are signed with.
    a.until("{ nodes { name } }", |answer| {
        answer["nodes"]
            .as_array()
            .is_some_and(|nodes| nodes.len() == 2)
    })
    .await?;
    let phone = caller(&a, "4930555").await?;
    // The agent hangs up, after a hold: requests come through, and answers go back.
    let (out, call) = talk(&phone, &anna).await?;
    ensure!(call.hold().await? == 200, "hold");
    ensure!(call.resume().await? == 200, "resume");
    ensure!(call.hang_up().await? == 200, "BYE");
    out.wait_ended(PATIENCE).await?;
    // The caller does.
    let (out, call) = talk(&phone, &anna).await?;
    out.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    // The caller gives up while it rings.
    let out = dial(&phone, "support").await?;
    let call = incoming(&anna).await?;
    call.ring().await?;
    out.wait_ringing(PATIENCE).await?;
    out.cancel().await?;
    call.wait_ended(PATIENCE).await?;
    // The agent refuses, and is called again.
    let out = dial(&phone, "support").await?;
    let call = incoming(&anna).await?;
    call.reject(486).await?;
    out.cancel().await?;
    let all = records(&b, 4).await?;
    let by: Vec<_> = all.iter().map(|one| one["hangupBy"].as_str()).collect();
    let expected = ["AGENT", "CALLER", "CALLER", "CALLER"].map(Some);
    ensure!(by == expected, "{all:#?}");
    let (_, metrics) = b.get("/metrics").await?;
    ensure!(
        metrics.contains("ringledger_sip_edge_messages_total{outcome=\"passed\"}"),
        "nothing went through: {metrics}"
    );
    a.stop().await?;
    b.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscriber_at_one_node_hears_of_a_call_at_the_other() -> anyhow::Result<()> {
    let mut nodes = Nodes::new(&["anna"]).await;
    let a = nodes.start("a").await?;
    let b = nodes.start("b").await?;
    for (here, there) in [(&a, &b), (&b, &a)] {
        let mut client = Client::following(there, "subscription { callEvents { type } }").await?;
        let phone = caller(here, "4930555").await?;
        let out = dial(&phone, "support").await?;
        let mut heard = vec![];
        while !heard.iter().any(|kind| kind == "call_enqueued") {
            let data = client.data().await?;
            heard.push(
                data["callEvents"]["type"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        ensure!(
            heard.iter().any(|kind| kind == "call_received"),
            "{heard:?}"
        );
        out.cancel().await?;
    }
    a.stop().await?;
    b.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_both_nodes_to_one_queue_meet_each_agent_one_at_a_time() -> anyhow::Result<()> {
    const CALLS: usize = 200;
    let names = ["anna", "ben", "cleo", "dora"];
    let mut nodes = Nodes::new(&names).await;
    let a = nodes.start("a").await?;
    let b = nodes.start("b").await?;
    let (stop, stopped) = watch::channel(false);
    for (number, name) in names.iter().enumerate() {
        let phone = agent([&a, &b][number % 2], name).await?;
        let script = AgentScript {
            talk: Talk::ForMs(20),
            ..AgentScript::default()
        };
        let mut stopped = stopped.clone();
        tokio::spawn(async move {
            let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
            phone.run_agent(script, until).await
        });
    }
    let mut callers = JoinSet::new();
    for number in 0..CALLS {
        let phone = caller([&a, &b][number % 2], &format!("49301{number:05}")).await?;
        callers.spawn(async move {
            let out = dial(&phone, "support").await?;
            out.wait_answered(CROWD).await?;
            out.wait_ended(CROWD).await?;
            anyhow::Ok(())
        });
    }
    while let Some(done) = callers.join_next().await {
        done??;
    }
    stop.send_replace(true);
    let all = every_record(&b, CALLS).await?;
    let mut seen = BTreeSet::new();
    let mut talks: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for one in &all {
        let text = |field: &str| one[field].as_str().unwrap_or_default().to_owned();
        ensure!(seen.insert(text("sipCallId")), "twice: {one}");
        ensure!(one["disposition"] == "ANSWERED", "{one}");
        let talk = (text("agentConnectedAt"), text("endedAt"));
        talks.entry(text("agentId")).or_default().push(talk);
    }
    ensure!(
        seen.len() == CALLS && talks.len() == names.len(),
        "{}",
        seen.len()
    );
    for (agent, talks) in &mut talks {
        talks.sort();
        for pair in talks.windows(2) {
            ensure!(pair[0].1 <= pair[1].0, "{agent} has two calls: {pair:?}");
        }
    }
    for node in [&a, &b] {
        let (_, metrics) = node.get("/metrics").await?;
        ensure!(!metrics.contains("ringledger_repairs_count"), "{metrics}");
    }
    a.stop().await?;
    b.stop().await
}

/// Every record, once there are so many.
async fn every_record(server: &Server, count: usize) -> anyhow::Result<Vec<Value>> {
    let query = "query($after: String) { cdrs(first: 100, after: $after) { \
                 nodes { sipCallId disposition agentId agentConnectedAt endedAt } \
                 pageInfo { hasNextPage endCursor } } }";
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut all = vec![];
        let mut after = Value::Null;
        loop {
            let page = server.graphql(query, json!({ "after": after })).await?;
            let nodes = page["cdrs"]["nodes"].as_array().cloned();
            all.extend(nodes.unwrap_or_default());
            if page["cdrs"]["pageInfo"]["hasNextPage"] != true {
                break;
            }
            after = page["cdrs"]["pageInfo"]["endCursor"].clone();
        }
        if all.len() >= count {
            return Ok(all);
        }
        ensure!(Instant::now() < deadline, "{} records", all.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Orders about one agent at both nodes in turn: each node has the agent in memory and
/// would find its own last order done already.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_looks_whether_another_has_changed_an_agent_before_it_does_nothing()
-> anyhow::Result<()> {
    let mut nodes = Nodes::new(&["anna"]).await;
    let a = nodes.start("a").await?;
    let b = nodes.start("b").await?;
    let _anna = agent(&a, "anna").await?;
    let id = agent_is(&b, "anna", "READY").await?["id"].clone();
    let mut reached = 0;
    for round in 0..10 {
        let (first, second) = (2 * round, 2 * round + 1);
        let order = json!({
            "commandId": crate::support::command_id(first), "agentId": id, "reason": "BREAK",
        });
        let done = mutate(&a, "agentNotReady", "agent { state }", order).await?;
        ensure!(
            done["agent"]["state"] == "NOT_READY",
            "round {round}: {done}"
        );
        let order = json!({"commandId": crate::support::command_id(second), "agentId": id});
        let back = mutate(&b, "agentReady", "agent { state }", order).await?;
        ensure!(back["agent"]["state"] == "READY", "round {round}: {back}");
        for payload in [done, back] {
            let position: u64 = payload["position"].as_str().unwrap_or_default().parse()?;
            ensure!(
                position > reached,
                "round {round}: nothing was done: {payload}"
            );
            reached = position;
        }
    }
    a.stop().await?;
    b.stop().await
}
