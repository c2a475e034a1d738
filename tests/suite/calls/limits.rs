//! What is ours although the stack has its own idea of it, and what is bounded.

use crate::world::{PATIENCE, dial, open, open_with, options, rules};
use phone::Transport;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

#[tokio::test]
async fn our_calls_name_our_own_host_in_call_id_and_contact() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let anna = world.agent_phone("anna").await;
    let caller = world.phone("4930111").await;
    let out = dial(&caller, "support").await;
    let incoming = anna.next_incoming().await.unwrap();
    assert!(
        incoming.call_id().ends_with("@127.0.0.1"),
        "{}",
        incoming.call_id()
    );
    let contact = incoming.header("Contact").unwrap().to_owned();
    let here = world.sip.local_addr().to_string();
    assert!(contact.contains(&here), "{contact} does not name {here}");
    out.cancel().await.unwrap();
}

#[tokio::test]
async fn a_connection_beyond_the_most_has_the_place_of_the_oldest_that_nobody_needs() {
    let mut few = options();
    few.tcp_connections_max = 2;
    let world = open_with(few).await;
    let address = world.sip.local_addr();
    let mut kept = vec![];
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // A pong shows that the connection is served (RFC 5626, 3.5.1).
        ping(&mut stream).await;
        kept.push(stream);
    }
    let mut third = TcpStream::connect(address).await.unwrap();
    closed(&mut kept[0]).await;
    ping(&mut kept[1]).await;
    ping(&mut third).await;
}

#[tokio::test]
async fn a_phone_finds_room_whatever_another_host_keeps_open_and_keeps_its_own() {
    let mut few = options();
    few.tcp_connections_max = 4;
    let world = open_with(few).await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let address = world.sip.local_addr();
    let silent = || async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        ping(&mut stream).await;
        stream
    };
    let mut others = vec![];
    for _ in 0..4 {
        others.push(silent().await);
    }
    let mut over_tcp = world.phone_options("anna");
    over_tcp.transport = Transport::Tcp;
    let anna = world.agent_phone_with(over_tcp).await;
    closed(&mut others[0]).await;
    for oldest in 1..4 {
        others.push(silent().await);
        closed(&mut others[oldest]).await;
    }
    // Over the same connection: the phone would notice another one.
    anna.register(120).await.unwrap();
    world.see_free(&anna).await;
}

#[tokio::test]
async fn a_newcomer_is_refused_when_every_connection_is_needed() {
    let mut few = options();
    few.tcp_connections_max = 1;
    let world = open_with(few).await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let mut over_tcp = world.phone_options("anna");
    over_tcp.transport = Transport::Tcp;
    let anna = world.agent_phone_with(over_tcp).await;
    let address = world.sip.local_addr();
    closed(&mut TcpStream::connect(address).await.unwrap()).await;
    world.see_free(&anna).await;
}

async fn closed(stream: &mut TcpStream) {
    let mut byte = [0];
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut byte));
    let read = read.await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "it is closed: {read:?}");
}

async fn ping(stream: &mut TcpStream) {
    stream.write_all(b"\r\n\r\n").await.unwrap();
    let mut pong = [0; 2];
    let limit = Duration::from_secs(5);
    tokio::time::timeout(limit, stream.read_exact(&mut pong))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&pong, b"\r\n");
}
