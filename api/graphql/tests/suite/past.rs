//! What was: boards and calls at any moment, and the record itself.

use crate::{
    fence::reserved,
    world::{World, uuid},
};
use domain::id::{OfferId, SessionId};
use ringledger_graphql::auth::Scope;
use serde_json::{Value, json};

const ROWS: &str = "activeCalls { nodes { id state from { user } queue { name waitingCount } \
     agent { name state } position timeline(first: 100) { nodes { type } } } } \
     agents { nodes { id name state since call { id state } queues { name } position } } \
     queues { nodes { id name waitingCount agents { nodes { name state } } position \
     statistics { waitingCount matchedCount agentsByState { state count } \
     total { offeredCount answeredCount } } } }";

/// The live boards, and the position that they are all at.
async fn live(world: &World) -> (u64, Value) {
    let head = world.head();
    let query = ROWS
        .replace("activeCalls {", "activeCalls(minPosition: $p) {")
        .replace(
            "agents { nodes { id",
            "agents(minPosition: $p) { nodes { id",
        )
        .replace(
            "queues { nodes { id",
            "queues(minPosition: $p) { nodes { id",
        );
    let query = format!("query Q($p: Cursor) {{ {query} }}");
    let answer = world.ask(&query, json!({"p": head.to_string()})).await;
    (head, answer.data())
}

async fn then(world: &World, position: u64) -> Value {
    let query = format!("query Q($p: Cursor) {{ board(position: $p) {{ position {ROWS} }} }}");
    let answer = world.ask(&query, json!({"p": position.to_string()})).await;
    let mut board = answer.data()["board"].clone();
    let of = board.as_object_mut().unwrap().remove("position");
    assert_eq!(of, Some(json!(position.to_string())));
    board
}

#[tokio::test]
async fn a_board_of_the_past_is_what_the_live_board_showed_then() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let agent = world.agent("ann", queue).await;
    let mut seen = vec![live(&world).await];
    let first = world.ring(queue, "zoe").await;
    seen.push(live(&world).await);
    world.connect(&first, agent).await;
    seen.push(live(&world).await);
    let second = world.ring(queue, "1002").await;
    seen.push(live(&world).await);
    world.hang_up(&first, first.leg).await;
    seen.push(live(&world).await);
    world.hang_up(&second, second.leg).await;
    seen.push(live(&world).await);
    assert_eq!(seen[2].1["activeCalls"]["nodes"][0]["agent"]["name"], "ann");
    for (position, board) in &seen {
        assert_eq!(then(&world, *position).await, *board, "{position}");
    }
}

#[tokio::test]
async fn a_board_is_of_the_instant_at_which_its_event_happened_and_never_of_the_future() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    world.ring(queue, "zoe").await;
    let position = world.head();
    let query = "query Q($p: Cursor, $after: Cursor) { board(position: $p) { at } \
         events(after: $after, first: 1) { nodes { at } } }";
    let variables = json!({"p": position.to_string(), "after": (position - 1).to_string()});
    let answer = world.ask(query, variables).await.data();
    assert_eq!(answer["board"]["at"], answer["events"]["nodes"][0]["at"]);
    let query = "{ board(asOf: \"2999-01-01T00:00:00Z\") { at position queues { nodes { \
         statistics { longestWaitMs } } } } }";
    let board = world.ask(query, json!({})).await.data()["board"].clone();
    assert_eq!(board["position"], position.to_string());
    let at = board["at"].as_str().unwrap();
    assert!(at < "2999", "{at}");
    let wait_ms = &board["queues"]["nodes"][0]["statistics"]["longestWaitMs"];
    let wait_ms: u64 = wait_ms.as_str().unwrap().parse().unwrap();
    assert!(wait_ms < 3_600_000, "{wait_ms}");
}

#[tokio::test]
async fn an_agents_call_on_the_board_of_this_moment_has_its_whole_timeline() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let ask = async |position: u64| {
        let query = "query Q($p: Cursor) { board(position: $p) { agents { nodes { name call { id \
             timeline(first: 100) { nodes { type } } } } } } }";
        let answer = world.ask(query, json!({"p": position.to_string()})).await;
        answer.data()["board"]["agents"]["nodes"].clone()
    };
    let mut seen = vec![];
    for number in 0..10 {
        let agent = world.agent(&format!("ann{number}"), queue).await;
        let ringing = world.ring(queue, "zoe").await;
        let session = SessionId { agent, number: 1 };
        reserved(&world, session, queue, (&ringing, OfferId(uuid()))).await;
        world.connect(&ringing, agent).await;
        // At once, when the views may not know it yet.
        let position = world.head();
        let agents = ask(position).await;
        assert!(agents[number]["call"]["id"].is_string(), "{agents:#}");
        seen.push((position, agents));
    }
    live(&world).await;
    for (position, agents) in seen {
        assert_eq!(ask(position).await, agents, "{position}");
    }
}

#[tokio::test]
async fn a_call_is_shown_as_it_was_after_any_event() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    let agent = world.agent("ann", queue).await;
    let ringing = world.ring(queue, "zoe").await;
    let waiting = world.head();
    world.connect(&ringing, agent).await;
    let connected = world.head();
    world.hang_up(&ringing, ringing.leg).await;
    let query = "query Q($id: ID!, $p: Cursor) { callStateAt(callId: $id, position: $p) { \
         position version state answerMode callerLegId agentLegId agentId queueId holdingLegIds \
         call { state from { user } agent { name } disposition } } }";
    let ask = async |position: u64| {
        let variables = json!({"id": ringing.call.to_string(), "p": position.to_string()});
        world.ask(query, variables).await.data()["callStateAt"].clone()
    };
    assert_eq!(ask(1).await, json!(null));
    let then = ask(waiting).await;
    assert_eq!(then["state"], "WAITING");
    assert_eq!(then["call"]["from"]["user"], "zoe");
    assert_eq!(then["agentLegId"], json!(null));
    assert!(then["queueId"].is_string());
    let then = ask(connected).await;
    assert_eq!(then["state"], "CONNECTED");
    assert_eq!(then["call"]["agent"]["name"], "ann");
    assert_eq!(then["call"]["disposition"], json!(null));
    assert!(then["agentLegId"].is_string() && then["agentId"].is_string());
    let by_position = then;
    let then = ask(world.head()).await;
    assert_eq!(then["state"], "ENDED");
    assert_eq!(then["call"]["disposition"], "ANSWERED");
    // By the instant at which the store took the event.
    let taken_at = async |position: u64| {
        let query = "query Q($p: Cursor) { events(after: $p, first: 1) { nodes { recordedAt } } }";
        let answer = world
            .ask(query, json!({"p": (position - 1).to_string()}))
            .await;
        answer.data()["events"]["nodes"][0]["recordedAt"].clone()
    };
    let at_query = query
        .replace("$p: Cursor", "$at: DateTime")
        .replace("position: $p", "at: $at");
    let ask_at = async |at: Value| {
        let variables = json!({"id": ringing.call.to_string(), "at": at});
        world.ask(&at_query, variables).await.data()["callStateAt"].clone()
    };
    let then = ask_at(taken_at(connected).await).await;
    assert_eq!(then, by_position);
    assert_eq!(ask_at(json!("1960-01-01T00:00:00Z")).await, json!(null));
    let then = ask_at(json!("2999-01-01T00:00:00Z")).await;
    assert_eq!(then["state"], "ENDED");
    let answer = world
        .ask(query, json!({"id": ringing.call.to_string()}))
        .await;
    assert_eq!(answer.code(), "VALIDATION_ERROR");
    let late = json!({"id": ringing.call.to_string(), "p": "999999"});
    assert_eq!(world.ask(query, late).await.code(), "VALIDATION_ERROR");
}

#[tokio::test]
async fn the_record_tells_who_caused_each_event_and_no_names() {
    let world = World::start().await;
    let queue = world.queue("sales").await;
    world.agent("ann", queue).await;
    let ringing = world.ring(queue, "zoe").await;
    let query = "query Q($f: EventFilterInput, $after: Cursor, $first: Int) { \
         events(filter: $f, after: $after, first: $first) { scannedTo \
         pageInfo { hasNextPage endCursor } nodes { cursor eventId stream version type \
         schemaVersion at recordedAt commandId correlationId causationId actor nodeEpoch \
         tenantId payload } } }";
    let mut all: Vec<Value> = vec![];
    let mut after = json!(null);
    loop {
        let variables = json!({"after": after, "first": 3});
        let page = world.ask(query, variables).await.data()["events"].clone();
        all.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(all.len() as u64, world.head());
    assert!(
        all.iter()
            .all(|event| event["nodeEpoch"] == 1 && event["at"].is_string())
    );
    let text = json!(all).to_string();
    assert!(!text.contains("zoe"), "personal data is sealed");
    let received = all
        .iter()
        .find(|event| event["type"] == "call_received")
        .unwrap();
    assert!(received["payload"]["from"]["data"].is_string());
    let stream = format!("call-{}", ringing.call);
    assert_eq!(received["stream"], stream);
    let of_call = json!({"f": {"streams": [stream], "types": ["call_received"]}});
    let found = world.ask(query, of_call).await.data()["events"]["nodes"].clone();
    assert_eq!(found, json!([received]));
    let by_command = json!({"f": {"commandId": received["commandId"]}});
    let found = world.ask(query, by_command).await.data()["events"]["nodes"].clone();
    assert!(found.as_array().unwrap().contains(received));
    let of_nobody = json!({"f": {"actor": "token:nobody"}});
    let found = world.ask(query, of_nobody).await.data()["events"].clone();
    assert_eq!(found["nodes"], json!([]));
    assert_eq!(found["scannedTo"], world.head().to_string());
    let both = json!({"f": {"streams": ["a"], "callId": ringing.call.to_string()}});
    assert_eq!(world.ask(query, both).await.code(), "VALIDATION_ERROR");
}

#[tokio::test]
async fn the_past_opens_only_to_those_who_may_see_the_present() {
    let world = World::start().await;
    let reader = world.token(&[Scope::CallRead]).await;
    for (query, is_open) in [
        ("{ events { nodes { type } } }", false),
        (
            "{ board(position: 0) { position activeCalls { nodes { id } } } }",
            true,
        ),
        ("{ board(position: 0) { agents { nodes { id } } } }", false),
        ("{ board(position: 0) { queues { nodes { id } } } }", false),
    ] {
        let answer = world.ask_as(&reader, query, json!({})).await;
        if is_open {
            answer.data();
        } else {
            assert_eq!(answer.code(), "AUTHORIZATION_ERROR", "{query}");
        }
    }
}
