//! Every torture message of RFC 4475 and RFC 5118 sent to the server over UDP:
//! it answers as the verdict table says, and still answers OPTIONS after each.

use crate::world::{PATIENCE, World, open};
use phone::RawSocket;
use serde::Deserialize;
use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

/// How long silence is listened to. A response is dropped before the OPTIONS
/// behind it is read, so that what it caused would have come by then.
const SILENCE: Duration = Duration::from_millis(100);

/// A line of `verdicts.toml`, as far as the wire shows it.
#[derive(Deserialize)]
struct Verdict {
    wire: Vec<u16>,
    port: u16,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../adapters/sip/golden/torture"
    ))
}

fn verdicts() -> BTreeMap<String, Verdict> {
    let text = std::fs::read_to_string(folder().join("verdicts.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

/// A socket at an address of its own: the answer goes to the port in the Via
/// (RFC 3261, 18.2.2), which the messages choose.
async fn at(world: &World, number: usize, port: u16) -> RawSocket {
    let octet = u8::try_from(number + 1).unwrap();
    let port = if port == 0 { 5060 } else { port };
    let own = SocketAddr::from(([127, 7, 7, octet], port));
    RawSocket::bind(own, world.sip.local_addr()).await.unwrap()
}

async fn still_answers(world: &World, number: usize) {
    let any = "127.0.0.1:0".parse().unwrap();
    let socket = RawSocket::bind(any, world.sip.local_addr()).await.unwrap();
    let from = socket.local_addr();
    let options = format!(
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKafter{number}\r\n\
         From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: after-{number}\r\n\
         CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    let answer = socket
        .send_and_wait_final(options.as_bytes(), PATIENCE)
        .await
        .unwrap();
    assert_eq!(answer.and_then(|answer| answer.status()), Some(200));
}

#[tokio::test]
async fn every_torture_message_is_answered_as_its_rfc_says_and_stops_nothing() {
    let world = open().await;
    let verdicts = verdicts();
    assert_eq!(verdicts.len(), 49 + 12);
    for (number, (name, verdict)) in verdicts.iter().enumerate() {
        let message = std::fs::read(folder().join(format!("{name}.sip"))).unwrap();
        let socket = at(&world, number, verdict.port).await;
        if verdict.wire.is_empty() {
            socket.send(&message).await.unwrap();
            still_answers(&world, number).await;
            let heard = socket.receive(SILENCE).await.unwrap();
            assert!(heard.is_none(), "{name} was answered");
            continue;
        }
        let answer = socket
            .send_and_wait_final(&message, PATIENCE)
            .await
            .unwrap();
        let status = answer
            .unwrap_or_else(|| panic!("{name} was not answered"))
            .status()
            .unwrap();
        assert!(verdict.wire.contains(&status), "{name}: {status}");
        still_answers(&world, number).await;
    }
    world.see_nothing_left().await;
}
