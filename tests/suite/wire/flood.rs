//! Somebody calls far more often than may be written: each call is answered, and either
//! has a record of its own or is counted in a sum that says why and when.

use crate::support::{PATIENCE, setup};
use anyhow::{Context as _, ensure};
use phone::RawSocket;
use ringledger_tests::server::Server;
use serde_json::json;
use std::net::SocketAddr;

/// More than can wait to be recorded.
const CALLS: usize = 6_000;
/// Sent before their answers are awaited: a socket holds no more.
const AT_ONCE: usize = 50;
/// Calls may come from there only.
const TRUNK: &str = "[[trunk]]\nname = \"carrier\"\nallow = [\"10.0.0.0/8\"]\n";

fn invite(from: SocketAddr, number: usize) -> String {
    format!(
        "INVITE sip:support@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bKf{number}\r\n\
         From: <sip:4930701@127.0.0.1>;tag={number}\r\nTo: <sip:support@127.0.0.1>\r\n\
         Call-ID: flood-{number}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n\
         Contact: <sip:4930701@{from}>\r\nContent-Length: 0\r\n\r\n"
    )
}

/// Calls that often; every call is refused.
async fn flood(server: &Server) -> anyhow::Result<()> {
    let socket = RawSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0)), server.sip).await?;
    let from = socket.local_addr();
    let numbers: Vec<usize> = (0..CALLS).collect();
    for some in numbers.chunks(AT_ONCE) {
        for number in some {
            socket.send(invite(from, *number).as_bytes()).await?;
        }
        for _ in some {
            let answer = socket.receive(PATIENCE).await?.context("no answer")?;
            ensure!(answer.status() == Some(403), "{:?}", answer.status());
        }
    }
    Ok(())
}

/// Calls with a record, and those in sums.
async fn counted(server: &Server) -> anyhow::Result<(i64, i64)> {
    let query = "{ cdrs(first: 1) { totalCount } refusalSums(first: 1) { callsCount } }";
    let answer = server.graphql(query, json!({})).await?;
    let recorded = answer["cdrs"]["totalCount"].as_i64().context("records")?;
    let summed = answer["refusalSums"]["callsCount"]
        .as_i64()
        .context("sums")?;
    Ok((recorded, summed))
}

#[tokio::test]
async fn of_calls_that_are_more_than_may_be_written_none_is_without_a_trace() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let mut setup = setup(folder.path(), &[]);
    setup.provisioning.push_str(TRUNK);
    let server = Server::start(&setup).await?;
    flood(&server).await?;
    // What can not wait is summed up at once.
    let sums = "{ refusalSums(first: 9) { callsCount nodes { reason callsCount since until } } }";
    let answer = server
        .until(sums, |answer| answer["refusalSums"]["callsCount"] != 0)
        .await?;
    for sum in answer["refusalSums"]["nodes"].as_array().context("sums")? {
        ensure!(sum["reason"] == "NOT_ALLOWED", "{sum}");
        ensure!(sum["since"].as_str() <= sum["until"].as_str(), "{sum}");
    }
    // The others are written as fast as they may be; the end finds some that still wait.
    let (recorded, summed) = counted(&server).await?;
    ensure!(recorded + summed < CALLS as i64, "{recorded} and {summed}");
    server.stop().await?;
    let server = Server::start(&setup).await?;
    let (recorded, summed) = counted(&server).await?;
    ensure!(
        recorded > 0 && recorded + summed == CALLS as i64,
        "{recorded} recorded and {summed} summed up of {CALLS}"
    );
    // Those of no time are none.
    let past = "{ refusalSums(until: \"2020-01-01T00:00:00Z\") { callsCount nodes { reason } } }";
    let none = server.graphql(past, json!({})).await?;
    ensure!(none["refusalSums"]["callsCount"] == 0, "{none}");
    server.stop().await
}
