//! What is ours although the stack has its own idea of it, and what is bounded.

use crate::world::{PATIENCE, dial, open, open_with, options, rules};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
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
async fn a_connection_beyond_the_most_is_closed_and_the_others_go_on() {
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
    let mut byte = [0];
    let read = tokio::time::timeout(PATIENCE, third.read(&mut byte))
        .await
        .unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "it is closed: {read:?}");
    for stream in &mut kept {
        ping(stream).await;
    }
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
