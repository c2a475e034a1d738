//! The protocol graphql-transport-ws, rule by rule.

use crate::{
    client::{Client, PATIENCE},
    world::{World, uuid},
};
use ringledger_graphql::{
    Options,
    auth::{Scope, revoke_token},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::{self, Message};

const STATISTICS: &str = "subscription { queueStats { name } }";

#[tokio::test]
async fn only_that_protocol_is_spoken() {
    let world = World::start().await;
    for protocol in [None, Some("graphql-ws")] {
        let refused = Client::open_as(&world, protocol).await.err();
        let Some(tungstenite::Error::Http(response)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(response.status(), 400);
    }
}

#[tokio::test]
async fn queries_and_mutations_are_answered_and_completed() {
    let world = World::start().await;
    let mut client = Client::admitted(&world, &world.admin).await;
    client.subscribe("1", "{ me { name } }", json!({})).await;
    assert_eq!(client.data("1").await, json!({"me": {"name": "admin"}}));
    assert_eq!(client.next().await, json!({"type": "complete", "id": "1"}));
    // The id is free again.
    let mutation = format!(
        "mutation {{ createQueue(input: {{commandId: \"{}\", name: \"sales\"}}) {{ queue {{ name }} }} }}",
        uuid()
    );
    client.subscribe("1", &mutation, json!({})).await;
    assert_eq!(
        client.data("1").await["createQueue"]["queue"]["name"],
        "sales"
    );
    assert_eq!(client.next().await["type"], "complete");
}

#[tokio::test]
async fn a_ping_is_answered_at_any_time() {
    let world = World::start().await;
    let mut client = Client::open(&world).await;
    client.say(json!({"type": "ping"})).await;
    assert_eq!(client.next().await, json!({"type": "pong"}));
    client
        .say(json!({"type": "ping", "payload": {"a": 1}}))
        .await;
    assert_eq!(client.next().await, json!({"type": "pong"}));
    client.say(json!({"type": "pong"})).await;
    client.init(&world.admin).await;
    assert_eq!(client.next().await["type"], "connection_ack");
}

#[tokio::test]
async fn nothing_is_done_before_the_token_was_shown() {
    let world = World::start().await;
    let mut client = Client::open(&world).await;
    client.subscribe("1", "{ me { name } }", json!({})).await;
    assert_eq!(client.closed().await, 4401);
}

#[tokio::test]
async fn a_token_that_is_wrong_or_missing_is_forbidden() {
    let world = World::start().await;
    for init in [
        json!({"type": "connection_init"}),
        json!({"type": "connection_init", "payload": {}}),
        json!({"type": "connection_init", "payload": {"authorization": "Bearer rl_wrong"}}),
        json!({"type": "connection_init", "payload": {"authorization": world.admin}}),
    ] {
        let mut client = Client::open(&world).await;
        client.say(init).await;
        assert_eq!(client.closed().await, 4403);
    }
}

#[tokio::test]
async fn who_does_not_say_who_it_is_in_time_is_closed() {
    let options = Options {
        init_timeout_ms: 50,
        ..Options::default()
    };
    let world = World::start_with(options).await;
    let mut client = Client::open(&world).await;
    assert_eq!(client.closed().await, 4408);
}

#[tokio::test]
async fn a_second_init_a_second_use_of_an_id_and_nonsense_close_the_socket() {
    let world = World::start().await;
    let mut client = Client::admitted(&world, &world.admin).await;
    client.init(&world.admin).await;
    assert_eq!(client.closed().await, 4429);

    let mut client = Client::admitted(&world, &world.admin).await;
    client.subscribe("1", STATISTICS, json!({})).await;
    client.subscribe("1", STATISTICS, json!({})).await;
    assert_eq!(client.closed().await, 4409);

    for nonsense in [
        "",
        "{",
        "{}",
        "[]",
        "{\"type\":\"connection_terminate\"}",
        "{\"type\":\"subscribe\"}",
    ] {
        let mut client = Client::admitted(&world, &world.admin).await;
        client.raw(Message::text(nonsense)).await;
        assert_eq!(client.closed().await, 4400, "{nonsense}");
    }
}

#[tokio::test]
async fn what_can_not_be_run_is_an_error_and_the_socket_goes_on() {
    let world = World::start().await;
    let token = world.token(&[Scope::CallRead]).await;
    let mut client = Client::admitted(&world, &token).await;
    for (query, code) in [
        ("subscription { nothing }", "VALIDATION_ERROR"),
        ("{", "VALIDATION_ERROR"),
        (STATISTICS, "AUTHORIZATION_ERROR"),
        (
            "subscription { callEvents(after: \"999999\") { type } }",
            "STALE",
        ),
        (
            "subscription { activeCalls(filter: {queueIds: [\"x\"]}) { kind } }",
            "VALIDATION_ERROR",
        ),
    ] {
        client.subscribe("1", query, json!({})).await;
        let message = client.next().await;
        assert_eq!(
            (&message["type"], &message["id"]),
            (&json!("error"), &json!("1")),
            "{query}"
        );
        assert_eq!(message["payload"][0]["extensions"]["code"], code, "{query}");
        assert!(message["payload"][0]["extensions"]["traceId"].is_string());
    }
    client.subscribe("1", "{ me { name } }", json!({})).await;
    assert_eq!(client.data("1").await["me"]["name"], "test");
}

#[tokio::test]
async fn operations_of_one_socket_are_limited() {
    let options = Options {
        subscriptions_max: 2,
        ..Options::default()
    };
    let world = World::start_with(options).await;
    let mut client = Client::admitted(&world, &world.admin).await;
    let query = "subscription { activeCalls { kind } }";
    for id in ["1", "2"] {
        client.subscribe(id, query, json!({})).await;
        assert_eq!(client.data(id).await["activeCalls"]["kind"], "SNAPSHOT");
    }
    client.subscribe("3", query, json!({})).await;
    let message = client.next().await;
    assert_eq!(message["type"], "error");
    assert_eq!(message["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    // One that is completed makes room.
    client.say(json!({"type": "complete", "id": "1"})).await;
    client.subscribe("3", query, json!({})).await;
    assert_eq!(client.data("3").await["activeCalls"]["kind"], "SNAPSHOT");
}

#[tokio::test]
async fn sockets_are_limited() {
    let options = Options {
        connections_max: 1,
        ..Options::default()
    };
    let world = World::start_with(options).await;
    let first = Client::admitted(&world, &world.admin).await;
    let refused = Client::open_as(&world, Some("graphql-transport-ws"))
        .await
        .err();
    let Some(tungstenite::Error::Http(response)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(response.status(), 503);
    drop(first);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while Client::open_as(&world, Some("graphql-transport-ws"))
        .await
        .is_err()
    {
        assert!(
            tokio::time::Instant::now() < deadline,
            "the place is not given back"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_socket_is_closed_when_its_token_is_revoked() {
    let options = Options {
        token_check_ms: 20,
        ..Options::default()
    };
    let world = World::start_with(options).await;
    let token = world.token(&[Scope::CallRead]).await;
    let mut client = Client::admitted(&world, &token).await;
    client
        .subscribe("1", "subscription { activeCalls { kind } }", json!({}))
        .await;
    assert_eq!(client.data("1").await["activeCalls"]["kind"], "SNAPSHOT");
    revoke_token(world.stores.secrets.as_ref(), &token)
        .await
        .unwrap();
    assert_eq!(client.closed().await, 4403);
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_let_go() {
    let options = Options {
        ping_interval_ms: 20,
        init_timeout_ms: 600_000,
        ..Options::default()
    };
    let world = World::start_with(options).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let upgrade = "GET /graphql/ws HTTP/1.1\r\nhost: test\r\nconnection: upgrade\r\n\
        upgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        sec-websocket-protocol: graphql-transport-ws\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    // Reads and never says a word, until the server has had enough.
    let mut heard = vec![];
    let end = timeout(PATIENCE, stream.read_to_end(&mut heard)).await;
    assert!(end.is_ok(), "it is still there");
    assert!(heard.starts_with(b"HTTP/1.1 101"));
}
