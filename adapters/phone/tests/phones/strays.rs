use std::time::Duration;

use ringledger_phone::{CallOptions, Message, Method, Phone, PhoneOptions, RawSocket};

use crate::{LIMIT, nowhere};

const QUIET: Duration = Duration::from_millis(200);

async fn bob_and_socket() -> (Phone, RawSocket) {
    let bob = Phone::bind(PhoneOptions::new(nowhere(), "bob"))
        .await
        .unwrap();
    let socket = RawSocket::bind("127.0.0.1:0".parse().unwrap(), bob.local_addr())
        .await
        .unwrap();
    (bob, socket)
}

fn request(socket: &RawSocket, method: Method, branch: &str) -> Message {
    let cseq = format!("1 {method}");
    Message::request(method, "sip:bob@127.0.0.1")
        .with(
            "Via",
            format!("SIP/2.0/UDP {};rport;branch={branch}", socket.local_addr()),
        )
        .with("From", "<sip:raw@127.0.0.1>;tag=raw")
        .with("To", "<sip:bob@127.0.0.1>")
        .with("Call-ID", branch)
        .with("CSeq", cseq)
        .with("Contact", format!("<sip:raw@{}>", socket.local_addr()))
        .with("Max-Forwards", "70")
}

#[tokio::test]
async fn bytes_that_are_no_sip_are_dropped_and_the_phone_goes_on() {
    let (_bob, socket) = bob_and_socket().await;
    for bytes in [
        &b"\0\xff\xfe"[..],
        b"INVITE",
        b"SIP/2.0 999 x\r\n\r\n",
        b"INVITE x SIP/2.0\r\n\r\n",
        b"\r\n\r\n",
        b"",
    ] {
        assert_eq!(socket.send_and_collect(bytes, QUIET / 4).await.unwrap(), []);
    }
    let options = request(&socket, Method::Options, "z9hG4bKa").to_bytes();
    let answer = socket
        .send_and_wait_final(&options, LIMIT)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answer.status(), Some(200));
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_response_again() {
    let (bob, socket) = bob_and_socket().await;
    let invite = request(&socket, Method::Invite, "z9hG4bKsame").to_bytes();
    assert_eq!(
        socket.send_and_collect(&invite, QUIET).await.unwrap(),
        [],
        "not even 100 without being told"
    );
    let incoming = bob.next_incoming().await.unwrap();
    incoming.ring().await.unwrap();
    let first = socket.receive(LIMIT).await.unwrap().unwrap();
    let again = socket.send_and_collect(&invite, QUIET).await.unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].bytes, first.bytes);
    assert_eq!(first.status(), Some(180));
    let more = tokio::time::timeout(QUIET, bob.next_incoming()).await;
    assert!(more.is_err(), "a repetition is no second call");
}

#[tokio::test]
async fn a_refusal_is_repeated_until_it_is_acknowledged() {
    let (bob, socket) = bob_and_socket().await;
    let invite = request(&socket, Method::Invite, "z9hG4bKbusy");
    socket.send(&invite.to_bytes()).await.unwrap();
    bob.next_incoming()
        .await
        .unwrap()
        .reject(486)
        .await
        .unwrap();
    for _ in 0..2 {
        assert_eq!(
            socket.receive(LIMIT).await.unwrap().unwrap().status(),
            Some(486)
        );
    }
    let ack = request(&socket, Method::Ack, "z9hG4bKbusy");
    assert_eq!(
        socket
            .send_and_collect(&ack.to_bytes(), Duration::from_millis(1500))
            .await
            .unwrap(),
        []
    );
}

#[tokio::test]
async fn requests_for_calls_that_are_not_there_get_481_and_unserved_methods_405() {
    let (_bob, socket) = bob_and_socket().await;
    let message = Method::Other("MESSAGE".to_owned());
    for (method, expected) in [
        (Method::Bye, 481),
        (Method::Cancel, 481),
        (Method::Register, 405),
        (message, 405),
    ] {
        let bytes = request(&socket, method.clone(), &format!("z9hG4bK{method}")).to_bytes();
        let answer = socket
            .send_and_wait_final(&bytes, LIMIT)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(answer.status(), Some(expected), "{method}");
    }
}

#[tokio::test]
async fn a_repeated_answer_is_acknowledged_again() {
    let socket = RawSocket::bind("127.0.0.1:0".parse().unwrap(), nowhere())
        .await
        .unwrap();
    let alice = Phone::bind(PhoneOptions::new(socket.local_addr(), "alice"))
        .await
        .unwrap();
    let socket_to_alice = RawSocket::bind("127.0.0.1:0".parse().unwrap(), alice.local_addr())
        .await
        .unwrap();
    let _call = alice.call("bob", CallOptions::default()).await.unwrap();
    let invite = socket
        .receive(LIMIT)
        .await
        .unwrap()
        .unwrap()
        .message()
        .unwrap();
    let mut answer = Message::response(200, "OK");
    for name in ["Via", "From", "Call-ID", "CSeq"] {
        answer.push(name, invite.header(name).unwrap());
    }
    answer.push("To", format!("{};tag=raw", invite.header("To").unwrap()));
    answer.push(
        "Contact",
        format!("<sip:raw@{}>", socket_to_alice.local_addr()),
    );
    let mut acks = Vec::new();
    for _ in 0..2 {
        socket_to_alice.send(&answer.to_bytes()).await.unwrap();
        acks.push(socket_to_alice.receive(LIMIT).await.unwrap().unwrap());
    }
    assert_eq!(acks[0].bytes, acks[1].bytes);
    assert_eq!(acks[0].message().unwrap().method(), Some(&Method::Ack));
}

#[tokio::test]
async fn a_call_that_requires_an_extension_is_refused_with_420() {
    let (_bob, socket) = bob_and_socket().await;
    let invite = request(&socket, Method::Invite, "z9hG4bKrequire").with("Require", "100rel");
    let answer = socket
        .send_and_wait_final(&invite.to_bytes(), LIMIT)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (answer.status(), answer.header("Unsupported")),
        (Some(420), Some("100rel"))
    );
}

#[tokio::test]
async fn an_ignored_call_stays_ignored_whatever_comes() {
    let (bob, socket) = bob_and_socket().await;
    let invite = request(&socket, Method::Invite, "z9hG4bKignored");
    socket.send(&invite.to_bytes()).await.unwrap();
    bob.next_incoming().await.unwrap().ignore().await.unwrap();
    for method in [Method::Invite, Method::Cancel] {
        let again = request(&socket, method, "z9hG4bKignored").to_bytes();
        assert_eq!(socket.send_and_collect(&again, QUIET).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_sloppy_message_is_used_and_complained_about() {
    let (bob, socket) = bob_and_socket().await;
    let mut ping = request(&socket, Method::Options, "z9hG4bKsloppy");
    ping.remove("Max-Forwards");
    let answer = socket
        .send_and_wait_final(&ping.to_bytes(), LIMIT)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answer.status(), Some(200));
    let complaints = bob.complaints();
    assert_eq!(complaints.len(), 1);
    assert!(complaints[0].rule.starts_with("8.1.1.6"), "{complaints:?}");
}
