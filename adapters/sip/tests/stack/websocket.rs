//! SIP over WebSocket (RFC 7118), by a client that is not ours and by bare bytes.

use crate::{Heard, LIMITS, Node, next, node, node_with};
use futures_util::{SinkExt as _, StreamExt as _};
use ringledger_sip::{
    message::Method,
    stack::Reply,
    transport::{Flow, Transport, connections::Limits},
};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Bytes, Error, Message, client::IntoClientRequest as _, http::HeaderValue,
        protocol::frame::coding::CloseCode,
    },
};

const PATIENCE: Duration = Duration::from_secs(10);

type Client = WebSocketStream<TcpStream>;

/// Asks for a WebSocket with these subprotocols.
async fn ask(server: SocketAddr, protocols: &'static str) -> Result<(Client, String), Error> {
    let stream = TcpStream::connect(server).await.unwrap();
    let mut request = format!("ws://{server}/").into_client_request().unwrap();
    request.headers_mut().insert(
        "Sec-WebSocket-Protocol",
        HeaderValue::from_static(protocols),
    );
    let (client, response) = client_async(request, stream).await?;
    let chosen = &response.headers()["Sec-WebSocket-Protocol"];
    Ok((client, chosen.to_str().unwrap().to_owned()))
}

async fn client(node: &Node) -> Client {
    ask(node.ws, "sip").await.unwrap().0
}

async fn heard(client: &mut Client) -> Message {
    let message = timeout(PATIENCE, client.next()).await.unwrap();
    message.unwrap().unwrap()
}

/// Without a length: what carries it tells that.
fn options(number: u32) -> String {
    format!(
        "OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/WS q7x3.invalid;branch=z9hG4bKo{number}\r\n\
         From: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: ws-{number}\r\n\
         CSeq: {number} OPTIONS\r\nMax-Forwards: 70\r\n\r\n"
    )
}

/// A request of the client gets its answer.
async fn is_served(node: &mut Node, client: &mut Client, request: Message) {
    client.send(request).await.unwrap();
    let Heard::Request(transaction, request) = next(node).await else {
        panic!("a request was expected");
    };
    assert_eq!(transaction.flow().transport, Transport::Ws);
    assert_eq!(request.method, Method::Options);
    transaction.respond(Reply::new(200));
    let answer = heard(client).await.into_text().unwrap();
    assert!(answer.starts_with("SIP/2.0 200 OK\r\n"), "{answer}");
    assert!(answer.contains("SIP/2.0/WS q7x3.invalid;"), "{answer}");
}

/// What the server says of its reason to close, after whatever it says before.
async fn closed(client: &mut Client) -> Option<CloseCode> {
    let end = async {
        loop {
            match client.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    };
    timeout(PATIENCE, end).await.expect("it is closed")
}

#[tokio::test]
async fn a_request_over_a_websocket_is_answered_on_it_as_text_or_binary_with_or_without_length() {
    let mut node = node(500).await;
    let mut client = client(&node).await;
    is_served(&mut node, &mut client, Message::text(options(1))).await;
    is_served(&mut node, &mut client, Message::binary(options(2))).await;
    let measured = options(3).replace("Max-Forwards", "Content-Length: 0\r\nMax-Forwards");
    is_served(&mut node, &mut client, Message::text(measured)).await;
}

#[tokio::test]
async fn a_request_of_ours_goes_out_on_the_websocket_and_hears_its_answer() {
    let node = node(500).await;
    let stream = TcpStream::connect(node.ws).await.unwrap();
    let flow = Flow {
        transport: Transport::Ws,
        peer: stream.local_addr().unwrap(),
    };
    let mut request = format!("ws://{}/", node.ws).into_client_request().unwrap();
    let protocol = HeaderValue::from_static("sip");
    request
        .headers_mut()
        .insert("Sec-WebSocket-Protocol", protocol);
    let (mut client, _) = client_async(request, stream).await.unwrap();
    // An answer to something shows that the server has it open.
    client.send(Message::text("\r\n\r\n")).await.unwrap();
    assert_eq!(heard(&mut client).await, Message::text("\r\n"));
    let invite = crate::invite(&node, flow.peer, "ws-out");
    let mut outcomes = crate::send(&node, invite, flow);
    let invite = heard(&mut client).await.into_text().unwrap().to_string();
    let via = format!("Via: SIP/2.0/WS 127.0.0.1:{};", node.ws.port());
    assert!(invite.contains(&via), "{invite}");
    let echoed = invite.lines().filter(|line| {
        let echoed = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        echoed.iter().any(|name| line.starts_with(name))
    });
    let echoed: Vec<String> = echoed.map(|line| format!("{line}\r\n")).collect();
    let ringing = format!("SIP/2.0 180 Ringing\r\n{}\r\n", echoed.concat());
    client.send(Message::text(ringing)).await.unwrap();
    assert_eq!(crate::answer(&mut outcomes).await.status, 180);
    // The flow is gone with its connection.
    drop(client);
    let gone = async {
        while node.stack.is_open(flow) {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.unwrap();
}

#[tokio::test]
async fn a_websocket_that_does_not_offer_sip_is_refused_with_400_and_the_chosen_one_is_named() {
    let node = node(500).await;
    for protocols in ["chat", "sips", "graphql-transport-ws, chat"] {
        let refused = ask(node.ws, protocols).await.unwrap_err();
        let Error::Http(response) = refused else {
            panic!("{protocols}: {refused}");
        };
        assert_eq!(response.status(), 400, "{protocols}");
    }
    for (protocols, named) in [("sip", "sip"), ("chat, SIP", "SIP")] {
        let (_client, chosen) = ask(node.ws, protocols).await.unwrap();
        assert_eq!(chosen, named);
    }
}

#[tokio::test]
async fn whatever_is_no_handshake_is_answered_with_400_or_the_right_version_and_closed() {
    let mut node = node(500).await;
    let upgrade = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let sip = "Sec-WebSocket-Protocol: sip\r\n";
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "400"),
        (format!("{upgrade}Sec-WebSocket-Version: 13\r\n\r\n"), "400"),
        (
            format!("{upgrade}{sip}Sec-WebSocket-Version: 8\r\n\r\n"),
            "426",
        ),
        ("POST / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "400"),
        (options(1), "400"),
    ] {
        let mut stream = TcpStream::connect(node.ws).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut said = String::new();
        let read = timeout(PATIENCE, stream.read_to_string(&mut said)).await;
        read.expect("it is closed").unwrap();
        let expected = format!("HTTP/1.1 {status} ");
        assert!(said.starts_with(&expected), "{request}: {said}");
        let version = said.contains("Sec-WebSocket-Version: 13\r\n");
        assert_eq!(version, status == "426", "RFC 6455, 4.4: {said}");
    }
    let mut client = client(&node).await;
    is_served(&mut node, &mut client, Message::text(options(1))).await;
}

#[tokio::test]
async fn keep_alives_of_websockets_and_of_sip_are_answered() {
    let mut node = node(500).await;
    let mut client = client(&node).await;
    client.send(Message::text("\r\n\r\n")).await.unwrap();
    assert_eq!(heard(&mut client).await, Message::text("\r\n"));
    // An answer of the phone's own asks for none.
    client.send(Message::text("\r\n")).await.unwrap();
    let token = Bytes::from_static(b"are you there");
    client.send(Message::Ping(token.clone())).await.unwrap();
    assert_eq!(heard(&mut client).await, Message::Pong(token));
    is_served(&mut node, &mut client, Message::text(options(1))).await;
}

/// A client frame: its first byte, and its payload under a mask of zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
        length => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

#[tokio::test]
async fn a_message_in_fragments_with_a_ping_between_them_is_one() {
    let mut node = node(500).await;
    let mut client = client(&node).await;
    let text = options(1);
    let (start, rest) = text.split_at(40);
    let (middle, end) = rest.split_at(40);
    let mut bytes = frame(0x01, start.as_bytes());
    bytes.extend(frame(0x00, middle.as_bytes()));
    bytes.extend(frame(0x89, b"?"));
    bytes.extend(frame(0x80, end.as_bytes()));
    client.get_mut().write_all(&bytes).await.unwrap();
    assert_eq!(
        heard(&mut client).await,
        Message::Pong(Bytes::from_static(b"?"))
    );
    let Heard::Request(transaction, _) = next(&mut node).await else {
        panic!("a request was expected");
    };
    transaction.respond(Reply::new(200));
    assert!(heard(&mut client).await.is_text());
}

#[tokio::test]
async fn hostile_frames_end_their_own_connection_and_no_other() {
    let mut node = node(500).await;
    let mut good = client(&node).await;
    let large = vec![b'a'; 60_000];
    // The head of a frame of 2^62 bytes, of which nothing need follow.
    let mut endless = vec![0x82, 0x80 | 127];
    endless.extend((1_u64 << 62).to_be_bytes());
    endless.extend([0; 4]);
    let fragments = [frame(0x01, &large[..30_000]), frame(0x80, &large[..30_000])];
    let hostile = [
        (
            "a message that is too large",
            frame(0x81, &large),
            CloseCode::Size,
        ),
        ("fragments that are", fragments.concat(), CloseCode::Size),
        ("a frame without end", endless, CloseCode::Size),
        ("an end of nothing", frame(0x80, b"x"), CloseCode::Protocol),
        (
            "a frame without a mask",
            b"\x81\x01x".to_vec(),
            CloseCode::Protocol,
        ),
        ("an unknown opcode", frame(0x83, b"x"), CloseCode::Protocol),
        (
            "text that is none",
            frame(0x81, b"\xff\xfe"),
            CloseCode::Invalid,
        ),
        (
            "something else",
            frame(0x81, b"{\"type\":\"hello\"}"),
            CloseCode::Unsupported,
        ),
    ];
    for (number, (what, bytes, code)) in (1..).zip(hostile) {
        let mut client = client(&node).await;
        client.get_mut().write_all(&bytes).await.unwrap();
        assert_eq!(closed(&mut client).await, Some(code), "{what}");
        is_served(&mut node, &mut good, Message::text(options(number))).await;
    }
}

#[tokio::test]
async fn a_request_that_can_not_be_read_is_refused_on_a_websocket_that_lives_on() {
    let mut node = node(500).await;
    let mut client = client(&node).await;
    let bad = options(1).replace("CSeq: 1 OPTIONS", "CSeq: none");
    client.send(Message::text(bad)).await.unwrap();
    let answer = heard(&mut client).await.into_text().unwrap();
    assert!(answer.starts_with("SIP/2.0 400 "), "{answer}");
    is_served(&mut node, &mut client, Message::text(options(2))).await;
}

#[tokio::test]
async fn a_far_end_that_answers_no_pings_is_gone_and_one_that_does_stays() {
    let limits = Limits {
        ping_interval: Duration::from_millis(40),
        ..LIMITS
    };
    let mut node = node_with(500, limits).await;
    let mut good = client(&node).await;
    let mut silent = client(&node).await;
    // Reads and answers nothing, as a proxy does whose browser is gone.
    let read = async {
        let mut pings = vec![];
        // It ends with the connection, in whichever way.
        let _ = silent.get_mut().read_to_end(&mut pings).await;
        pings
    };
    let answering = async {
        let mut pings = 0;
        while pings < 8 {
            pings += usize::from(heard(&mut good).await.is_ping());
        }
    };
    let (unanswered, ()) = timeout(PATIENCE, async { tokio::join!(read, answering) })
        .await
        .unwrap();
    assert_eq!(
        unanswered,
        [0x89, 0].repeat(3),
        "empty pings (RFC 6455, 5.5.2)"
    );
    good.send(Message::text(options(1))).await.unwrap();
    assert!(matches!(next(&mut node).await, Heard::Request(..)));
}

#[tokio::test]
async fn a_websocket_that_nobody_needs_is_closed_after_its_trial() {
    let limits = Limits {
        trial: Duration::from_millis(100),
        ..LIMITS
    };
    let node = node_with(500, limits).await;
    let mut idle = client(&node).await;
    assert_eq!(closed(&mut idle).await, Some(CloseCode::Policy));
}
