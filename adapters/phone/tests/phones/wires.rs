//! What a phone puts on the wire when the other side is slow, asks for credentials, or sits behind TCP.

use std::time::Duration;

use ringledger_phone::{
    CallEvent, CallOptions, EndedBy, Message, Method, Phone, PhoneOptions, RawSocket, Transport,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

use crate::{LIMIT, nowhere};

/// A phone whose server is a bare socket.
async fn alice_and_server(change: impl FnOnce(&mut PhoneOptions)) -> (Phone, RawSocket) {
    let unaimed = RawSocket::bind("127.0.0.1:0".parse().unwrap(), nowhere())
        .await
        .unwrap();
    let mut options = PhoneOptions::new(unaimed.local_addr(), "alice").with_password("secret");
    change(&mut options);
    let alice = Phone::bind(options).await.unwrap();
    let server = unaimed.aimed_at(alice.local_addr());
    (alice, server)
}

async fn next_request(server: &RawSocket) -> Message {
    server
        .receive(LIMIT)
        .await
        .unwrap()
        .unwrap()
        .message()
        .unwrap()
}

fn response(request: &Message, status: u16) -> Message {
    let mut response = Message::response(status, "Whatever");
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        response.push(name, request.header(name).unwrap());
    }
    response.set(
        "To",
        format!("{};tag=server", request.header("To").unwrap()),
    );
    response
}

#[tokio::test]
async fn an_invite_is_repeated_at_growing_intervals_until_something_comes() {
    let (alice, server) = alice_and_server(|options| options.t1_ms = 40).await;
    let _call = alice.call("bob", CallOptions::default()).await.unwrap();
    let mut arrivals = Vec::new();
    for _ in 0..4 {
        arrivals.push(server.receive(LIMIT).await.unwrap().unwrap());
    }
    assert!(
        arrivals
            .iter()
            .all(|arrival| arrival.bytes == arrivals[0].bytes)
    );
    // Timer A doubles: 40, 80, 160 ms (RFC 3261 17.1.1.2); a busy machine may be late, never early.
    for (at, least_ms) in [(1, 39), (2, 79), (3, 159)] {
        assert!(
            (arrivals[at].at - arrivals[at - 1].at).as_millis() >= least_ms,
            "repetition {at}"
        );
    }
    let invite = arrivals[0].message().unwrap();
    let after = server
        .send_and_collect(
            &response(&invite, 100).to_bytes(),
            Duration::from_millis(700),
        )
        .await
        .unwrap();
    assert_eq!(after, [], "100 stops the repetition");
}

#[tokio::test]
async fn a_challenged_invite_is_acknowledged_and_sent_again_with_credentials() {
    let (alice, server) = alice_and_server(|_| {}).await;
    let mut call = alice.call("bob", CallOptions::default()).await.unwrap();
    let first = next_request(&server).await;
    let challenge = "Digest realm=\"r\", nonce=\"n\", algorithm=MD5, qop=\"auth\"";
    let refusal = response(&first, 407).with("Proxy-Authenticate", challenge);
    server.send(&refusal.to_bytes()).await.unwrap();

    let ack = next_request(&server).await;
    assert_eq!(ack.method(), Some(&Method::Ack));
    assert_eq!(ack.header("Via"), first.header("Via"), "RFC 3261 17.1.1.3");
    assert_eq!(ack.cseq(), Some((1, Method::Ack)));
    let second = next_request(&server).await;
    assert_eq!(second.cseq(), Some((2, Method::Invite)));
    assert_ne!(second.header("Via"), first.header("Via"));
    assert_eq!(second.header("Call-ID"), first.header("Call-ID"));
    let credentials = second.header("Proxy-Authorization").unwrap();
    assert!(
        credentials.contains("username=\"alice\"") && credentials.contains("nc=00000001"),
        "{credentials}"
    );

    // CANCEL goes with the INVITE that is still open.
    server
        .send(&response(&second, 180).to_bytes())
        .await
        .unwrap();
    assert_eq!(
        call.next_event().await,
        Some(CallEvent::Ringing { status: 180 })
    );
    let (cancelled, ()) = tokio::join!(call.cancel(), async {
        let cancel = next_request(&server).await;
        assert_eq!(cancel.cseq(), Some((2, Method::Cancel)));
        assert_eq!(cancel.header("Via"), second.header("Via"), "RFC 3261 9.1");
        server
            .send(&response(&cancel, 200).to_bytes())
            .await
            .unwrap();
        server
            .send(&response(&second, 487).to_bytes())
            .await
            .unwrap();
    });
    cancelled.unwrap();
    assert_eq!(next_request(&server).await.cseq(), Some((2, Method::Ack)));
}

#[tokio::test]
async fn requests_inside_a_call_follow_the_recorded_route_and_the_contact() {
    let (alice, server) = alice_and_server(|_| {}).await;
    let call = alice.call("bob", CallOptions::default()).await.unwrap();
    let invite = next_request(&server).await;
    let near = format!("<sip:{};lr>", server.local_addr());
    let answer = response(&invite, 200)
        .with("Record-Route", format!("<sip:192.0.2.9;lr>, {near}"))
        .with("Contact", "<sip:far@192.0.2.1:5099>;q=1");
    server.send(&answer.to_bytes()).await.unwrap();
    call.wait_answered(LIMIT).await.unwrap();
    let ack = next_request(&server).await;
    let (hung_up, bye) = tokio::join!(call.hang_up(), async {
        let bye = next_request(&server).await;
        server.send(&response(&bye, 200).to_bytes()).await.unwrap();
        bye
    });
    assert_eq!(hung_up.unwrap(), 200);
    for request in [ack, bye] {
        assert_eq!(request.uri(), Some("sip:far@192.0.2.1:5099"));
        let routes = request.headers_named("Route").collect::<Vec<_>>();
        assert_eq!(
            routes,
            [near.as_str(), "<sip:192.0.2.9;lr>"],
            "RFC 3261 12.1.2: in reverse order"
        );
        assert!(request.header("To").unwrap().ends_with(";tag=server"));
    }
}

/// Passes bytes between one TCP connection and a phone on UDP; TCP pieces are cut small on purpose.
async fn tcp_to_udp(listener: TcpListener, phone: std::net::SocketAddr) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (mut from_tcp, mut from_udp, mut held) = ([0u8; 4096], [0u8; 4096], Vec::new());
    loop {
        tokio::select! {
            read = stream.read(&mut from_tcp) => {
                let length = read.unwrap();
                if length == 0 {
                    return;
                }
                held.extend_from_slice(&from_tcp[..length]);
                while let Some(message) = whole_message(&mut held) {
                    udp.send_to(&message, phone).await.unwrap();
                }
            }
            received = udp.recv_from(&mut from_udp) => {
                for piece in from_udp[..received.unwrap().0].chunks(100) {
                    stream.write_all(piece).await.unwrap();
                }
            }
        }
    }
}

/// Takes one message off the front, by the Content-Length that the phone always writes last.
fn whole_message(held: &mut Vec<u8>) -> Option<Vec<u8>> {
    let head = held.windows(4).position(|w| w == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&held[..head]).into_owned();
    let length: usize = text
        .rsplit("Content-Length: ")
        .next()
        .unwrap()
        .parse()
        .unwrap();
    (held.len() >= head + 4 + length).then(|| held.drain(..head + 4 + length).collect())
}

#[tokio::test]
async fn a_phone_on_tcp_calls_and_hangs_up_over_its_one_connection() {
    let bob = Phone::bind(PhoneOptions::new(nowhere(), "bob"))
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap();
    let relay = tokio::spawn(tcp_to_udp(listener, bob.local_addr()));
    let options = PhoneOptions {
        transport: Transport::Tcp,
        ..PhoneOptions::new(server, "alice")
    };
    let alice = Phone::bind(options).await.unwrap();
    let outgoing = alice.call("bob", CallOptions::default()).await.unwrap();
    let incoming = bob.next_incoming().await.unwrap();
    assert!(incoming.header("Via").unwrap().starts_with("SIP/2.0/TCP "));
    assert!(
        incoming
            .header("Contact")
            .unwrap()
            .contains(";transport=tcp")
    );
    incoming.ring().await.unwrap();
    incoming.answer().await.unwrap();
    outgoing.wait_answered(LIMIT).await.unwrap();
    assert_eq!(outgoing.hang_up().await.unwrap(), 200);
    assert_eq!(
        incoming.wait_ended(LIMIT).await.unwrap().ended_by,
        Some(EndedBy::Remote)
    );
    drop((alice, outgoing));
    tokio::time::timeout(LIMIT, relay).await.unwrap().unwrap();
}

#[tokio::test]
async fn four_hundred_phones_in_one_process_are_400_sockets_and_tasks() {
    let bob = Phone::bind(PhoneOptions::new(nowhere(), "bob"))
        .await
        .unwrap();
    let server = bob.local_addr();
    let mut pings = tokio::task::JoinSet::new();
    for at in 0..400 {
        pings.spawn(async move {
            let phone = Phone::bind(PhoneOptions::new(server, format!("agent{at}")))
                .await
                .unwrap();
            phone.options_ping("bob").await.unwrap().status
        });
    }
    assert!(pings.join_all().await.iter().all(|status| *status == 200));
}
