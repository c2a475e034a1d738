//! Read models that are built anew while people read them: nobody sees a gap,
//! and kill -9 at any moment leaves one or the other, each complete.

use crate::{
    nodes::Nodes,
    support::{PATIENCE, Ran, agent, agent_is, caller, dial, incoming, run, setup, talk},
};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

const STATUS: &str = "{ projections { name version position lagEvents \
     parked { position reason } next { version position isReady parked { reason } } } }";
/// Views that have something to lose.
const VIEWS: [&str; 5] = [
    "cdr",
    "timeline",
    "queue_stats",
    "agent_states",
    "live_calls",
];

/// Reads that may take longer than [`FRESH`]: one in so many, for the machine's sake.
const SLOW_ONE_IN: usize = 20;
/// What has happened is in what is read after this.
const FRESH: Duration = Duration::from_secs(1);

/// Runs `ringledger projections` at the running server.
async fn command(setup: &Setup, server: &Server, arguments: &[&str]) -> anyhow::Result<Ran> {
    let config = setup.folder.join("ringledger.toml");
    let data = setup.data();
    let mut all = vec!["projections"];
    all.extend(arguments);
    all.extend(["--config", config.to_str().context("a path")?]);
    all.extend(["--data", data.to_str().context("a path")?]);
    let listen = server.http.to_string();
    run(
        &all,
        &[("RINGLEDGER__HTTP__LISTEN", &listen)],
        &setup.folder,
    )
    .await
}

fn status(answer: &Value, name: &str) -> Value {
    let all = answer["projections"].as_array();
    let mut all = all.into_iter().flatten();
    all.find(|one| one["name"] == name)
        .cloned()
        .unwrap_or_default()
}

async fn until(
    server: &Server,
    name: &str,
    wanted: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let answer = server
        .until(STATUS, |answer| wanted(&status(answer, name)))
        .await?;
    Ok(status(&answer, name))
}

/// Where the record ends.
async fn head(server: &Server) -> anyhow::Result<Value> {
    let query = "{ board(asOf: \"2999-01-01T00:00:00Z\") { position } }";
    let answer = server.graphql(query, json!({})).await?;
    Ok(answer["board"]["position"].clone())
}

/// The records of calls, by views that know the record up to there at least.
async fn records(server: &Server, known: &Value) -> anyhow::Result<BTreeSet<String>> {
    let query = "query($p: Cursor) { cdrs(first: 100, minPosition: $p) { nodes { callId } } }";
    let answer = server.graphql(query, json!({ "p": known })).await?;
    let nodes = answer["cdrs"]["nodes"].as_array().context("records")?;
    let ids = nodes.iter().filter_map(|node| node["callId"].as_str());
    Ok(ids.map(Into::into).collect())
}

/// Everything that the views say when nothing happens.
async fn picture(server: &Server) -> anyhow::Result<Value> {
    let query = "{ activeCalls(first: 50) { nodes { id state } } \
         cdrs(first: 100) { nodes { callId disposition talkMs waitMs endedAt agentId revision } } \
         agents(first: 50) { nodes { id name state since missedCount devicesCount } } \
         queues(first: 10) { nodes { id name waitingCount statistics { total { \
         offeredCount answeredCount abandonedCount answeredWaitMs: longestWaitMs } } } } }";
    server.graphql(query, json!({})).await
}

/// One caller after the other, each answered, until told to stop.
async fn keep_calling(server: Arc<Server>, stop: Arc<AtomicBool>) -> anyhow::Result<u32> {
    let anna = agent(&server, "anna").await?;
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        let phone = caller(&server, &format!("49302{count:03}")).await?;
        let (out, call) = talk(&phone, &anna).await?;
        out.hang_up().await?;
        call.wait_ended(PATIENCE).await?;
        agent_is(&server, "anna", "READY").await?;
        count += 1;
    }
    Ok(count)
}

async fn nobody_sees_a_gap(setup: &Setup) -> anyhow::Result<()> {
    let server = Arc::new(Server::start(setup).await?);
    let stop = Arc::new(AtomicBool::new(false));
    let calling = tokio::spawn(keep_calling(server.clone(), stop.clone()));
    let reading = tokio::spawn({
        let (server, stop) = (server.clone(), stop.clone());
        async move {
            let (mut known, mut reads, mut slow) = (BTreeSet::new(), 0, 0);
            let agents = "{ agents(first: 5) { nodes { name } } queues { nodes { name } } }";
            while !stop.load(Ordering::Relaxed) {
                // Whatever has happened by now is to be read, and soon.
                let (head, began) = (head(&server).await?, Instant::now());
                let now = records(&server, &head).await?;
                slow += usize::from(began.elapsed() > FRESH);
                ensure!(known.is_subset(&now), "records are gone: {known:?} {now:?}");
                known = now;
                let answer = server.graphql(agents, json!({})).await?;
                ensure!(answer["agents"]["nodes"][0]["name"] == "anna", "{answer}");
                ensure!(
                    answer["queues"]["nodes"][0]["name"] == "support",
                    "{answer}"
                );
                reads += 1;
            }
            anyhow::Ok((known, reads, slow))
        }
    });
    for name in VIEWS {
        let ran = command(setup, &server, &["rebuild", name]).await?;
        ensure!(ran.code == Some(0), "{ran:?}");
        until(&server, name, |status| status["next"]["isReady"] == true).await?;
        let listed = command(setup, &server, &["list"]).await?;
        ensure!(listed.out.contains("up to position"), "{listed:?}");
        let ran = command(setup, &server, &["switch", name]).await?;
        ensure!(ran.code == Some(0), "{ran:?}");
        until(&server, name, |status| status["next"].is_null()).await?;
        let again = command(setup, &server, &["switch", name]).await?;
        ensure!(again.code == Some(1), "{again:?}");
        ensure!(again.err.contains("projection.not_built"), "{again:?}");
    }
    stop.store(true, Ordering::Relaxed);
    let calls = calling.await??;
    let (known, reads, slow) = reading.await??;
    ensure!(calls > 3 && reads > 20, "{calls} calls, {reads} reads");
    ensure!(
        slow * SLOW_ONE_IN <= reads,
        "{slow} of {reads} reads were slow"
    );
    ensure!(!known.is_empty(), "no record was read");
    server
        .until("{ cdrs(first: 100) { nodes { callId } } }", |answer| {
            let nodes = answer["cdrs"]["nodes"].as_array();
            nodes.is_some_and(|nodes| nodes.len() == calls as usize)
        })
        .await?;
    let server = Arc::into_inner(server).context("somebody still has the server")?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_is_built_anew_under_load_and_no_reader_sees_a_gap() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    nobody_sees_a_gap(&setup(folder.path(), &["anna"])).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_is_built_anew_under_load_on_postgresql_too() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let database = store::testing::database().await;
    let mut setup = setup(folder.path(), &["anna"]);
    setup.store_url = Some(database.url().into());
    nobody_sees_a_gap(&setup).await
}

/// A few calls on the record, all ended.
async fn some_calls(server: &Server) -> anyhow::Result<()> {
    let anna = agent(server, "anna").await?;
    for number in 0..3 {
        let phone = caller(server, &format!("49303{number}")).await?;
        let (out, call) = talk(&phone, &anna).await?;
        out.hang_up().await?;
        call.wait_ended(PATIENCE).await?;
        agent_is(server, "anna", "READY").await?;
    }
    anna.unregister().await?;
    agent_is(server, "anna", "LOGGED_OUT").await?;
    crate::support::records(server, 3).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_while_views_are_built_and_switched_loses_no_row() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let mut server = Server::start(&setup).await?;
    some_calls(&server).await?;
    let before = picture(&server).await?;
    for round in 0..12_u64 {
        let name = VIEWS[usize::try_from(round)? % VIEWS.len()];
        let order = "mutation($n: String!) { rebuildProjection(input: { name: $n, \
             thenSwitch: true }) { userErrors { code } } }";
        let answer = server.graphql(order, json!({ "n": name })).await?;
        let refused = &answer["rebuildProjection"]["userErrors"];
        // What was cut off by the kill before goes on by itself.
        let goes_on = json!([{ "code": "projection.already_building" }]);
        ensure!(*refused == json!([]) || *refused == goes_on, "{answer}");
        tokio::time::sleep(Duration::from_millis(round * 7)).await;
        server.kill().await?;
        server = Server::start(&setup)
            .await
            .map_err(|error| error.context(format!("round {round}, {name}")))?;
        let after = picture(&server).await?;
        ensure!(
            after == before,
            "round {round}, {name}: {after:#} {before:#}"
        );
    }
    server.stop().await
}

/// Changes a row of the read models of a server that has stopped.
pub(crate) async fn change(setup: &Setup, sql: &'static str) -> anyhow::Result<()> {
    let folder = format!("sqlite:{}", setup.data().display());
    let stores = store::open(setup.store_url.as_ref().unwrap_or(&folder)).await?;
    let statement = commands::ports::Statement {
        sql,
        parameters: vec![],
        must_touch: Some(1),
    };
    stores.read.transact(vec![statement]).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_with_a_damaged_row_is_parked_with_an_alarm_and_retried() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    is_parked_and_retried(&setup(folder.path(), &["anna"]), None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_with_a_damaged_row_is_parked_on_postgresql_too() -> anyhow::Result<()> {
    let mut nodes = Nodes::new(&["anna"]).await;
    let (first, second) = (nodes.setup("a")?, nodes.setup("b")?);
    is_parked_and_retried(&first, Some(&second)).await
}

/// A node that does not lead tells of it too, and what is stored does.
async fn is_told_elsewhere(
    setup: &Setup,
    server: &Server,
    standby: &Setup,
    parked: &Value,
) -> anyhow::Result<()> {
    let second = Server::start(standby).await?;
    let told = until(&second, "agent_states", |status| {
        !status["parked"].is_null()
    })
    .await?;
    ensure!(told["parked"] == parked["parked"], "{told}");
    second.stop().await?;
    let ran = command(setup, server, &["list"]).await?;
    ensure!(ran.out.contains("parked before position"), "{ran:?}");
    Ok(())
}

/// How far a view is behind, as the metrics say.
fn lag_ms(metrics: &str, projection: &str) -> Option<f64> {
    let name = format!("ringledger_projection_lag_ms{{projection=\"{projection}\"}} ");
    let mut lines = metrics.lines();
    lines
        .find_map(|line| line.strip_prefix(&name))?
        .parse()
        .ok()
}

async fn is_parked_and_retried(setup: &Setup, standby: Option<&Setup>) -> anyhow::Result<()> {
    let server = Server::start(setup).await?;
    some_calls(&server).await?;
    server.stop().await?;
    change(setup, "UPDATE agent_states SET activity = 'nonsense'").await?;
    let server = Server::start(setup).await?;
    let anna = crate::support::agent_with(&server, "anna", "anna-secret").await?;
    let phone = caller(&server, "493031").await?;
    let out = dial(&phone, "support").await?;
    let call = incoming(&anna).await?;
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    // The others go on.
    crate::support::records(&server, 4).await?;
    let parked = until(&server, "agent_states", |status| {
        !status["parked"].is_null()
    })
    .await?;
    let at: u64 = parked["parked"]["position"]
        .as_str()
        .context("a place")?
        .parse()?;
    let position: u64 = parked["position"].as_str().context("a place")?.parse()?;
    ensure!(at == position + 1, "{parked}");
    let reason = parked["parked"]["reason"].as_str().context("a reason")?;
    ensure!(reason.contains("nonsense"), "{parked}");
    ensure!(parked["lagEvents"].as_u64() > Some(0), "{parked}");
    let (_, metrics) = server.get("/metrics").await?;
    let alarm = "ringledger_projection_parked{projection=\"agent_states\"} 1";
    ensure!(metrics.contains(alarm), "{metrics}");
    ensure!(lag_ms(&metrics, "cdr") == Some(0.0), "{metrics}");
    if let Some(standby) = standby {
        is_told_elsewhere(setup, &server, standby, &parked).await?;
    }
    // Nothing is skipped: it is parked again while the cause is there.
    let ran = command(setup, &server, &["retry", "agent_states"]).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let again = until(&server, "agent_states", |status| {
        !status["parked"].is_null()
    })
    .await?;
    ensure!(again["position"] == parked["position"], "{again}");
    // Rows that are built anew need no damaged one.
    let ran = command(setup, &server, &["rebuild", "agent_states", "--switch"]).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let healed = until(&server, "agent_states", |status| {
        status["parked"].is_null() && status["lagEvents"] == 0
    })
    .await?;
    ensure!(healed["next"].is_null(), "{healed}");
    agent_is(&server, "anna", "READY").await?;
    let (_, metrics) = server.get("/metrics").await?;
    ensure!(!metrics.contains(alarm), "{metrics}");
    server.stop().await
}
