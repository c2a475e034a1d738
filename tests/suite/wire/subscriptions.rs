//! Followers of the record: nothing is missed, nothing comes twice.

use crate::{
    socket::{Came, Client},
    support::{PATIENCE, agent_is, caller, calls, dial, events, setup},
};
use anyhow::{Context as _, ensure};
use phone::{AgentScript, CallOptions, Phone, PhoneOptions, Talk};
use ringledger_tests::{
    luck::Luck,
    server::{Server, Setup, TOKEN},
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet, time::Instant};

const CALLERS: u32 = 5;
const EVENTS: &str = "subscription($after: Cursor) { callEvents(after: $after) { cursor eventId \
                      category type version at callId agentId queueId payload } }";
/// A caller gives up when nothing happens: the server is dead, mostly.
const CALLER_PATIENCE: Duration = Duration::from_millis(800);
/// How long calls go on.
const LOAD: Duration = Duration::from_secs(4);
/// How long the server is up between two kills.
const LIFE: Duration = Duration::from_millis(1_200);

/// Five callers and two agents, until told to stop.
async fn load(server: &Server, stopped: watch::Receiver<bool>) -> anyhow::Result<JoinSet<()>> {
    let mut people = JoinSet::new();
    for name in ["anna", "ben"] {
        let mut options =
            PhoneOptions::new(server.sip, name).with_password(format!("{name}-secret"));
        // One that hangs up on a dead server knows soon that it is dead.
        options.t1_ms = 100;
        let phone = Phone::bind(options).await?;
        phone.register(3_600).await?;
        let script = AgentScript {
            talk: Talk::ForMs(60),
            ..AgentScript::default()
        };
        let mut stopped = stopped.clone();
        people.spawn(async move {
            let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
            phone.run_agent(script, until).await;
        });
    }
    for number in 0..CALLERS {
        people.spawn(keep_calling(server.sip, number, stopped.clone()));
    }
    Ok(people)
}

async fn keep_calling(server: SocketAddr, number: u32, stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let mut options = PhoneOptions::new(server, format!("49301{number:05}"));
        options.t1_ms = 100;
        let Ok(phone) = Phone::bind(options).await else {
            continue;
        };
        let Ok(call) = phone.call("support", CallOptions::default()).await else {
            continue;
        };
        if call.wait_answered(CALLER_PATIENCE).await.is_ok() {
            let _ = call.wait_ended(CALLER_PATIENCE).await;
            let _ = call.hang_up().await;
        } else {
            let _ = call.cancel().await;
        }
    }
}

/// What a follower has seen, and how often it came back.
#[derive(Default)]
struct Seen {
    events: Vec<Value>,
    last: u64,
    connections: u32,
}

impl Seen {
    fn take(&mut self, event: &Value) -> anyhow::Result<()> {
        let cursor: u64 = event["cursor"].as_str().context("a cursor")?.parse()?;
        ensure!(cursor > self.last, "{cursor} after {}: {event}", self.last);
        self.last = cursor;
        self.events.push(event.clone());
        Ok(())
    }
}

/// Follows from the beginning, and loses the connection at random moments,
/// until it has seen the end, once that is known.
async fn follow(
    address: Arc<Mutex<SocketAddr>>,
    mut end: watch::Receiver<Option<u64>>,
    mut luck: Luck,
) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    loop {
        let known = *end.borrow_and_update();
        if known.is_some_and(|end| seen.last >= end) {
            return Ok(seen);
        }
        let at = *address.lock().expect("nobody panics while holding it");
        let Ok(mut client) = Client::admitted(at).await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let after = json!({ "after": seen.last.to_string() });
        if client.subscribe(EVENTS, after).await.is_err() {
            continue;
        }
        seen.connections += 1;
        let until = Instant::now() + Duration::from_millis(5 + luck.below(250));
        loop {
            let Ok(came) = tokio::time::timeout_at(until, client.came()).await else {
                break;
            };
            match came? {
                Came::Message(message) if message["type"] == "next" => {
                    ensure!(message["payload"]["errors"].is_null(), "{message:#}");
                    seen.take(&message["payload"]["data"]["callEvents"])?;
                }
                Came::Message(message) => anyhow::bail!("{message}"),
                Came::Closed(_) => break,
            }
        }
    }
}

/// Everything up to the end, by a client that is never disturbed.
async fn scan(server: &Server, end: u64) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    let mut client = Client::admitted(server.http).await?;
    client.subscribe(EVENTS, json!({ "after": "0" })).await?;
    while seen.last < end {
        seen.take(&client.data().await?["callEvents"])?;
    }
    Ok(seen)
}

/// Puts a last call on the record; returns the position of its end.
async fn last_call(server: &Server) -> anyhow::Result<u64> {
    calls(server, 0).await?;
    for name in ["anna", "ben"] {
        agent_is(server, name, "READY").await?;
    }
    let phone = caller(server, "49399999").await?;
    let out = dial(&phone, "nowhere").await?;
    ensure!(
        out.wait_ended(PATIENCE).await?.status == Some(404),
        "nowhere is not unknown"
    );
    let query =
        "{ cdrs(first: 1, filter: { from: \"49399999\" }) { nodes { eventPositionLast } } }";
    let answer = server
        .until(query, |answer| answer["cdrs"]["nodes"][0].is_object())
        .await?;
    let end = &answer["cdrs"]["nodes"][0]["eventPositionLast"];
    Ok(end.as_str().context("a position")?.parse()?)
}

/// The follower under load; the server is killed so many times meanwhile.
async fn misses_nothing(kills: u32, seed: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = setup(folder.path(), &["anna", "ben"]);
    let mut server = Server::start(&setup).await?;
    setup.sip = server.sip;
    let (stop, stopped) = watch::channel(false);
    let (tell_end, end) = watch::channel(None);
    let address = Arc::new(Mutex::new(server.http));
    let followers: Vec<_> = (0..3)
        .map(|number| tokio::spawn(follow(address.clone(), end.clone(), Luck(seed + number))))
        .collect();
    let mut people = load(&server, stopped).await?;
    for _ in 0..kills {
        tokio::time::sleep(LIFE).await;
        server.kill().await?;
        server = Server::start(&setup).await?;
        *address.lock().expect("nobody panics while holding it") = server.http;
    }
    tokio::time::sleep(LOAD).await;
    stop.send_replace(true);
    while let Some(done) = people.join_next().await {
        done?;
    }
    let end = last_call(&server).await?;
    tell_end.send_replace(Some(end));
    let whole = scan(&server, end).await?;
    for follower in followers {
        let seen = tokio::time::timeout(PATIENCE, follower)
            .await
            .context("it stays behind")???;
        ensure!(
            seen.connections > 10,
            "only {} connections",
            seen.connections
        );
        same(&seen.events, &whole.events)?;
    }
    server.stop().await?;
    agrees_with_the_log(&setup, &whole).await
}

fn same(seen: &[Value], whole: &[Value]) -> anyhow::Result<()> {
    for (number, (one, other)) in seen.iter().zip(whole).enumerate() {
        ensure!(
            one == other,
            "event {number} is {one:#}, and {other:#} in the scan"
        );
    }
    ensure!(
        seen.len() == whole.len(),
        "{} events, {} in the scan",
        seen.len(),
        whole.len()
    );
    Ok(())
}

/// Every event of a call on the record is in the scan, in the same order.
async fn agrees_with_the_log(setup: &Setup, whole: &Seen) -> anyhow::Result<()> {
    let events = events(setup).await?;
    let of_calls: Vec<_> = events
        .iter()
        .filter(|event| event.stream.category() == "call")
        .map(|event| (event.position.to_string(), event.event_type.to_string()))
        .collect();
    let seen: Vec<_> = whole
        .events
        .iter()
        .filter(|event| event["category"] == "call")
        .filter_map(|event| {
            Some((
                event["cursor"].as_str()?.to_owned(),
                event["type"].as_str()?.to_owned(),
            ))
        })
        .collect();
    ensure!(
        of_calls == seen,
        "the log has {} events, {} were seen",
        of_calls.len(),
        seen.len()
    );
    ensure!(
        seen.len() > 200,
        "the load is too low: {} events",
        seen.len()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_comes_back_sees_every_event_exactly_once() -> anyhow::Result<()> {
    misses_nothing(0, 0x5eed_0010).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_comes_back_after_kill_9_sees_every_event_exactly_once() -> anyhow::Result<()>
{
    misses_nothing(3, 0x5eed_0020).await
}

#[tokio::test]
async fn a_socket_without_a_good_token_is_closed() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&setup(folder.path(), &[])).await?;
    let query = "subscription { callEvents { cursor } }";

    let mut client = Client::open(server.http).await?;
    client.init("no-such-token").await?;
    ensure!(
        client.came().await? == Came::Closed(4403),
        "a wrong token is let in"
    );

    let mut client = Client::open(server.http).await?;
    client.say(json!({ "type": "connection_init" })).await?;
    ensure!(
        client.came().await? == Came::Closed(4403),
        "no token is let in"
    );

    let mut client = Client::open(server.http).await?;
    client.subscribe(query, json!({})).await?;
    ensure!(
        client.came().await? == Came::Closed(4401),
        "it is served before connection_init"
    );

    let mut client = Client::open(server.http).await?;
    ensure!(
        client.came().await? == Came::Closed(4408),
        "it may wait for ever"
    );

    let mut client = Client::admitted(server.http).await?;
    client.init(TOKEN).await?;
    ensure!(
        client.came().await? == Came::Closed(4429),
        "a second connection_init is taken"
    );
    server.stop().await
}
