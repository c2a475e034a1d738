//! What a phone of ours would never send: repeated, late, stray and unknown
//! messages, byte by byte.

use crate::world::{PATIENCE, World, dial, open, open_with, options, rules};
use domain::{
    call::AnswerMode,
    cause::{By, EndReason},
    queue,
};
use phone::{Message, RawSocket};
use std::time::Duration;

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

pub async fn raw(world: &World) -> RawSocket {
    let any = "127.0.0.1:0".parse().unwrap();
    RawSocket::bind(any, world.sip.local_addr()).await.unwrap()
}

/// A request of a caller. `extra` are whole header lines.
pub fn request(
    socket: &RawSocket,
    line: &str,
    cseq: &str,
    branch: &str,
    to_tag: &str,
    extra: &str,
) -> String {
    let from = socket.local_addr();
    let body = if line.starts_with("INVITE") { SDP } else { "" };
    let kind = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/sdp\r\n"
    };
    let to_tag = if to_tag.is_empty() {
        String::new()
    } else {
        format!(";tag={to_tag}")
    };
    format!(
        "{line} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{branch}\r\n\
        From: <sip:4930111@127.0.0.1>;tag=raw\r\nTo: <sip:support@127.0.0.1>{to_tag}\r\n\
        Call-ID: raw-1\r\nCSeq: {cseq}\r\nMax-Forwards: 70\r\nContact: <sip:4930111@{from}>\r\n\
        {extra}{kind}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub async fn next(socket: &RawSocket, wanted: impl Fn(&Message) -> bool) -> Message {
    let search = async {
        loop {
            let received = socket.receive(PATIENCE).await.unwrap();
            let message = received.expect("something comes").message().unwrap();
            if wanted(&message) {
                return message;
            }
        }
    };
    tokio::time::timeout(PATIENCE, search).await.unwrap()
}

pub async fn status(socket: &RawSocket, wanted: u16) -> Message {
    next(socket, |message| message.status() == Some(wanted)).await
}

pub fn tag(message: &Message) -> String {
    phone::address::tag_of(message.header("To").unwrap())
        .unwrap()
        .to_owned()
}

pub fn is(message: &Message, method: &str) -> bool {
    message.method().is_some_and(|have| have.name() == method)
}

#[tokio::test]
async fn a_request_outside_any_dialog_is_answered_by_its_method() {
    let world = open().await;
    let socket = raw(&world).await;
    let cases = [
        ("OPTIONS sip:127.0.0.1", "1 OPTIONS", "", 200),
        ("BYE sip:127.0.0.1", "2 BYE", "gone", 481),
        ("OPTIONS sip:127.0.0.1", "3 OPTIONS", "gone", 481),
        ("INVITE sip:127.0.0.1", "4 INVITE", "gone", 481),
        ("CANCEL sip:127.0.0.1", "5 CANCEL", "", 481),
        ("INFO sip:127.0.0.1", "6 INFO", "", 481),
        ("UPDATE sip:127.0.0.1", "7 UPDATE", "", 405),
        ("DANCE sip:127.0.0.1", "8 DANCE", "", 501),
    ];
    for (number, (line, cseq, to_tag, expected)) in cases.into_iter().enumerate() {
        let text = request(&socket, line, cseq, &format!("m{number}"), to_tag, "");
        socket.send(text.as_bytes()).await.unwrap();
        let answer = next(&socket, |message| {
            message.status().is_some_and(|status| status >= 200)
                && message.header("CSeq") == Some(cseq)
        })
        .await;
        assert_eq!(answer.status(), Some(expected), "{line}");
        let to = answer.header("To").unwrap();
        assert!(phone::address::tag_of(to).is_some(), "{line}: {to}");
        if matches!(expected, 200 | 405) {
            assert_eq!(
                answer.header("Allow"),
                Some("INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, REFER"),
                "{line}"
            );
        }
    }
}

#[tokio::test]
async fn a_request_in_a_dialog_that_nobody_knows_costs_one_datagram_and_no_transaction() {
    let world = open_with(sip::Options {
        t1_ms: 10,
        ..options()
    })
    .await;
    let socket = raw(&world).await;
    for round in 0..30 {
        let count = 50;
        for number in 0..count {
            let branch = format!("u{round}-{number}");
            let tag = format!("unknown{round}-{number}");
            let text = request(&socket, "INVITE sip:x", "2 INVITE", &branch, &tag, "");
            socket.send(text.as_bytes()).await.unwrap();
        }
        for _ in 0..count {
            let answer = socket.receive(PATIENCE).await.unwrap();
            let answer = answer.expect("each has an answer");
            assert_eq!(answer.status(), Some(481));
        }
    }
    let more = socket.receive(Duration::from_millis(500)).await.unwrap();
    assert_eq!(more, None, "nothing is repeated without an ACK");
    assert_eq!(world.sip.transactions(), 0);
}

#[tokio::test]
async fn an_answer_without_a_transaction_goes_where_the_via_says() {
    let world = open().await;
    world.trunk("carrier", "10.0.0.0/8").await;
    let (sends, hears) = (raw(&world).await, raw(&world).await);
    let own_port = format!("{};branch", sends.local_addr());
    for (number, (line, cseq, to_tag, expected)) in [
        ("OPTIONS sip:127.0.0.1", "1 OPTIONS", "", 200),
        ("REGISTER sip:127.0.0.1", "2 REGISTER", "", 401),
        ("BYE sip:127.0.0.1", "3 BYE", "gone", 481),
        ("INVITE sip:127.0.0.1", "4 INVITE", "", 403),
    ]
    .into_iter()
    .enumerate()
    {
        // Without a tag in From, as of old: ours does not leave (RFC 2543).
        let branch = format!("v{number}");
        let text = request(&sends, line, cseq, &branch, to_tag, "").replace(";tag=raw", "");
        let elsewhere = text.replace(&own_port, &format!("{};branch", hears.local_addr()));
        sends.send(elsewhere.as_bytes()).await.unwrap();
        let answer = next(&hears, |_| true).await;
        assert_eq!(answer.status(), Some(expected), "{line}");
        let from = answer.header("From").unwrap();
        assert_eq!(phone::address::tag_of(from), None, "{line}");

        // RFC 3581, 4.
        let rport = format!("{};rport;branch", hears.local_addr());
        let back = text.replace(&own_port, &rport).replace(&branch, "back");
        sends.send(back.as_bytes()).await.unwrap();
        let answer = next(&sends, |_| true).await;
        assert_eq!(answer.status(), Some(expected), "{line} with rport");
    }
}

#[tokio::test]
async fn a_repeated_invite_is_one_call_and_the_same_by_another_way_is_merged() {
    let world = open().await;
    world.support(rules()).await;
    let socket = raw(&world).await;
    let invite = request(
        &socket,
        "INVITE sip:support@127.0.0.1",
        "1 INVITE",
        "one",
        "",
        "",
    );
    socket.send(invite.as_bytes()).await.unwrap();
    // 100 before anything else, without a tag: it makes no dialog (RFC 3261, 8.2.6).
    let first = next(&socket, |_| true).await;
    assert_eq!(first.status(), Some(100));
    let to = first.header("To").unwrap();
    assert_eq!(phone::address::tag_of(to), None);
    let ringing = status(&socket, 180).await;
    socket.send(invite.as_bytes()).await.unwrap();
    let again = status(&socket, 180).await;
    assert_eq!(tag(&ringing), tag(&again));
    let other_way = request(
        &socket,
        "INVITE sip:support@127.0.0.1",
        "1 INVITE",
        "two",
        "",
        "",
    );
    socket.send(other_way.as_bytes()).await.unwrap();
    status(&socket, 482).await;
    let calls = world
        .office
        .history()
        .await
        .iter()
        .filter(|entry| &*entry.recorded.event_type == "call_received")
        .count();
    assert_eq!(calls, 1);
    let cancel = request(
        &socket,
        "CANCEL sip:support@127.0.0.1",
        "1 CANCEL",
        "one",
        "",
        "",
    );
    socket.send(cancel.as_bytes()).await.unwrap();
    status(&socket, 487).await;
}

#[tokio::test]
async fn an_ack_without_an_answer_to_our_offer_ends_the_call_with_a_bye() {
    let world = open().await;
    let config = queue::Config {
        answer_mode: AnswerMode::Immediate,
        ..rules()
    };
    world.support(config).await;
    let before = world.feed().head();
    let socket = raw(&world).await;
    let line = "INVITE sip:support@127.0.0.1";
    let invite = request(&socket, line, "1 INVITE", "a", "", "")
        .replace(SDP, "")
        .replace("Content-Type: application/sdp\r\n", "")
        .replace(
            &format!("Content-Length: {}", SDP.len()),
            "Content-Length: 0",
        );
    socket.send(invite.as_bytes()).await.unwrap();
    let ok = status(&socket, 200).await;
    assert!(!ok.body.is_empty(), "it is our offer");
    let ack = request(&socket, "ACK sip:x", "1 ACK", "b", &tag(&ok), "");
    socket.send(ack.as_bytes()).await.unwrap();
    let bye = next(&socket, |message| is(message, "BYE")).await;
    let done = reply(&bye, "200 OK", "raw", &socket);
    socket.send(done.as_bytes()).await.unwrap();
    let end = world.the_end(before).await;
    assert_eq!((end.reason, end.by), (EndReason::NoCommonCodec, By::System));
}

#[tokio::test]
async fn requests_inside_a_dialog_keep_their_order() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let agent = world.agent_phone("anna").await;
    let socket = raw(&world).await;
    let invite = request(
        &socket,
        "INVITE sip:support@127.0.0.1",
        "10 INVITE",
        "a",
        "",
        "",
    );
    socket.send(invite.as_bytes()).await.unwrap();
    let early = status(&socket, 180).await;
    let to_tag = tag(&early);
    // The first INVITE is still open: a second one must wait (RFC 3261, 14.2).
    let soon = request(&socket, "INVITE sip:x", "11 INVITE", "b", &to_tag, "");
    socket.send(soon.as_bytes()).await.unwrap();
    assert!(status(&socket, 500).await.header("Retry-After").is_some());

    let incoming = agent.next_incoming().await.unwrap();
    let answering = tokio::spawn(async move { incoming.answer().await.map(|()| incoming) });
    status(&socket, 200).await;
    let ack = request(&socket, "ACK sip:x", "10 ACK", "c", &to_tag, "");
    socket.send(ack.as_bytes()).await.unwrap();
    let incoming = answering.await.unwrap().unwrap();

    let old = request(&socket, "OPTIONS sip:x", "9 OPTIONS", "d", &to_tag, "");
    socket.send(old.as_bytes()).await.unwrap();
    status(&socket, 500).await;
    let probe = request(&socket, "OPTIONS sip:x", "12 OPTIONS", "e", &to_tag, "");
    socket.send(probe.as_bytes()).await.unwrap();
    status(&socket, 200).await;
    let bye = request(
        &socket,
        "BYE sip:x",
        "13 BYE",
        "f",
        &to_tag,
        "Reason: Q.850;cause=16\r\n",
    );
    socket.send(bye.as_bytes()).await.unwrap();
    status(&socket, 200).await;
    incoming.wait_ended(PATIENCE).await.unwrap();
    world.see_nothing_left().await;
}

/// A raw socket that stands in for the phone of an agent.
pub async fn raw_agent(world: &World) -> (phone::Phone, RawSocket) {
    let socket = raw(world).await;
    let mut options = world.phone_options("anna");
    options.contact = Some(format!("sip:anna@{}", socket.local_addr()));
    (world.agent_phone_with(options).await, socket)
}

pub fn reply(invite: &Message, status: &str, tag: &str, socket: &RawSocket) -> String {
    let body = if status.starts_with("200") { SDP } else { "" };
    reply_with(invite, status, tag, socket, body)
}

/// A response with a session description of its own.
pub fn reply_with(
    invite: &Message,
    status: &str,
    tag: &str,
    socket: &RawSocket,
    body: &str,
) -> String {
    let header = |name| invite.header(name).unwrap_or_default();
    format!(
        "SIP/2.0 {status}\r\nVia: {}\r\nFrom: {}\r\nTo: {};tag={tag}\r\nCall-ID: {}\r\n\
        CSeq: {}\r\nContact: <sip:anna@{}>\r\nContent-Type: application/sdp\r\n\
        Content-Length: {}\r\n\r\n{body}",
        header("Via"),
        header("From"),
        header("To"),
        header("Call-ID"),
        header("CSeq"),
        socket.local_addr(),
        body.len()
    )
}

#[tokio::test]
async fn every_copy_of_a_200_is_acknowledged_and_another_branch_is_hung_up() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let (_phone, socket) = raw_agent(&world).await;
    let caller = world.phone("4930111").await;
    let out = dial(&caller, "support").await;
    let invite = next(&socket, |message| is(message, "INVITE")).await;
    assert!(
        invite.header("User-Agent").is_none(),
        "no product name leaks"
    );
    let ok = reply(&invite, "200 OK", "first", &socket);
    socket.send(ok.as_bytes()).await.unwrap();
    next(&socket, |message| is(message, "ACK")).await;
    out.wait_answered(PATIENCE).await.unwrap();
    socket.send(ok.as_bytes()).await.unwrap();
    let ack = next(&socket, |message| is(message, "ACK")).await;
    assert_eq!(
        phone::address::tag_of(ack.header("To").unwrap()),
        Some("first")
    );

    let forked = reply(&invite, "200 OK", "second", &socket);
    socket.send(forked.as_bytes()).await.unwrap();
    let ack = next(&socket, |message| is(message, "ACK")).await;
    assert_eq!(
        phone::address::tag_of(ack.header("To").unwrap()),
        Some("second")
    );
    let bye = next(&socket, |message| is(message, "BYE")).await;
    assert_eq!(
        phone::address::tag_of(bye.header("To").unwrap()),
        Some("second")
    );
    out.hang_up().await.unwrap();
    let bye = next(&socket, |message| {
        is(message, "BYE") && phone::address::tag_of(message.header("To").unwrap()) == Some("first")
    })
    .await;
    assert!(
        bye.header("Reason")
            .is_some_and(|reason| reason.contains("cause=16"))
    );
}

#[tokio::test]
async fn an_answer_that_comes_after_we_gave_up_is_acknowledged_and_hung_up() {
    let world = open_with(sip::Options {
        t1_ms: 10,
        ..options()
    })
    .await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let (_phone, socket) = raw_agent(&world).await;
    let caller = world.phone("4930111").await;
    let before = world.feed().head();
    let out = dial(&caller, "support").await;
    let invite = next(&socket, |message| is(message, "INVITE")).await;
    // Nothing is said in 64*T1: the phone counts as unreachable.
    world.see(before, "offer_ended").await;
    let ok = reply(&invite, "200 OK", "late", &socket);
    socket.send(ok.as_bytes()).await.unwrap();
    next(&socket, |message| is(message, "ACK")).await;
    let bye = next(&socket, |message| is(message, "BYE")).await;
    let to = bye.header("To").unwrap();
    assert_eq!(phone::address::tag_of(to), Some("late"));
    let reason = bye.header("Reason").unwrap();
    assert!(
        reason.contains("cause=18"),
        "nobody else has the call: {reason}"
    );
    let done = reply(&bye, "200 OK", "late", &socket);
    socket.send(done.as_bytes()).await.unwrap();

    // A copy of it wants its ACK again, and nobody is to be hung up any more.
    let quiet = Duration::from_millis(300);
    let after = socket
        .send_and_collect(ok.as_bytes(), quiet)
        .await
        .unwrap()
        .into_iter()
        .filter_map(|received| received.message())
        .filter(|message| message.header("CSeq") != bye.header("CSeq"))
        .collect::<Vec<_>>();
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(is(&after[0], "ACK"));
    out.cancel().await.unwrap();
    world.see_nothing_left().await;
}

#[tokio::test]
async fn a_cancel_waits_for_a_sign_of_life_of_the_phone() {
    let world = open().await;
    let queue = world.support(rules()).await;
    world.agent("anna", queue).await;
    let (_phone, socket) = raw_agent(&world).await;
    let caller = world.phone("4930111").await;
    let out = dial(&caller, "support").await;
    let invite = next(&socket, |message| is(message, "INVITE")).await;
    out.cancel().await.unwrap();
    // Nothing but copies of the INVITE until we say something (RFC 3261, 9.1).
    let quiet = socket.receive(Duration::from_millis(700)).await.unwrap();
    assert!(
        quiet.is_none_or(|received| received.message().is_some_and(|m| is(&m, "INVITE"))),
        "no CANCEL yet"
    );
    let ringing = reply(&invite, "180 Ringing", "late", &socket);
    socket.send(ringing.as_bytes()).await.unwrap();
    let cancel = next(&socket, |message| is(message, "CANCEL")).await;
    assert_eq!(
        cancel.header("Via"),
        invite.header("Via"),
        "the same branch"
    );
    socket
        .send(reply(&cancel, "200 OK", "late", &socket).as_bytes())
        .await
        .unwrap();
    socket
        .send(reply(&invite, "487 Request Terminated", "late", &socket).as_bytes())
        .await
        .unwrap();
    next(&socket, |message| is(message, "ACK")).await;
    world.see_nothing_left().await;
}
