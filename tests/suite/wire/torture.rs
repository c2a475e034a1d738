//! Every torture message of RFC 4475 and RFC 5118 sent to the real server over UDP:
//! it answers as the verdict table says, and still answers OPTIONS after each.

use crate::support::{PATIENCE, calls};
use anyhow::{Context as _, ensure};
use phone::RawSocket;
use ringledger_tests::server::{Server, Setup};
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

fn verdicts() -> anyhow::Result<BTreeMap<String, Verdict>> {
    let text = std::fs::read_to_string(folder().join("verdicts.toml"))?;
    Ok(toml::from_str(&text)?)
}

/// A socket at an address of its own: the answer goes to the port in the Via
/// (RFC 3261, 18.2.2), which the messages choose.
async fn at(server: SocketAddr, number: usize, port: u16) -> anyhow::Result<RawSocket> {
    let octet = u8::try_from(number + 1)?;
    let port = if port == 0 { 5060 } else { port };
    let own = SocketAddr::from(([127, 7, 7, octet], port));
    Ok(RawSocket::bind(own, server).await?)
}

async fn still_answers(server: SocketAddr, number: usize) -> anyhow::Result<()> {
    let socket = RawSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0)), server).await?;
    let from = socket.local_addr();
    let options = format!(
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKafter{number}\r\n\
         From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:127.0.0.1>\r\nCall-ID: after-{number}\r\n\
         CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    );
    let answer = socket
        .send_and_wait_final(options.as_bytes(), PATIENCE)
        .await?;
    let status = answer.and_then(|answer| answer.status());
    ensure!(status == Some(200), "OPTIONS is answered with {status:?}");
    Ok(())
}

#[tokio::test]
async fn every_torture_message_is_answered_as_its_rfc_says_and_stops_nothing() -> anyhow::Result<()>
{
    let folder_of_store = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder_of_store.path(), "")).await?;
    let verdicts = verdicts()?;
    ensure!(verdicts.len() == 49 + 12, "{} messages", verdicts.len());
    for (number, (name, verdict)) in verdicts.iter().enumerate() {
        let message = std::fs::read(folder().join(format!("{name}.sip")))?;
        let socket = at(server.sip, number, verdict.port).await?;
        if verdict.wire.is_empty() {
            socket.send(&message).await?;
            still_answers(server.sip, number)
                .await
                .with_context(|| format!("after {name}"))?;
            ensure!(
                socket.receive(SILENCE).await?.is_none(),
                "{name} was answered"
            );
            continue;
        }
        let answer = socket.send_and_wait_final(&message, PATIENCE).await?;
        let status = answer.and_then(|answer| answer.status());
        let status = status.with_context(|| format!("{name} was not answered"))?;
        ensure!(verdict.wire.contains(&status), "{name}: {status}");
        still_answers(server.sip, number)
            .await
            .with_context(|| format!("after {name}"))?;
    }
    calls(&server, 0).await?;
    server.stop().await
}
