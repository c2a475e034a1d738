//! Subscriptions: nothing missed, nothing twice, nothing that a query denies.

use crate::{client::Client, world::World};
use ringledger_graphql::Options;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const EVENTS: &str = "subscription S($after: Cursor, $filter: CallEventFilter) { \
    callEvents(after: $after, filter: $filter) { cursor type category callId payload } }";

async fn event(client: &mut Client, id: &str) -> Value {
    client.data(id).await["callEvents"].clone()
}

/// Positions of all events of calls, as the log has them.
async fn recorded(world: &World) -> Vec<String> {
    let page = world
        .stores
        .log
        .read_all(Default::default(), 1_000_000)
        .await
        .unwrap();
    page.events
        .iter()
        .filter(|event| ["call", "line"].contains(&event.stream.category()))
        .map(|event| event.position.to_string())
        .collect()
}

#[tokio::test]
async fn events_are_told_from_the_start_then_live() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let first = world.ring(queue, "zoe").await;
    let mut client = Client::admitted(&world, &world.admin).await;
    client.subscribe("1", EVENTS, json!({"after": "0"})).await;
    let received = event(&mut client, "1").await;
    assert_eq!(received["type"], "call_received");
    assert!(!received["payload"].to_string().contains("zoe"));
    world.hang_up(&first, first.leg).await;
    loop {
        let told = event(&mut client, "1").await;
        assert_eq!(told["callId"], received["callId"]);
        if told["type"] == "call_ended" {
            break;
        }
    }
}

#[tokio::test]
async fn without_a_cursor_events_start_now_and_filters_hold() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let before = world.ring(queue, "zoe").await;
    let mut client = Client::admitted(&world, &world.admin).await;
    let filter = json!({"filter": {"types": ["call_ended"]}});
    client.subscribe("all", EVENTS, filter).await;
    let other = world.ring(queue, "1002").await;
    let filter = json!({"after": "0", "filter": {"callId": other.call.to_string(), "types": ["call_received", "call_ended"]}});
    client.subscribe("one", EVENTS, filter).await;
    let received = client.data("one").await["callEvents"].clone();
    assert_eq!(received["type"], "call_received");
    world.hang_up(&before, before.leg).await;
    let ended = client.data("all").await["callEvents"].clone();
    assert_eq!(ended["type"], "call_ended");
    assert_ne!(ended["callId"], received["callId"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_reconnects_misses_nothing_and_sees_nothing_twice() {
    const WRITERS: usize = 4;
    const CALLS: usize = 40;
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let write = async {
        let writers = (0..WRITERS).map(async |writer| {
            for number in 0..CALLS {
                let ringing = world.ring(queue, &format!("{writer}{number}")).await;
                world.hang_up(&ringing, ringing.leg).await;
            }
        });
        futures_util::future::join_all(writers).await;
        world.head()
    };
    // Reads a few, goes away in the middle of things, and comes back.
    let read = async {
        let mut told: Vec<String> = vec![];
        let mut after = String::from("0");
        let mut rounds = 0;
        let mut done = None;
        let mut write = std::pin::pin!(write);
        loop {
            rounds += 1;
            let mut client = Client::admitted(&world, &world.admin).await;
            client.subscribe("1", EVENTS, json!({"after": after})).await;
            for _ in 0..rounds * 3 {
                let item = match done {
                    None => tokio::select! {
                        item = event(&mut client, "1") => item,
                        head = &mut write => {
                            done = Some(head);
                            continue;
                        }
                    },
                    Some(_) => event(&mut client, "1").await,
                };
                after = item["cursor"].as_str().unwrap().to_owned();
                told.push(after.clone());
                if done.is_some_and(|head: u64| after == last_of(&world, head)) {
                    return told;
                }
            }
        }
    };
    let told = read.await;
    let recorded = recorded(&world).await;
    assert_eq!(told.len(), recorded.len());
    assert_eq!(told, recorded);
    assert!(recorded.len() > WRITERS * CALLS * 4);
}

/// The last event of all belongs to a call: the writers end with one.
fn last_of(world: &World, head: u64) -> String {
    assert_eq!(world.head(), head);
    head.to_string()
}

#[tokio::test]
async fn a_slow_client_gets_every_event_in_the_end() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let mut client = Client::admitted(&world, &world.admin).await;
    client.subscribe("1", EVENTS, json!({"after": "0"})).await;
    // It reads nothing while far more is written than any buffer holds.
    for number in 0..400 {
        let ringing = world.ring(queue, &number.to_string()).await;
        world.hang_up(&ringing, ringing.leg).await;
    }
    let recorded = recorded(&world).await;
    for position in recorded {
        assert_eq!(event(&mut client, "1").await["cursor"], position);
    }
}

const CALLS: &str = "subscription { activeCalls { kind cursor callId calls { id state } \
    call { id state from { user } } missed } }";

#[tokio::test]
async fn active_calls_are_a_snapshot_then_what_comes_changes_and_goes() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let agent = world.agent("ann", queue).await;
    let first = world.ring(queue, "zoe").await;
    let position = world.head().to_string();
    let query = "query Q($p: Cursor) { activeCalls(minPosition: $p) { nodes { id state } } }";
    let known = world.ask(query, json!({"p": position})).await.data();

    let mut client = Client::admitted(&world, &world.admin).await;
    client.subscribe("1", CALLS, json!({})).await;
    let snapshot = client.data("1").await["activeCalls"].clone();
    assert_eq!(snapshot["kind"], "SNAPSHOT");
    assert_eq!(snapshot["calls"], known["activeCalls"]["nodes"]);

    let second = world.ring(queue, "1002").await;
    let added = client.data("1").await["activeCalls"].clone();
    assert_eq!(
        (&added["kind"], &added["call"]["from"]["user"]),
        (&json!("ADDED"), &json!("1002"))
    );

    let leg = world.connect(&second, agent).await;
    loop {
        let changed = client.data("1").await["activeCalls"].clone();
        assert_eq!(
            (&changed["kind"], &changed["callId"]),
            (&json!("CHANGED"), &added["callId"])
        );
        if changed["call"]["state"] == "CONNECTED" {
            break;
        }
    }
    world.hang_up(&second, leg).await;
    let removed = client.data("1").await["activeCalls"].clone();
    assert_eq!(
        (&removed["kind"], &removed["callId"]),
        (&json!("REMOVED"), &added["callId"])
    );
    assert_eq!(removed["call"], json!(null));
    world.hang_up(&first, first.leg).await;
    let removed = client.data("1").await["activeCalls"].clone();
    assert_eq!(removed["callId"], snapshot["calls"][0]["id"]);
}

#[tokio::test]
async fn a_call_that_leaves_the_filter_is_removed() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let agent = world.agent("ann", queue).await;
    let mut client = Client::admitted(&world, &world.admin).await;
    let query = "subscription { activeCalls(filter: {states: [WAITING]}) { kind callId } }";
    client.subscribe("1", query, json!({})).await;
    assert_eq!(client.data("1").await["activeCalls"]["kind"], "SNAPSHOT");
    let ringing = world.ring(queue, "zoe").await;
    assert_eq!(client.data("1").await["activeCalls"]["kind"], "ADDED");
    world.connect(&ringing, agent).await;
    assert_eq!(client.data("1").await["activeCalls"]["kind"], "REMOVED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_that_follows_shows_what_a_query_shows() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let write = async {
        let mut open = vec![];
        for number in 0..100 {
            open.push(world.ring(queue, &number.to_string()).await);
            if number % 3 != 0 {
                let ringing = open.remove(0);
                world.hang_up(&ringing, ringing.leg).await;
            }
        }
        // Items of one commit come in any order: the last change that a board
        // sees has a commit of its own.
        let query = "query Q($p: Cursor) { activeCalls(minPosition: $p) { nodes { id } } }";
        let position = json!({"p": world.head().to_string()});
        world.ask(query, position).await.data();
        world.ring(queue, "last").await;
        world.head()
    };
    let follow = async {
        let mut client = Client::admitted(&world, &world.admin).await;
        client.subscribe("1", CALLS, json!({})).await;
        let mut board = BTreeMap::new();
        loop {
            let item = client.data("1").await["activeCalls"].clone();
            for call in item["calls"].as_array().unwrap_or(&vec![]) {
                board.insert(call["id"].to_string(), call["state"].clone());
            }
            match item["kind"].as_str().unwrap() {
                "SNAPSHOT" | "LAGGED" => {}
                "REMOVED" => {
                    board
                        .remove(&item["callId"].to_string())
                        .expect("it was there");
                }
                _ => {
                    board.insert(item["callId"].to_string(), item["call"]["state"].clone());
                }
            }
            if item["call"]["from"]["user"] == "last" {
                return board;
            }
        }
    };
    let (head, board) = tokio::join!(write, follow);
    let query = "query Q($p: Cursor) { \
        activeCalls(first: 100, minPosition: $p) { nodes { id state } } }";
    let now = world
        .ask(query, json!({"p": head.to_string()}))
        .await
        .data();
    let now: BTreeMap<_, _> = now["activeCalls"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| (call["id"].to_string(), call["state"].clone()))
        .collect();
    assert_eq!(board, now);
}

#[tokio::test]
async fn agents_are_a_snapshot_then_changes() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let agent = world.agent("ann", queue).await.to_string();
    let query = "query Q { agents { nodes { id } } }";
    let mut client = Client::admitted(&world, &world.admin).await;
    let states = "subscription S($q: ID) { agentStates(queueId: $q) { \
        kind agentId agents { name state } agent { name state reason } cursor } }";
    // The view may be a moment behind the mutation.
    let position = json!({"p": world.head().to_string()});
    world
        .ask(
            "query Q($p: Cursor) { agents(minPosition: $p) { nodes { id } } }",
            position,
        )
        .await
        .data();
    client
        .subscribe("1", states, json!({"q": queue.to_string()}))
        .await;
    let snapshot = client.data("1").await["agentStates"].clone();
    assert_eq!(snapshot["kind"], "SNAPSHOT");
    assert_eq!(
        snapshot["agents"],
        json!([{"name": "ann", "state": "LOGGED_OUT"}])
    );

    world
        .order("agentReady", json!({"agentId": agent}), "position")
        .await;
    let changed = client.data("1").await["agentStates"].clone();
    assert_eq!(changed["kind"], "CHANGED");
    assert_eq!(changed["agent"]["state"], "READY");

    let input = json!({"agentId": agent, "reason": "MEETING"});
    world.order("agentNotReady", input, "position").await;
    let changed = client.data("1").await["agentStates"].clone();
    assert_eq!(
        changed["agent"],
        json!({"name": "ann", "state": "NOT_READY", "reason": "MEETING"})
    );

    // Of another queue: not told. Of this one: added.
    let other = world.queue("support").await;
    world.agent("bob", other).await;
    world.agent("cid", queue).await;
    let added = client.data("1").await["agentStates"].clone();
    assert_eq!(
        (&added["kind"], &added["agent"]["name"]),
        (&json!("ADDED"), &json!("cid"))
    );
    let all = world.data(query).await;
    assert_eq!(all["agents"]["nodes"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn statistics_are_a_snapshot_then_coalesced() {
    let options = Options {
        statistics_interval_ms: 300,
        ..Options::default()
    };
    let world = World::start_with(options).await;
    let queue = world.queue("sales").await;
    world.queue("support").await;
    let position = json!({"p": world.head().to_string()});
    world
        .ask(
            "query Q($p: Cursor) { queues(minPosition: $p) { nodes { id } } }",
            position,
        )
        .await
        .data();
    let mut client = Client::admitted(&world, &world.admin).await;
    let query = "subscription { queueStats { name at waitingCount today { offeredCount } } }";
    client.subscribe("1", query, json!({})).await;
    let started = std::time::Instant::now();
    let mut names = vec![];
    for _ in 0..2 {
        names.push(client.data("1").await["queueStats"]["name"].clone());
    }
    assert_eq!(names, [json!("sales"), json!("support")]);
    for number in 0..30 {
        world.ring(queue, &number.to_string()).await;
    }
    let mut items = 0;
    loop {
        let item = client.data("1").await["queueStats"].clone();
        assert_eq!(item["name"], "sales", "only what has changed is told");
        items += 1;
        if item["waitingCount"] == 30 {
            break;
        }
    }
    // One for each interval that was begun, whatever the number of changes.
    let intervals = started.elapsed().as_millis() / 300 + 1;
    assert!(items <= intervals, "{items} items in {intervals} intervals");
}
