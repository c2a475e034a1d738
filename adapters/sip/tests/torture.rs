//! The torture messages of RFC 4475 and RFC 5118 through the boundary, against
//! the verdict table; and what the boundary passes through the stack's parser.
//! Also: no bytes, however mangled, make any of the parsers panic, or get
//! something past the boundary that the stack cannot read.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may, also in its helpers"
)]

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use ringledger_sip::auth::{Attempt, Authenticator, Ha1, NonceKey, Outcome};
use ringledger_sip::boundary::{DropReason, Origin, Transport, Verdict, inspect, stream};
use ringledger_sip::sdp;
use rsipstack::sip::prelude::{HeadersExt, ToTypedHeader};
use rsipstack::sip::{Method, SipMessage};
use rsipstack::transaction::key::{TransactionKey, TransactionRole};
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    boundary: toml::Value,
    wire: Vec<u16>,
    rfc: String,
    port: u16,
    why: String,
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/golden/torture"))
}

fn table() -> BTreeMap<String, Expected> {
    let text = std::fs::read_to_string(folder().join("verdicts.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

fn message(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.sip"))).unwrap()
}

fn origin(transport: Transport) -> Origin {
    Origin {
        source: "127.0.0.1:40000".parse().unwrap(),
        transport,
    }
}

fn udp(bytes: &[u8]) -> Verdict {
    inspect(bytes, origin(Transport::Udp))
}

/// Reads passed bytes as the stack does before it makes a transaction of them.
fn read_by_stack(bytes: &[u8]) -> Result<SipMessage, String> {
    let message = SipMessage::try_from(bytes).map_err(|error| error.to_string())?;
    match &message {
        SipMessage::Request(request) => {
            TransactionKey::from_request(request, TransactionRole::Server)
                .map_err(|error| error.to_string())?;
            let mut to = request.to_header().unwrap().clone();
            to.mut_tag("x".into()).map_err(|error| error.to_string())?;
            request
                .from_header()
                .unwrap()
                .typed()
                .map_err(|error| error.to_string())?;
            if matches!(request.method, Method::Invite | Method::Register) {
                request
                    .typed_contact_headers()
                    .map_err(|error| error.to_string())?;
            }
            request
                .typed_record_route_headers()
                .map_err(|error| error.to_string())?;
        }
        SipMessage::Response(response) => {
            TransactionKey::from_response(response, TransactionRole::Client)
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(message)
}

#[test]
fn every_torture_message_meets_its_verdict() {
    let table = table();
    assert_eq!(table.len(), 49 + 12);
    for (name, expected) in &table {
        assert!(
            !expected.why.is_empty() && !expected.rfc.is_empty(),
            "{name}"
        );
        let verdict = udp(&message(name));
        match (&expected.boundary, &verdict) {
            (toml::Value::String(word), Verdict::Pass(bytes)) if word == "pass" => {
                read_by_stack(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            (toml::Value::String(word), Verdict::Drop(_)) if word == "drop" => {
                assert!(expected.wire.is_empty(), "{name}");
            }
            (toml::Value::Integer(code), Verdict::Answer { status, to, bytes }) => {
                assert_eq!(*code, i64::from(*status), "{name}");
                assert!(expected.wire.contains(status), "{name}");
                let port = if expected.port == 0 {
                    40000
                } else {
                    expected.port
                };
                assert_eq!(to.to_string(), format!("127.0.0.1:{port}"), "{name}");
                let head = format!("SIP/2.0 {status} ");
                assert!(bytes.starts_with(head.as_bytes()), "{name}");
            }
            (wanted, got) => panic!("{name}: wanted {wanted}, got {got:?}"),
        }
    }
}

#[test]
fn every_file_of_the_folder_is_in_the_table() {
    let table = table();
    let files = std::fs::read_dir(folder()).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".sip").map(str::to_owned)
    });
    let mut count = 0;
    for name in files {
        assert!(table.contains_key(&name), "{name}");
        count += 1;
    }
    assert_eq!(count, table.len());
}

#[test]
fn a_stateless_answer_is_the_same_for_every_retransmission_and_has_a_to_tag() {
    let first = udp(&message("4475-unkscm"));
    assert_eq!(first, udp(&message("4475-unkscm")));
    let Verdict::Answer { bytes, .. } = first else {
        panic!("{first:?}")
    };
    let SipMessage::Response(response) = SipMessage::try_from(&bytes[..]).unwrap() else {
        panic!("no response")
    };
    assert!(response.to_header().unwrap().tag().unwrap().is_some());
    let via = response.via_header().unwrap().value().to_owned();
    assert!(
        via.ends_with(";branch=z9hG4bKkdjuw39234;received=127.0.0.1"),
        "{via}"
    );
}

#[test]
fn a_malformed_ack_is_never_answered() {
    let ack =
        b"ACK sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nCSeq: 1 INVITE\r\n\r\n";
    assert_eq!(udp(ack), Verdict::Drop(DropReason::BadAck));
}

#[test]
fn keepalives_and_noise_are_dropped() {
    for (bytes, reason) in [
        (&b""[..], DropReason::Keepalive),
        (b"\r\n\r\n", DropReason::Keepalive),
        (b"\0", DropReason::Keepalive),
        (
            b"\0\x01\0\0\x21\x12\xa4\x42123456789012",
            DropReason::Keepalive,
        ),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", DropReason::NotSip),
        (b"\xff\xfe\xfd", DropReason::NotSip),
        (b"INVITE sip:a@h SIP/2.0\r\n\r\n", DropReason::Unanswerable),
        (b"SIP/2.0 200 OK\r\n\r\n", DropReason::BadResponse),
    ] {
        assert_eq!(udp(bytes), Verdict::Drop(reason), "{bytes:?}");
    }
}

/// An INVITE with what is given changed: `old` replaced by `new`.
fn invite(old: &str, new: &str) -> Vec<u8> {
    let whole = "INVITE sip:support@127.0.0.1 SIP/2.0\r\n\
        Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKabc;rport\r\n\
        Max-Forwards: 70\r\nFrom: \"A\" <sip:a@h>;tag=1\r\nTo: <sip:support@h>\r\n\
        Call-ID: c1\r\nCSeq: 7 INVITE\r\nContact: <sip:a@127.0.0.1:5070>\r\n\
        Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n";
    assert!(whole.contains(old), "{old}");
    whole.replacen(old, new, 1).into_bytes()
}

fn status(bytes: &[u8]) -> u16 {
    match udp(bytes) {
        Verdict::Answer { status, .. } => status,
        Verdict::Pass(_) => 0,
        Verdict::Drop(reason) => panic!("{reason:?}"),
    }
}

#[test]
fn what_the_stack_would_swallow_is_answered() {
    for (old, new, wanted) in [
        ("", "", 0),
        ("SIP/2.0\r\nVia", "SIP/7.0\r\nVia", 505),
        ("7 INVITE", "7 BYE", 400),
        ("Call-ID: c1", "Call-ID: c1\r\ni: c2", 400),
        ("CSeq: 7 INVITE", "CSeq: 7 INVITE\r\nCSeq: 7 INVITE", 400),
        ("Content-Length: 5", "Content-Length: 5\r\nl: 5", 400),
        ("Content-Length: 5", "Content-Length: 4294967296", 400),
        (
            "Content-Length: 5",
            "Content-Length: 99999999999999999999999999",
            400,
        ),
        ("Content-Length: 5", "Content-Length: +5", 400),
        ("Max-Forwards: 70", "Max-Forwards: 0", 483),
        ("Max-Forwards: 70", "Max-Forwards: 256", 400),
        ("sip:support@127.0.0.1", "tel:+15551234", 416),
        ("sip:support@127.0.0.1", "sip:sup%4port@127.0.0.1", 400),
        (
            "Max-Forwards: 70",
            "Max-Forwards: 70\r\nRequire: 100rel",
            420,
        ),
        ("application/sdp", "text/plain", 415),
        (
            "application/sdp",
            "application/sdp\r\nContent-Encoding: gzip",
            415,
        ),
        ("Contact: <sip:a@127.0.0.1:5070>\r\n", "", 400),
        ("To: <sip:support@h>\r\n", "", 400),
        ("Call-ID: c1\r\n", "", 400),
        ("To: <sip:support@h>", "To: \"x <sip:support@h>", 400),
        ("Call-ID: c1", "Call-ID: c 1", 400),
        ("CSeq: 7", "CSeq: 2147483648", 400),
    ] {
        assert_eq!(status(&invite(old, new)), wanted, "{old} -> {new}");
    }
    let of = |method: &str| {
        String::from_utf8(invite("", ""))
            .unwrap()
            .replace("INVITE", method)
    };
    assert_eq!(status(of("PUBLISH").as_bytes()), 405);
    assert_eq!(status(of("FLY").as_bytes()), 501);
    assert_eq!(status(of("invite").as_bytes()), 501);
    let Verdict::Answer { bytes, .. } = udp(of("FLY").as_bytes()) else {
        panic!()
    };
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.contains("\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, REFER\r\n"),
        "{text}"
    );
}

#[test]
fn the_420_names_the_options_and_the_415_the_type() {
    for (old, new, wanted) in [
        (
            "Max-Forwards: 70",
            "Max-Forwards: 70\r\nRequire: 100rel, x",
            "Unsupported: 100rel, x\r\n",
        ),
        (
            "application/sdp",
            "text/plain",
            "Accept: application/sdp\r\n",
        ),
    ] {
        let Verdict::Answer { bytes, .. } = udp(&invite(old, new)) else {
            panic!("{new}")
        };
        assert!(
            String::from_utf8(bytes).unwrap().contains(wanted),
            "{wanted}"
        );
    }
}

fn passed(bytes: &[u8]) -> rsipstack::sip::Request {
    let Verdict::Pass(bytes) = udp(bytes) else {
        panic!("{:?}", udp(bytes))
    };
    match read_by_stack(&bytes).unwrap() {
        SipMessage::Request(request) => request,
        SipMessage::Response(_) => panic!("a response"),
    }
}

#[test]
fn a_datagram_without_a_content_length_keeps_its_session_description() {
    let request = passed(&invite("Content-Length: 5\r\n", ""));
    assert_eq!(request.body, b"v=0\r\n");
}

#[test]
fn a_header_that_is_not_utf8_costs_none_of_the_later_headers() {
    let mut bytes = b"Subject: \xff\xfe\r\nVia".to_vec();
    let whole = invite("", "");
    let at = whole
        .windows(3)
        .position(|window| window == b"Via")
        .unwrap();
    bytes.extend_from_slice(&whole[at + 3..]);
    let request = passed(&[&whole[..at], &bytes].concat());
    assert_eq!(request.call_id_header().unwrap().value(), "c1");
    assert_eq!(request.body, b"v=0\r\n");
}

#[test]
fn the_source_is_in_the_via_that_the_stack_answers_along() {
    let request = passed(&invite("", ""));
    let via = request.via_header().unwrap().value();
    assert_eq!(
        via,
        "SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKabc;received=127.0.0.1;rport=40000"
    );
}

#[test]
fn a_stream_is_cut_and_inspected_like_datagrams() {
    let mut framer = stream::Framer::new();
    framer.push(&invite("", ""));
    framer.push(&invite("Content-Length: 5", "Content-Length: 10000000000"));
    let Some(stream::Frame::Message(first)) = framer.next_frame() else {
        panic!()
    };
    assert!(matches!(
        inspect(&first, origin(Transport::Tcp)),
        Verdict::Pass(_)
    ));
    let Some(stream::Frame::Last(second)) = framer.next_frame() else {
        panic!()
    };
    let verdict = inspect(&second, origin(Transport::Tcp));
    assert!(
        matches!(verdict, Verdict::Answer { status: 400, .. }),
        "{verdict:?}"
    );
}

/// A torture message with some of its bytes changed, cut out or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let messages: Vec<Vec<u8>> = table()
        .keys()
        .map(|name| message(name))
        .chain([invite("", "")])
        .collect();
    let edit = (
        any::<prop::sample::Index>(),
        0..4u8,
        prop::sample::select(b"\r\n\t :;,<>\"\\%@?=/[]()\0\x7f\xff\x80azAZ09*-".to_vec()),
    );
    (
        prop::sample::select(messages),
        prop::collection::vec(edit, 0..8),
    )
        .prop_map(|(mut bytes, edits)| {
            for (index, kind, byte) in edits {
                if bytes.is_empty() {
                    break;
                }
                let at = index.index(bytes.len());
                match kind {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    2 => {
                        bytes.remove(at);
                    }
                    _ => {
                        let tail = bytes[at..].to_vec();
                        bytes.extend_from_slice(&tail[..tail.len().min(64)]);
                    }
                }
            }
            bytes
        })
}

fn holds_for(bytes: &[u8]) -> Result<(), TestCaseError> {
    for transport in [Transport::Udp, Transport::Tcp, Transport::Ws] {
        match inspect(bytes, origin(transport)) {
            Verdict::Pass(passed) => {
                if let Err(error) = read_by_stack(&passed) {
                    let text = String::from_utf8_lossy(&passed).into_owned();
                    return Err(TestCaseError::fail(format!("{error}: {text:?}")));
                }
            }
            Verdict::Answer { bytes, status, .. } => {
                prop_assert!((400..600).contains(&status));
                let read = SipMessage::try_from(&bytes[..]);
                prop_assert!(matches!(read, Ok(SipMessage::Response(_))));
            }
            Verdict::Drop(_) => {}
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mangled_messages_are_judged_without_panic_and_passed_only_if_the_stack_can_read_them(
        bytes in mutated()
    ) {
        holds_for(&bytes)?;
    }

    #[test]
    fn arbitrary_bytes_are_judged_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        holds_for(&bytes)?;
    }

    #[test]
    fn a_mangled_stream_is_cut_without_panic(bytes in mutated(), size in 1..200usize) {
        let mut framer = stream::Framer::new();
        for chunk in bytes.chunks(size) {
            framer.push(chunk);
            while let Some(frame) = framer.next_frame() {
                if let stream::Frame::Message(message) = frame {
                    holds_for(&message)?;
                }
            }
        }
    }

    #[test]
    fn a_mangled_session_description_is_read_without_panic(
        lines in prop::collection::vec("(v=0|c=IN IP[46] [0-9.:/a-f]{0,16}|m=(audio|video)[ 0-9/A-Z]{0,30}|a=(rtpmap|rtcp|ptime|sendonly|inactive)[: 0-9/A-Za-z-]{0,30}|t=[0-9 ]{0,20}|.{0,20})", 0..30)
    ) {
        let text = format!("v=0\r\n{}", lines.join("\r\n"));
        if let Ok(remote) = sdp::parse(text.as_bytes()) {
            let local = sdp::Local {
                rtp: "127.0.0.1:4000".parse().unwrap(),
                rtcp: None,
                direction: sdp::Direction::SendRecv,
            };
            let answer = sdp::Origin::new(1).answer(local, &remote, remote.audio.formats[0]);
            prop_assert!(sdp::parse(answer.as_bytes()).is_ok(), "{}", answer);
        }
    }

    #[test]
    fn a_mangled_authorization_is_read_without_panic_and_opens_nothing(
        text in "(Digest|digest )?[ \t]*((username|realm|nonce|uri|response|qop|nc|cnonce|algorithm)=[\"\\\\a-zA-Z0-9 +,-]{0,20}, ?){0,10}"
    ) {
        let mut authenticator = Authenticator::new("realm", NonceKey::new([0; 32]));
        let source = std::net::Ipv4Addr::LOCALHOST.into();
        let headers = &[text.as_str()];
        let attempt = Attempt { method: "REGISTER", source, headers, now_ms: 1, entropy: 1 };
        let outcome = authenticator.verify(attempt, |user| Some(Ha1::compute(user, "realm", "p")));
        prop_assert!(!matches!(outcome, Outcome::Granted { .. }), "{}", text);
    }
}
