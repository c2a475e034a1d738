//! `kill -9` at random moments under load. Nothing that was acknowledged is
//! lost, nothing is doubled, nobody stays taken, and the read models are what
//! a replay makes of the record.

use crate::support::events;
use anyhow::ensure;
use phone::{AgentScript, CallOptions, Phone, PhoneOptions, Talk};
use ringledger_tests::{
    luck::Luck,
    server::{Server, Setup, binary},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::watch;

/// Kills in CI; `RINGLEDGER_KILLS` makes it longer.
const ROUNDS: u32 = 50;
const AGENTS: [&str; 3] = ["anna", "ben", "cleo"];
const CALLERS: u32 = 4;
const QUEUE: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
                     ring_timeout_ms = 2000\nwrap_up_ms = 50\n";
/// A caller gives up when nothing happens: the server is dead, mostly.
const CALLER_PATIENCE: Duration = Duration::from_millis(800);

/// Call-IDs of calls that a caller was told of: 180 or 200 came.
type Acknowledged = Arc<Mutex<BTreeSet<String>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_by_kill_9_on_sqlite() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), &provisioning());
    survive(setup, 0x5eed_0001).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_by_kill_9_on_postgresql() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = store::testing::database().await;
    let mut setup = Setup::new(folder.path(), &provisioning());
    setup.store_url = Some(database.url().into());
    survive(setup, 0x5eed_0002).await
}

/// Agents who answer and callers who call again and again, whatever becomes of the
/// server at that address.
pub(crate) struct Load {
    acknowledged: Acknowledged,
    stop: watch::Sender<bool>,
    callers: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    pub(crate) async fn begin(sip: SocketAddr) -> anyhow::Result<Self> {
        let acknowledged = Acknowledged::default();
        let (stop, stopped) = watch::channel(false);
        for name in AGENTS {
            let options = PhoneOptions::new(sip, name).with_password(format!("{name}-secret"));
            let phone = Phone::bind(options).await?;
            phone.register(3_600).await?;
            let script = AgentScript {
                talk: Talk::ForMs(120),
                ..AgentScript::default()
            };
            let mut stopped = stopped.clone();
            tokio::spawn(async move {
                let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
                phone.run_agent(script, until).await
            });
        }
        let callers = (0..CALLERS)
            .map(|number| {
                let (stopped, acknowledged) = (stopped.clone(), acknowledged.clone());
                tokio::spawn(keep_calling(sip, number, stopped, acknowledged))
            })
            .collect();
        Ok(Self {
            acknowledged,
            stop,
            callers,
        })
    }

    /// Nobody calls any more; the Call-IDs of those who were told of their call.
    pub(crate) async fn end(self) -> anyhow::Result<BTreeSet<String>> {
        self.stop.send_replace(true);
        for caller in self.callers {
            caller.await?;
        }
        let acknowledged = self.acknowledged.lock().expect("no caller panics");
        Ok(acknowledged.clone())
    }
}

/// The configuration that [`Load`] is for.
pub(crate) fn provisioning() -> String {
    Setup::provisioning(QUEUE, &AGENTS)
}

async fn survive(mut setup: Setup, seed: u64) -> anyhow::Result<()> {
    let mut luck = Luck(seed);
    let mut server = Server::start(&setup).await?;
    // The same port after each start, as phones expect it.
    setup.sip = server.sip;
    let load = Load::begin(server.sip).await?;
    let wanted = std::env::var("RINGLEDGER_KILLS").ok();
    let rounds = wanted.and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    for round in 0..rounds {
        tokio::time::sleep(Duration::from_millis(100 + luck.below(500))).await;
        server.kill().await?;
        server = Server::start_again(&setup)
            .await
            .map_err(|error| error.context(format!("round {round} of seed {seed:#x}")))?;
    }
    let acknowledged = load.end().await?;
    check(server, &setup, &acknowledged).await
}

async fn keep_calling(
    server: SocketAddr,
    number: u32,
    stopped: watch::Receiver<bool>,
    acknowledged: Acknowledged,
) {
    let user = format!("49301{number:05}");
    while !*stopped.borrow() {
        let mut options = PhoneOptions::new(server, user.clone());
        options.t1_ms = 100;
        let Ok(phone) = Phone::bind(options).await else {
            continue;
        };
        let Ok(call) = phone.call("support", CallOptions::default()).await else {
            continue;
        };
        if call.wait_ringing(CALLER_PATIENCE).await.is_ok() {
            acknowledged
                .lock()
                .expect("no caller panics")
                .insert(call.call_id().to_owned());
        }
        if call.wait_answered(CALLER_PATIENCE).await.is_ok() {
            acknowledged
                .lock()
                .expect("no caller panics")
                .insert(call.call_id().to_owned());
            let _ = call.wait_ended(CALLER_PATIENCE).await;
        } else {
            let _ = call.cancel().await;
        }
    }
}

/// Nobody is taken, each call that was acknowledged has its one record, and the rows are
/// what a replay makes of the log.
pub(crate) async fn check(
    server: Server,
    setup: &Setup,
    acknowledged: &BTreeSet<String>,
) -> anyhow::Result<()> {
    server
        .until(
            "{ activeCalls(first: 1) { edges { node { id } } } }",
            |answer| {
                answer["activeCalls"]["edges"]
                    .as_array()
                    .is_some_and(Vec::is_empty)
            },
        )
        .await?;
    server
        .until(
            "{ agents(first: 10) { edges { node { name state } } } }",
            |answer| {
                answer["agents"]["edges"].as_array().is_some_and(|agents| {
                    agents.len() == AGENTS.len()
                        && agents.iter().all(|agent| agent["node"]["state"] == "READY")
                })
            },
        )
        .await?;
    let before = records(&server).await?;
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for record in &before {
        *counts
            .entry(record["sipCallId"].as_str().unwrap_or_default())
            .or_default() += 1;
    }
    for (call, count) in &counts {
        ensure!(*count == 1, "call {call} has {count} records");
    }
    for call in acknowledged {
        ensure!(
            counts.contains_key(call.as_str()),
            "call {call} was acknowledged and is lost"
        );
    }
    let of = |reason: &str| {
        before
            .iter()
            .filter(|record| record["endReason"] == reason)
            .count()
    };
    ensure!(
        of("NODE_LOST") > 0,
        "no end of the server hit a call in progress: the load is too low"
    );
    for record in before
        .iter()
        .filter(|record| record["endReason"] == "NODE_LOST")
    {
        ensure!(record["incomplete"] == true, "{record}");
        let answered = !record["agentConnectedAt"].is_null();
        let wanted = if answered { "ANSWERED" } else { "SYSTEM_ERROR" };
        ensure!(record["disposition"] == wanted, "{record}");
    }
    let (_, metrics) = server.get("/metrics").await?;
    ensure!(
        !metrics.contains("ringledger_repairs_count"),
        "the sweep had to repair: {metrics}"
    );
    rebuilt_equals_live(server, setup, &before).await
}

async fn rebuilt_equals_live(
    server: Server,
    setup: &Setup,
    before: &[Value],
) -> anyhow::Result<()> {
    let timeline = "{ queues(first: 10) { edges { node { name waitingCount statistics { total { \
                    offeredCount answeredCount abandonedCount flowOutCount } } } } } }";
    let queues = server.graphql(timeline, json!({})).await?;
    server.stop().await?;
    let names = run(setup, &["rebuild"]).await?;
    for name in names.lines() {
        run(setup, &["rebuild", name]).await?;
    }
    let server = Server::start(setup).await?;
    ensure!(
        records(&server).await? == before,
        "rebuilt records differ from the live ones"
    );
    ensure!(
        server.graphql(timeline, json!({})).await? == queues,
        "rebuilt queues differ"
    );
    server.stop().await?;
    causes_are_kept(setup).await
}

/// What a process had asked for when it was killed is asked for again, and the record
/// says of that too what it followed from.
async fn causes_are_kept(setup: &Setup) -> anyhow::Result<()> {
    let all = events(setup).await?;
    let ids: BTreeSet<_> = all.iter().map(|event| event.event_id.0).collect();
    let of_processes = all
        .iter()
        .filter(|event| event.metadata.actor.starts_with("process:"));
    let mut followed = 0;
    for event in of_processes {
        let cause = event.metadata.causation_id;
        ensure!(
            cause != event.command_id.0,
            "{} at {} caused itself",
            event.event_type,
            event.position
        );
        followed += usize::from(ids.contains(&cause));
    }
    ensure!(
        followed > 100,
        "only {followed} events followed from others"
    );
    Ok(())
}

async fn run(setup: &Setup, arguments: &[&str]) -> anyhow::Result<String> {
    let output = tokio::process::Command::new(binary())
        .args(arguments)
        .arg("--config")
        .arg(setup.folder.join("ringledger.toml"))
        .arg("--data")
        .arg(setup.folder.join("data"))
        .output()
        .await?;
    ensure!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// Every record, oldest first.
async fn records(server: &Server) -> anyhow::Result<Vec<Value>> {
    let query = "query($after: String) { cdrs(first: 100, after: $after) { \
                 edges { node { sipCallId disposition endReason incomplete agentConnectedAt \
                 startedAt endedAt talkMs waitMs hangupBy revision } } \
                 pageInfo { hasNextPage endCursor } } }";
    let mut all = vec![];
    let mut after = Value::Null;
    loop {
        let page = server.graphql(query, json!({ "after": after })).await?;
        let edges = page["cdrs"]["edges"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        all.extend(edges.into_iter().map(|edge| edge["node"].clone()));
        if page["cdrs"]["pageInfo"]["hasNextPage"] != true {
            return Ok(all);
        }
        after = page["cdrs"]["pageInfo"]["endCursor"].clone();
    }
}
