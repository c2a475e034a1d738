//! Phones over WebSocket, as in a browser: they know no address of their own, and are
//! reached over what they have opened.

use crate::{
    ends::{End, connect, end_of, hangup, hung_up, no_complaints},
    line::{Line, comes_back_to_its_call},
    world::{PATIENCE, dial, open, open_with, options, rules},
};
use domain::{
    any::AnyEvent,
    cause::{By, Disposition, EndReason},
    device, queue,
};
use phone::{EndedBy, Phone};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

#[tokio::test]
async fn a_phone_in_a_browser_registers_is_rung_talks_and_is_hung_up_by_either_side() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let before = world.feed().head();
    let agent = world.agent_phone_with(world.browser_options("anna")).await;
    let (_, transport) = world
        .office
        .see(before, |entry| match &entry.fact.event {
            AnyEvent::Device(_, device::Event::Registered { transport, .. }) => {
                Some(transport.clone())
            }
            _ => None,
        })
        .await;
    assert_eq!(transport, "ws");
    let caller = world.phone("4930111").await;

    let before = world.feed().head();
    let (out, incoming) = connect(&caller, &agent).await;
    let here = world.sip.ws_addr().unwrap();
    let via = incoming.header("Via").unwrap();
    assert!(via.starts_with(&format!("SIP/2.0/WS {here};")), "{via}");
    let contact = incoming.header("Contact").unwrap();
    assert_eq!(contact, format!("<sip:{here};transport=ws>"));
    assert!(incoming.media().wait_packets(5, PATIENCE).await);
    assert!(out.media().wait_packets(5, PATIENCE).await);
    // Requests inside the call, of either side.
    assert_eq!(incoming.hold().await.unwrap(), 200);
    assert_eq!(incoming.resume().await.unwrap(), 200);
    assert_eq!(out.hold().await.unwrap(), 200);
    assert_eq!(out.resume().await.unwrap(), 200);
    assert_eq!(incoming.hang_up().await.unwrap(), 200);
    hung_up(&out).await;
    assert_eq!(world.the_end(before).await, hangup(By::Agent));

    // The caller does.
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_caller_in_a_browser_reaches_an_agent_in_a_browser() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone_with(world.browser_options("anna")).await;
    let caller = Phone::bind(world.browser_options("4930111")).await.unwrap();
    for by in [By::Caller, By::Agent] {
        let before = world.feed().head();
        let (out, incoming) = connect(&caller, &agent).await;
        assert!(incoming.media().wait_packets(5, PATIENCE).await);
        assert!(out.media().wait_packets(5, PATIENCE).await);
        let (ends, other) = match by {
            By::Caller => (&*out, &*incoming),
            _ => (&*incoming, &*out),
        };
        assert_eq!(ends.hang_up().await.unwrap(), 200);
        hung_up(other).await;
        assert_eq!(world.the_end(before).await, hangup(by));
    }
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_phone_in_a_browser_stops_ringing_when_the_caller_leaves_and_may_refuse() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    world.agent("bert", queue).await;
    let agent = world.agent_phone_with(world.browser_options("anna")).await;
    let caller = world.phone("4930111").await;
    let out = dial(&caller, "support").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.ring().await.unwrap();
    out.wait_ringing(PATIENCE).await.unwrap();
    out.cancel().await.unwrap();
    let ended = incoming.wait_ended(PATIENCE).await.unwrap();
    assert_eq!(ended.ended_by, Some(EndedBy::Cancelled));

    let other = world.agent_phone("bert").await;
    let out = dial(&caller, "support").await;
    let incoming = agent.next_incoming().await.unwrap();
    incoming.reject(486).await.unwrap();
    let taken = other.next_incoming().await.unwrap();
    taken.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    out.hang_up().await.unwrap();
    hung_up(&taken).await;
    world.see_nothing_left().await;
    no_complaints(&[&caller, &agent, &other]);
}

#[tokio::test]
async fn phones_on_both_sides_of_a_held_call_say_over_their_websockets_that_they_are_there() {
    // Whoever does not answer is missed within 3.2 s.
    let world = open_with(sip::Options {
        t1_ms: 50,
        probe_interval_ms: 50,
        ..options()
    })
    .await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone_with(world.browser_options("anna")).await;
    let caller = Phone::bind(world.browser_options("4930111")).await.unwrap();
    let before = world.feed().head();
    let (out, incoming) = connect(&caller, &agent).await;
    assert_eq!(incoming.hold().await.unwrap(), 200);
    let (_, call) = world.see(before, "call_held").await;
    // Longer than that, by the music that the caller hears.
    assert!(out.media().wait_packets(200, PATIENCE).await);
    assert_eq!(world.ends_of(call).await, 0);
    // The agent's browser is closed: nobody says goodbye.
    drop((incoming, agent));
    hung_up(&out).await;
    let lost = End {
        disposition: Disposition::Answered,
        by: By::Agent,
        reason: EndReason::SignallingLost,
        sip_status: None,
        incomplete: true,
    };
    assert_eq!(world.the_end(before).await, lost);
    // It is opened again: another connection, and another contact.
    let agent = world.agent_phone_with(world.browser_options("anna")).await;
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn phones_that_come_back_over_another_websocket_keep_their_call_and_are_hung_up_there() {
    let world = open_with(sip::Options {
        probe_interval_ms: 200,
        ..options()
    })
    .await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let server = world.sip.ws_addr().unwrap();
    let (line, callers) = (Line::to_ws(server).await, Line::to_ws(server).await);
    let agent = world.agent_phone_with(line.options(&world, "anna")).await;
    let caller = Phone::bind(callers.options(&world, "4930111"))
        .await
        .unwrap();
    let before = world.feed().head();
    let (out, incoming) =
        comes_back_to_its_call(&world, (&caller, &callers), (&agent, &line)).await;

    // A caller is not registered: what is sent in the call shows where.
    callers.cut().await;
    assert_eq!(out.hold().await.unwrap(), 200);
    callers.sees("OPTIONS", callers.times("OPTIONS") + 1).await;

    line.cut().await;
    agent.register(120).await.unwrap();
    assert_eq!(out.hang_up().await.unwrap(), 200);
    hung_up(&incoming).await;
    line.sees("BYE", 1).await;
    assert_eq!(world.the_end(before).await, hangup(By::Caller));
    world.see_free(&agent).await;
    no_complaints(&[&caller, &agent]);
}

#[tokio::test]
async fn a_browser_that_is_closed_while_it_rings_leaves_the_caller_to_the_next_agent() {
    let world = open().await;
    let config = queue::Config {
        ring_timeout_ms: 1_000,
        ..rules()
    };
    let queue = world.support(config).await;
    world.agent("anna", queue).await;
    world.agent("bert", queue).await;
    let first = world.agent_phone_with(world.browser_options("anna")).await;
    let second = world.agent_phone("bert").await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let rings = first.next_incoming().await.unwrap();
    rings.ring().await.unwrap();
    out.wait_ringing(PATIENCE).await.unwrap();
    drop((rings, first));
    let taken = second.next_incoming().await.unwrap();
    taken.answer().await.unwrap();
    out.wait_answered(PATIENCE).await.unwrap();
    // The phone is not waited for until its registration expires.
    world.see_any(before, "binding_expired").await;
    world.see_any(before, "agent_became_not_ready").await;
    out.hang_up().await.unwrap();
    hung_up(&taken).await;
    // The leg that could not be cancelled is kept for 64*T1 (RFC 3261, 9.1); the call is not.
    let end = world.see_end(before).await;
    assert_eq!(end_of(&end), Some(hangup(By::Caller)));

    let before = world.feed().head();
    let first = world.agent_phone_with(world.browser_options("anna")).await;
    world.see_any(before, "agent_became_ready").await;
    no_complaints(&[&caller, &first, &second]);
}

#[tokio::test]
async fn a_handshake_for_another_protocol_is_refused_and_phones_go_on() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone_with(world.browser_options("anna")).await;
    let address = world.sip.ws_addr().unwrap();
    for protocol in ["", "Sec-WebSocket-Protocol: chat\r\n"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {protocol}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut said = String::new();
        let read = timeout(PATIENCE, stream.read_to_string(&mut said)).await;
        read.expect("it is closed").unwrap();
        assert!(said.starts_with("HTTP/1.1 400 "), "{said}");
    }
    world.see_free(&agent).await;
}

#[tokio::test]
async fn websockets_and_tcp_connections_share_the_room_and_a_phone_keeps_its_place() {
    let mut few = options();
    few.tcp_connections_max = 2;
    let world = open_with(few).await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone_with(world.browser_options("anna")).await;
    let tcp = world.sip.local_addr();
    let mut first = TcpStream::connect(tcp).await.unwrap();
    // A pong shows that the connection is served (RFC 5626, 3.5.1).
    first.write_all(b"\r\n\r\n").await.unwrap();
    let mut pong = [0; 2];
    let read = timeout(Duration::from_secs(5), first.read_exact(&mut pong));
    read.await.unwrap().unwrap();
    // The newcomer has the place of the one that nobody needs.
    let _second = TcpStream::connect(world.sip.ws_addr().unwrap())
        .await
        .unwrap();
    let read = timeout(PATIENCE, first.read(&mut pong)).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "it is closed: {read:?}");
    world.see_free(&agent).await;
}
