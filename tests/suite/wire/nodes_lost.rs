//! A node of two is lost, by kill, pause or a cut connection: its calls end once
//! and soon, the calls of the other go on, and it can do no harm when it is back.

use crate::{
    nodes::Nodes,
    recovery::micros,
    support::{PATIENCE, agent, agent_is, caller, calls, dial, incoming, records, talk},
};
use anyhow::{Context as _, ensure};
use phone::{IncomingCall, OutgoingCall, Phone};
use ringledger_tests::{machine, server::Server};
use std::{net::SocketAddr, time::Duration};
use store::cluster::{Cluster, Settings};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::Instant,
};

/// Within this, the calls of a lost node are ended by another.
const LOST_WITHIN: Duration = Duration::from_secs(10);

/// Two nodes, the first of which leads, each with a caller in talk.
struct Talking {
    a: Server,
    b: Server,
    anna: Phone,
    _ben: Phone,
    _callers: [Phone; 2],
    at_a: (OutgoingCall, IncomingCall),
    at_b: (OutgoingCall, IncomingCall),
}

impl Talking {
    async fn start(nodes: &mut Nodes, a: Server) -> anyhow::Result<Self> {
        let b = nodes.start("b").await?;
        let anna = agent(&a, "anna").await?;
        let one = caller(&a, "4930001").await?;
        let at_a = talk(&one, &anna).await?;
        let ben = agent(&b, "ben").await?;
        let two = caller(&b, "4930002").await?;
        let at_b = talk(&two, &ben).await?;
        calls(&b, 2).await?;
        Ok(Self {
            a,
            b,
            anna,
            _ben: ben,
            _callers: [one, two],
            at_a,
            at_b,
        })
    }
}

/// The other node ends the call of the lost one soon, and only that.
async fn is_ended(b: &Server, lost_at: Instant) -> anyhow::Result<()> {
    let ended = records(b, 1).await?;
    let took = lost_at.elapsed();
    ensure!(took < LOST_WITHIN, "it took {took:?}");
    ensure!(ended[0]["from"]["user"] == "4930001", "{ended:?}");
    ensure!(ended[0]["endReason"] == "NODE_LOST", "{ended:?}");
    ensure!(ended[0]["disposition"] == "ANSWERED", "{ended:?}");
    ensure!(ended[0]["incomplete"] == true, "{ended:?}");
    Ok(())
}

/// The agent of the ended call gets the next caller, the other call goes on.
async fn goes_on(
    b: &Server,
    anna: &Phone,
    at_b: (OutgoingCall, IncomingCall),
) -> anyhow::Result<()> {
    agent_is(b, "anna", "READY").await?;
    calls(b, 1).await?;
    let third = caller(b, "4930003").await?;
    let out = dial(&third, "support").await?;
    let call = incoming(anna).await?;
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    let (out, call) = at_b;
    call.hang_up().await?;
    out.wait_ended(PATIENCE).await?;
    let all = records(b, 3).await?;
    let of = |reason: &str| all.iter().filter(|one| one["endReason"] == reason).count();
    ensure!((of("NODE_LOST"), of("HANGUP")) == (1, 2), "{all:#?}");
    let (_, metrics) = b.get("/metrics").await?;
    ensure!(metrics.contains("ringledger_node_leads 1"), "{metrics}");
    ensure!(
        metrics.contains("ringledger_nodes_fenced_count 1"),
        "{metrics}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_of_a_killed_node_are_ended_by_the_other_whose_own_go_on() -> anyhow::Result<()> {
    let mut nodes = Nodes::new(&["anna", "ben"]).await;
    let a = nodes.start("a").await?;
    let talking = Talking::start(&mut nodes, a).await?;
    let lost_at = Instant::now();
    talking.a.kill().await?;
    is_ended(&talking.b, lost_at).await?;
    goes_on(&talking.b, &talking.anna, talking.at_b).await?;
    talking.b.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_paused_for_longer_than_its_lease_stops_when_it_wakes() -> anyhow::Result<()>
{
    let mut nodes = Nodes::new(&["anna", "ben"]).await;
    let a = nodes.start("a").await?;
    let talking = Talking::start(&mut nodes, a).await?;
    let lost_at = Instant::now();
    talking.a.signal(libc::SIGSTOP)?;
    is_ended(&talking.b, lost_at).await?;
    talking.a.signal(libc::SIGCONT)?;
    // It lets its caller go, and ends for whoever watches it to start it again.
    talking.at_a.0.wait_ended(PATIENCE).await?;
    let status = talking.a.exited().await?;
    ensure!(!status.success(), "it exited with {status}");
    goes_on(&talking.b, &talking.anna, talking.at_b).await?;
    talking.b.stop().await
}

/// Passes connections on, as long as it is open.
async fn cut(to: SocketAddr) -> anyhow::Result<(SocketAddr, watch::Sender<bool>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (open, is_open) = watch::channel(true);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut is_open = is_open.clone();
            tokio::spawn(async move {
                if !*is_open.borrow() {
                    return;
                }
                let Ok(mut far) = TcpStream::connect(to).await else {
                    return;
                };
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    _ = is_open.wait_for(|open| !open) => {}
                }
            });
        }
    });
    Ok((address, open))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_cut_off_from_the_database_stops_when_it_is_back() -> anyhow::Result<()> {
    let mut nodes = Nodes::new(&["anna", "ben"]).await;
    let address = nodes.url().split(['@', '/']).nth(3);
    let address = address.context("host and port")?.to_owned();
    let (through, open) = cut(address.parse()?).await?;
    let mut setup = nodes.setup("a")?;
    setup.store_url = Some(nodes.url().replace(&address, &through.to_string()));
    let a = Server::start(&setup).await?;
    let talking = Talking::start(&mut nodes, a).await?;
    let lost_at = Instant::now();
    open.send_replace(false);
    is_ended(&talking.b, lost_at).await?;
    open.send_replace(true);
    talking.at_a.0.wait_ended(PATIENCE).await?;
    let status = talking.a.exited().await?;
    ensure!(!status.success(), "it exited with {status}");
    goes_on(&talking.b, &talking.anna, talking.at_b).await?;
    talking.b.stop().await
}

/// Longer than any lease.
const STEP_S: i64 = 3_600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_lost_because_the_clock_of_the_database_was_set() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    std::fs::write(&clock, 0_i64.to_ne_bytes())?;
    // The database runs as somebody else.
    machine::let_read(folder.path())?;
    let settings = Settings {
        environment: machine::clock_of(&clock)?,
        ..Settings::default()
    };
    let cluster = tokio::task::spawn_blocking(move || Cluster::start(&settings)).await?;
    let cluster = cluster.map_err(anyhow::Error::msg)?;
    let mut nodes = Nodes::on(&cluster.url("postgres"), &["anna", "ben"]);
    let a = nodes.start("a").await?;
    let talking = Talking::start(&mut nodes, a).await?;
    for step in [STEP_S, -STEP_S] {
        machine::set_clock(&clock, step)?;
        // Each has checked in since, more than once, and looked at the other.
        for _ in 0..3 {
            tokio::try_join!(beats(&talking.a, "b"), beats(&talking.b, "a"))?;
        }
        calls(&talking.a, 2).await?;
        calls(&talking.b, 2).await?;
    }
    for node in [&talking.a, &talking.b] {
        let (_, metrics) = node.get("/metrics").await?;
        ensure!(
            !metrics.contains("ringledger_nodes_fenced_count"),
            "{metrics}"
        );
    }
    // A node that is killed now is missed as soon as ever.
    let lost_at = Instant::now();
    talking.a.kill().await?;
    is_ended(&talking.b, lost_at).await?;
    goes_on(&talking.b, &talking.anna, talking.at_b).await?;
    talking.b.stop().await
}

/// Waits until that node has given another sign of life, as `server` sees it.
async fn beats(server: &Server, name: &str) -> anyhow::Result<()> {
    const QUERY: &str = "{ nodes { name lastBeatAt } }";
    let seen = |answer: &serde_json::Value| {
        let all = answer["nodes"].as_array().cloned().unwrap_or_default();
        let one = all.into_iter().find(|node| node["name"] == name);
        one.map(|node| node["lastBeatAt"].clone())
    };
    // A node that has just come is seen with the next look at the list.
    let first = server
        .until(QUERY, |answer| seen(answer).is_some())
        .await
        .with_context(|| format!("{name} is there"))?;
    let first = seen(&first);
    server
        .until(QUERY, |answer| {
            let now = seen(answer);
            now.is_some() && now != first
        })
        .await?;
    Ok(())
}

/// A phone rings for so long.
const RING: Duration = Duration::from_secs(4);
/// And on the slowest machine no longer than this.
const RING_MAX: Duration = Duration::from_secs(9);
const SHORT_RING: &str = "[[queue]]\nname = \"support\"\nanswer_mode = \"on_agent\"\n\
                          ring_timeout_ms = 4000\nwrap_up_ms = 0\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_that_rings_when_the_leader_dies_is_taken_back_at_its_time_and_once()
-> anyhow::Result<()> {
    let mut nodes = Nodes::new(&["ben"])
        .await
        .with(SHORT_RING, "lease_ms = 1000");
    let a = nodes.start("a").await?;
    let b = nodes.start("b").await?;
    let ben = agent(&b, "ben").await?;
    let phone = caller(&b, "4930001").await?;
    let out = dial(&phone, "support").await?;
    let rings = incoming(&ben).await?;
    rings.ring().await?;
    // Who looks after the time of that ring is gone.
    a.kill().await?;
    let ended = tokio::time::timeout(PATIENCE, rings.cancelled()).await;
    ended.context("it rings for ever")?;
    out.cancel().await?;
    let records = records(&b, 1).await?;
    let call = &records[0]["callId"];
    let query = format!(
        "{{ events(filter: {{callId: {call}, types: [\"offer_started\", \"offer_ended\"]}}, first: 100) \
         {{ nodes {{ type at payload }} }} }}"
    );
    let answer = b.graphql(&query, serde_json::Value::Null).await?;
    let told = answer["events"]["nodes"].as_array().context("a list")?;
    let began = told.iter().find(|event| event["type"] == "offer_started");
    let of = |end: &serde_json::Value| end["payload"].to_string();
    let mut unanswered = told.iter().filter(|event| of(event).contains("no_answer"));
    let (Some(began), Some(ended), None) = (began, unanswered.next(), unanswered.next()) else {
        anyhow::bail!("{told:#?}");
    };
    // By the record: this test may hear of it late.
    let took = micros(&ended["at"])? - micros(&began["at"])?;
    let took = Duration::from_micros(u64::try_from(took)?);
    // The ring counts from when its agent was reserved, a moment before.
    let earliest = RING - Duration::from_secs(1);
    ensure!(took > earliest && took < RING_MAX, "it took {took:?}");
    b.stop().await
}
