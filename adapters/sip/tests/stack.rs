//! Two stacks of ours call each other over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may, also in its helpers"
)]

#[path = "stack/websocket.rs"]
mod websocket;

use ringledger_sip::{
    ingress::Ingress,
    message::{DialogId, Headers, Method, Request, Response},
    stack::{Outcome, Reply, ServerTransaction, Stack, StackOptions, TransactionUser},
    transport::{
        Flow, Transport,
        connections::{Connections, Framing, Limits},
        udp,
    },
};
use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream, UdpSocket},
    sync::mpsc,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// What a stack told its user.
#[derive(Debug)]
enum Heard {
    Request(ServerTransaction, Request),
    Cancelled(String),
    Acked,
    AckMissing,
    LateSuccess(Response),
}

/// Connections that somebody needs.
type Needed = Arc<Mutex<HashSet<Flow>>>;

struct Ear(mpsc::Sender<Heard>, Needed);

impl TransactionUser for Ear {
    fn admit(&self, _: Flow, _: &Request, _: &str) -> Result<(), Reply> {
        Ok(())
    }
    fn request(&self, transaction: ServerTransaction, request: Request) {
        self.0
            .try_send(Heard::Request(transaction, request))
            .unwrap();
    }
    fn cancelled(&self, transaction: &ServerTransaction, _: Request) {
        self.0
            .try_send(Heard::Cancelled(transaction.id().to_owned()))
            .unwrap();
    }
    fn acked(&self, _: &ServerTransaction, _: Request) {
        self.0.try_send(Heard::Acked).unwrap();
    }
    fn ack_missing(&self, _: &ServerTransaction) {
        self.0.try_send(Heard::AckMissing).unwrap();
    }
    fn late_success(&self, response: Response, _: Flow) {
        self.0.try_send(Heard::LateSuccess(response)).unwrap();
    }
    fn needed_connections(&self) -> HashSet<Flow> {
        self.1.lock().unwrap().clone()
    }
}

struct Node {
    stack: Stack,
    heard: mpsc::Receiver<Heard>,
    address: SocketAddr,
    ws: SocketAddr,
    needed: Needed,
    stop: CancellationToken,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Limits that no test meets by chance.
const LIMITS: Limits = Limits {
    connections_max: 8,
    trial: Duration::from_secs(60),
    idle_timeout: Duration::from_secs(60),
    ping_interval: Duration::from_secs(60),
};

async fn node(t1_ms: u64) -> Node {
    node_with(t1_ms, LIMITS).await
}

async fn node_with(t1_ms: u64, limits: Limits) -> Node {
    let socket = Arc::new(udp::bind("127.0.0.1:0".parse().unwrap()).unwrap());
    let address = socket.local_addr().unwrap();
    let stop = CancellationToken::new();
    let ws_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ws = ws_listener.local_addr().unwrap();
    let options = StackOptions {
        host: "127.0.0.1".into(),
        port: address.port(),
        ws_port: Some(ws.port()),
        t1_ms,
    };
    let (stack, incoming) = Stack::start(options, socket.clone(), stop.clone()).unwrap();
    let (sender, heard) = mpsc::channel(256);
    let needed = Needed::default();
    let user: Arc<dyn TransactionUser> = Arc::new(Ear(sender, needed.clone()));
    let ingress = Arc::new(Ingress::new(stack.clone(), user.clone()));
    tokio::spawn(incoming.run(user));
    tokio::spawn(udp::run(socket, ingress.clone(), stop.clone()));
    let listener = TcpListener::bind(address).await.unwrap();
    let connections = Connections::new(ingress, limits, stop.clone());
    tokio::spawn(connections.clone().listen(listener, Framing::Stream));
    tokio::spawn(connections.listen(ws_listener, Framing::WebSocket));
    Node {
        stack,
        heard,
        address,
        ws,
        needed,
        stop,
    }
}

async fn next(node: &mut Node) -> Heard {
    tokio::time::timeout(Duration::from_secs(10), node.heard.recv())
        .await
        .expect("nothing was heard in time")
        .expect("stack lives")
}

fn invite(from: &Node, to: SocketAddr, call_id: &str) -> Request {
    let mut headers = Headers::default();
    headers.push("From", format!("<sip:caller@127.0.0.1>;tag=c-{call_id}"));
    headers.push("To", "<sip:support@127.0.0.1>");
    headers.push("Call-ID", call_id);
    headers.push("CSeq", "1 INVITE");
    headers.push("Max-Forwards", "70");
    headers.push(
        "Contact",
        format!("<{}>", from.stack.contact(Transport::Udp)),
    );
    Request {
        method: Method::Invite,
        uri: format!("sip:support@{to}"),
        headers,
        body: Vec::new(),
    }
}

fn ack(invite: &Request, response: &Response) -> Request {
    let mut headers = Headers::default();
    for name in ["From", "Call-ID"] {
        headers.push(name, invite.headers.get(name).unwrap());
    }
    headers.push("To", response.headers.get("To").unwrap());
    headers.push("CSeq", "1 ACK");
    headers.push("Max-Forwards", "70");
    Request {
        method: Method::Ack,
        uri: invite.uri.clone(),
        headers,
        body: Vec::new(),
    }
}

fn flow_to(node: &Node) -> Flow {
    Flow {
        transport: Transport::Udp,
        peer: node.address,
    }
}

fn send(from: &Node, request: Request, flow: Flow) -> mpsc::Receiver<Outcome> {
    let (sender, outcomes) = mpsc::channel(64);
    from.stack
        .request(request, flow, move |outcome| {
            sender.try_send(outcome).unwrap();
        })
        .unwrap();
    outcomes
}

async fn response(outcomes: &mut mpsc::Receiver<Outcome>) -> Response {
    let outcome = tokio::time::timeout(Duration::from_secs(10), outcomes.recv()).await;
    match outcome.expect("an outcome in time").expect("an outcome") {
        Outcome::Response(response) => response,
        Outcome::NoResponse => panic!("no response came"),
    }
}

/// The next response that is not 100.
async fn answer(outcomes: &mut mpsc::Receiver<Outcome>) -> Response {
    loop {
        let response = response(outcomes).await;
        if response.status != 100 {
            return response;
        }
    }
}

#[tokio::test]
async fn one_stack_rings_answers_and_is_hung_up_by_another() {
    let (caller, mut callee) = (node(500).await, node(500).await);
    let request = invite(&caller, callee.address, "loop-1");
    let mut outcomes = send(&caller, request.clone(), flow_to(&callee));

    let Heard::Request(transaction, received) = next(&mut callee).await else {
        panic!("an INVITE was expected");
    };
    assert_eq!(received.uri, request.uri);
    assert_eq!(transaction.flow(), flow_to(&caller));
    transaction.respond(Reply::new(180).tagged("t1"));
    assert_eq!(answer(&mut outcomes).await.status, 180);
    transaction.respond(Reply::new(200).tagged("t1").with("Contact", "<sip:x@y>"));
    let ok = answer(&mut outcomes).await;
    assert_eq!(ok.status, 200);
    let dialog = DialogId {
        call_id: "loop-1".into(),
        local_tag: "c-loop-1".into(),
        remote_tag: "t1".into(),
    };
    assert_eq!(ok.dialog(), Some(dialog));

    caller
        .stack
        .acknowledge(ack(&request, &ok), flow_to(&callee));
    assert!(matches!(next(&mut callee).await, Heard::Acked));

    let mut bye = ack(&request, &ok);
    bye.method = Method::Bye;
    bye.headers.0.retain(|(name, _)| name != "CSeq");
    bye.headers.push("CSeq", "2 BYE");
    let mut outcomes = send(&caller, bye, flow_to(&callee));
    let Heard::Request(transaction, received) = next(&mut callee).await else {
        panic!("a BYE was expected");
    };
    assert_eq!(received.method, Method::Bye);
    transaction.respond(Reply::new(200));
    assert_eq!(answer(&mut outcomes).await.status, 200);
}

#[tokio::test]
async fn a_connection_that_nobody_needs_is_closed_after_its_trial() {
    let limits = Limits {
        trial: Duration::from_millis(100),
        ..LIMITS
    };
    let node = node_with(500, limits).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let ours = Flow {
        transport: Transport::Tcp,
        peer: socket.local_addr().unwrap(),
    };
    node.needed.lock().unwrap().insert(ours);
    let mut needed = socket.connect(node.address).await.unwrap();
    let patience = Duration::from_secs(10);
    // One after the other, so that the first has had its trial, too. What they say
    // meanwhile prolongs nothing.
    for _ in 0..2 {
        let mut idle = TcpStream::connect(node.address).await.unwrap();
        idle.write_all(b"\r\n\r\n").await.unwrap();
        let mut said = vec![];
        let read = timeout(patience, idle.read_to_end(&mut said));
        read.await.unwrap().unwrap();
        assert_eq!(said, b"\r\n");
    }
    needed.write_all(b"\r\n\r\n").await.unwrap();
    let mut pong = [0; 2];
    let read = timeout(patience, needed.read_exact(&mut pong));
    read.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_cancel_reaches_the_ringing_side_and_the_invite_ends_with_487() {
    let (caller, mut callee) = (node(500).await, node(500).await);
    let (sender, mut outcomes) = mpsc::channel(64);
    let request = invite(&caller, callee.address, "cancel-1");
    let handle = caller
        .stack
        .request(request, flow_to(&callee), move |outcome| {
            sender.try_send(outcome).unwrap();
        })
        .unwrap();
    let Heard::Request(transaction, _) = next(&mut callee).await else {
        panic!("an INVITE was expected");
    };
    transaction.respond(Reply::new(180).tagged("t1"));
    assert_eq!(answer(&mut outcomes).await.status, 180);
    let reason = Some("SIP;cause=200;text=\"done\"".into());
    caller.stack.cancel(&handle, flow_to(&callee), reason);
    let Heard::Cancelled(id) = next(&mut callee).await else {
        panic!("a CANCEL was expected");
    };
    assert_eq!(id, transaction.id());
    transaction.respond(Reply::new(487).tagged("t1"));
    assert_eq!(answer(&mut outcomes).await.status, 487);
}

#[tokio::test]
async fn a_2xx_is_repeated_until_its_ack_and_reported_when_none_comes() {
    let (caller, mut callee) = (node(500).await, node(10).await);
    let mut outcomes = send(
        &caller,
        invite(&caller, callee.address, "noack-1"),
        flow_to(&callee),
    );
    let Heard::Request(transaction, _) = next(&mut callee).await else {
        panic!("an INVITE was expected");
    };
    transaction.respond(Reply::new(200).tagged("t1").with("Contact", "<sip:x@y>"));
    assert_eq!(answer(&mut outcomes).await.status, 200);
    assert!(matches!(next(&mut callee).await, Heard::AckMissing));
    let mut caller = caller;
    assert!(
        matches!(next(&mut caller).await, Heard::LateSuccess(response) if response.status == 200),
        "the repeated 200 wants its ACK again"
    );
}

#[tokio::test]
async fn a_request_is_repeated_over_udp_and_silence_is_reported() {
    let caller = node(10).await;
    let deaf = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let flow = Flow {
        transport: Transport::Udp,
        peer: deaf.local_addr().unwrap(),
    };
    let mut outcomes = send(&caller, invite(&caller, flow.peer, "deaf-1"), flow);
    let mut copies = 0;
    let mut buffer = [0; 4096];
    loop {
        tokio::select! {
            received = deaf.recv_from(&mut buffer) => {
                received.unwrap();
                copies += 1;
            }
            outcome = outcomes.recv() => {
                assert_eq!(outcome, Some(Outcome::NoResponse));
                break;
            }
        }
    }
    assert!(copies >= 5, "timer A repeats the request, {copies} came");
}

#[tokio::test]
async fn a_request_over_tcp_is_answered_on_its_connection() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut callee = node(500).await;
    let mut stream = tokio::net::TcpStream::connect(callee.address)
        .await
        .unwrap();
    let request = "OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKt\r\n\
        From: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: tcp-1\r\nCSeq: 1 OPTIONS\r\n\
        Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let Heard::Request(transaction, _) = next(&mut callee).await else {
        panic!("OPTIONS was expected");
    };
    assert_eq!(transaction.flow().transport, Transport::Tcp);
    transaction.respond(Reply::new(200).with("Allow", "INVITE"));
    let mut buffer = vec![0; 4096];
    let length = stream.read(&mut buffer).await.unwrap();
    let text = String::from_utf8_lossy(&buffer[..length]);
    assert!(text.starts_with("SIP/2.0 200 OK\r\n"), "{text}");
    assert!(text.contains("Allow: INVITE\r\n"), "{text}");
    assert!(!text.contains("User-Agent"), "{text}");
}

/// An INVITE as it comes over the wire.
fn raw_invite(transport: &str, call_id: &str) -> String {
    format!(
        "INVITE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:9;branch=z9hG4bK{call_id}\r\n\
        From: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n\
        Max-Forwards: 70\r\nContact: <sip:a@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n"
    )
}

#[tokio::test]
async fn a_200_that_can_not_be_sent_is_one_that_is_not_acknowledged() {
    let mut callee = node(10).await;
    // Nothing can be sent to port 0, and nothing to a connection that is closed.
    let nowhere = |transport| Flow {
        transport,
        peer: "127.0.0.1:0".parse().unwrap(),
    };
    let tcp = callee.stack.open(nowhere(Transport::Tcp)).await;
    let ws = callee.stack.open(nowhere(Transport::Ws)).await;
    let ear = Ear(mpsc::channel(1).0, Needed::default());
    for (transport, name, connection) in [
        (Transport::Udp, "UDP", None),
        (Transport::Tcp, "TCP", Some(tcp)),
        (Transport::Ws, "WS", Some(ws)),
    ] {
        let message = raw_invite(name, &format!("nowhere-{name}"));
        callee
            .stack
            .receive(message.as_bytes(), nowhere(transport), &ear)
            .await;
        let Heard::Request(transaction, _) = next(&mut callee).await else {
            panic!("an INVITE was expected");
        };
        drop(connection);
        for _ in 0..3 {
            transaction.respond(Reply::new(180).tagged("t1"));
        }
        transaction.respond(Reply::new(200).tagged("t1").with("Contact", "<sip:x@y>"));
        let missing = next(&mut callee).await;
        assert!(matches!(missing, Heard::AckMissing), "{name}");
    }
}
