//! Hostile documents and bodies, from outside.

use crate::world::World;
use ringledger_graphql::{Options, auth::Scope};
use serde_json::json;
use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[tokio::test]
async fn a_document_that_doubles_by_fragments_is_refused_within_100_ms() {
    let world = World::start().await;
    world.data("{ me { name } }").await;
    let mut query = String::from("{ ...f0 }");
    for number in 0..40 {
        let next = number + 1;
        write!(
            query,
            " fragment f{number} on Query {{ ...f{next} ...f{next} }}"
        )
        .unwrap();
    }
    query.push_str(" fragment f40 on Query { me { name } }");
    let started = Instant::now();
    let answer = world.ask(&query, json!({})).await;
    let elapsed = started.elapsed();
    assert_eq!(answer.code(), "VALIDATION_ERROR");
    // What doubles with each fragment would take hours.
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
}

#[tokio::test]
async fn the_most_that_is_let_through_is_validated_quickly() {
    let world = World::start().await;
    world.data("{ me { name } }").await;
    // 2^11 spreads, and as many once more for the fragments themselves.
    let mut doubling = String::from("{ ...f0 }");
    for number in 0..10 {
        let next = number + 1;
        write!(
            doubling,
            " fragment f{number} on Query {{ ...f{next} ...f{next} }}"
        )
        .unwrap();
    }
    doubling.push_str(" fragment f10 on Query { __typename }");
    let wide = format!("{{ me {{ {} }} }}", "name ".repeat(9_900));
    let repeated = format!("{{ {} }}", "me { name } ".repeat(2_400));
    for query in [doubling, wide, repeated] {
        let started = Instant::now();
        world.data(&query).await;
        let elapsed = started.elapsed();
        // Far from what it takes, on the busiest machine; far from what doubles.
        assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
    }
}

#[tokio::test]
async fn a_deep_document_is_refused_and_the_server_goes_on() {
    let world = World::start().await;
    for query in [
        "{a".repeat(80_000),
        "[".repeat(200_000),
        format!("{{ a(b: {}", "[".repeat(200_000)),
    ] {
        let answer = world.ask(&query, json!({})).await;
        assert_eq!(answer.code(), "VALIDATION_ERROR");
    }
    world.data("{ me { name } }").await;
}

#[tokio::test]
async fn too_many_aliases_are_refused() {
    let world = World::start().await;
    let aliases: String = (0..65).map(|n| format!("a{n}: me {{ name }} ")).collect();
    let answer = world.ask(&format!("{{ {aliases} }}"), json!({})).await;
    assert_eq!(answer.code(), "VALIDATION_ERROR");
    assert!(answer.message().contains("aliases"));
}

/// Sends the start of a POST as it is, and answers the status line's start.
async fn post(world: &World, headers: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\n{headers}\r\n\r\n",
        world.admin
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_even_waited_for() {
    let world = World::start().await;
    let length = Options::default().body_bytes_max + 1;
    let answer = post(&world, &format!("content-length: {length}"), b"").await;
    assert_eq!(answer, "HTTP/1.1 413");
}

#[tokio::test]
async fn a_body_that_does_not_say_how_long_it_is_is_cut_off_at_the_limit() {
    let world = World::start().await;
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    let mut body = chunk.repeat(Options::default().body_bytes_max / 0x1000);
    body.push_str("1\r\nx\r\n");
    let answer = post(&world, "transfer-encoding: chunked", body.as_bytes()).await;
    assert_eq!(answer, "HTTP/1.1 413");
}

#[tokio::test]
async fn a_body_that_never_comes_is_not_waited_for() {
    let options = Options {
        body_timeout_ms: 50,
        ..Options::default()
    };
    let world = World::start_with(options).await;
    let answer = post(&world, "content-length: 100", b"{").await;
    assert_eq!(answer, "HTTP/1.1 408");
}

#[tokio::test]
async fn the_schema_can_be_read_in_full_by_whoever_may() {
    let world = World::start().await;
    let token = world.token(&[Scope::SchemaRead]).await;
    // The query of GraphiQL, whose references to types nest nine deep.
    let mut of_type = String::from("kind name");
    for _ in 0..9 {
        of_type = format!("kind name ofType {{ {of_type} }}");
    }
    let query = format!(
        "query IntrospectionQuery {{ __schema {{ queryType {{ name }} types {{ ...FullType }} \
         directives {{ name args {{ ...InputValue }} }} }} }} \
         fragment FullType on __Type {{ kind name fields(includeDeprecated: true) {{ name \
         args {{ ...InputValue }} type {{ ...TypeRef }} }} inputFields {{ ...InputValue }} \
         interfaces {{ ...TypeRef }} enumValues {{ name }} possibleTypes {{ ...TypeRef }} }} \
         fragment InputValue on __InputValue {{ name type {{ ...TypeRef }} defaultValue }} \
         fragment TypeRef on __Type {{ {of_type} }}"
    );
    let schema = world.ask_as(&token, &query, json!({})).await.data();
    assert_eq!(schema["__schema"]["queryType"]["name"], "Query");
}
