//! Calls and requests that lead nowhere: what the other side is told, and what
//! the record says.

use crate::support::{PATIENCE, call_is, caller, dial, setup};
use anyhow::{Context as _, ensure};
use phone::{CallEvent, CallOptions, Message, Offer, OutgoingCall, RawSocket, Rejection};
use ringledger_tests::server::Server;
use std::net::SocketAddr;

async fn rejection(mut call: OutgoingCall) -> anyhow::Result<Rejection> {
    let refused = async {
        loop {
            match call.next_event().await {
                Some(CallEvent::Rejected(rejection)) => return Some(rejection),
                Some(_) => {}
                None => return None,
            }
        }
    };
    tokio::time::timeout(PATIENCE, refused)
        .await?
        .context("it ended without a refusal")
}

async fn is_recorded(
    server: &Server,
    user: &str,
    status: i64,
    disposition: &str,
) -> anyhow::Result<()> {
    let query = "{ cdrs(first: 20) { nodes { from { user } sipStatus disposition } } }";
    server
        .until(query, |answer| {
            let cdrs = answer["cdrs"]["nodes"].as_array();
            cdrs.is_some_and(|cdrs| {
                cdrs.iter().any(|cdr| {
                    cdr["from"]["user"] == user
                        && cdr["sipStatus"] == status
                        && cdr["disposition"] == disposition
                })
            })
        })
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_call_that_leads_nowhere_is_refused_by_name_and_recorded() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = setup(folder.path(), &[]);
    setup
        .provisioning
        .push_str("capacity = 1\nnumbers = [\"+49301234\"]\n");
    let server = Server::start(&setup).await?;

    let phone = caller(&server, "4930601").await?;
    ensure!(
        rejection(dial(&phone, "nobody").await?).await?.status == 404,
        "404"
    );
    is_recorded(&server, "4930601", 404, "FAILED").await?;

    let phone = caller(&server, "4930602").await?;
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
               m=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n";
    let options = CallOptions {
        offer: Offer::Body(sdp.into()),
        ..CallOptions::default()
    };
    let call = phone.call("support", options).await?;
    ensure!(rejection(call).await?.status == 488, "488");
    is_recorded(&server, "4930602", 488, "FAILED").await?;

    // One of the queue's numbers fills it; the next caller hears busy and why.
    let waiting = dial(&caller(&server, "4930603").await?, "+49301234").await?;
    call_is(&server, "4930603", "WAITING").await?;
    let phone = caller(&server, "4930604").await?;
    let full = rejection(dial(&phone, "support").await?).await?;
    ensure!(full.status == 486, "486");
    let reason = full.reason.unwrap_or_default();
    ensure!(reason.starts_with("Q.850;cause=17"), "Reason: {reason}");
    is_recorded(&server, "4930604", 486, "BUSY").await?;
    waiting.cancel().await?;
    server.stop().await
}

/// The final answer to a request of one line and some headers.
async fn answer(server: &Server, line: &str, method: &str, extra: &str) -> anyhow::Result<Message> {
    let socket = RawSocket::bind(SocketAddr::from(([127, 0, 0, 1], 0)), server.sip).await?;
    let from = socket.local_addr();
    let request = format!(
        "{line} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{method}{}\r\n\
         From: <sip:a@127.0.0.1>;tag=1\r\nTo: <sip:support@127.0.0.1>\r\n\
         Call-ID: {method}-{}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n\
         Contact: <sip:a@{from}>\r\n{extra}Content-Length: 0\r\n\r\n",
        from.port(),
        from.port()
    );
    let answer = socket
        .send_and_wait_final(request.as_bytes(), PATIENCE)
        .await?;
    answer.context("no answer")
}

#[tokio::test]
async fn requests_are_answered_by_their_method_and_by_what_they_require() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&setup(folder.path(), &[])).await?;
    let options = answer(&server, "OPTIONS sip:127.0.0.1", "OPTIONS", "").await?;
    ensure!(
        options.status() == Some(200),
        "OPTIONS: {:?}",
        options.status()
    );
    let allow = options.header("Allow").context("Allow")?.to_owned();
    for method in ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER"] {
        ensure!(allow.contains(method), "{method} is not in Allow: {allow}");
    }
    let known = answer(&server, "PUBLISH sip:support@127.0.0.1", "PUBLISH", "").await?;
    ensure!(known.status() == Some(405), "PUBLISH: {:?}", known.status());
    ensure!(
        known.header("Allow") == Some(allow.as_str()),
        "405 names what is served"
    );
    let unknown = answer(&server, "DANCE sip:support@127.0.0.1", "DANCE", "").await?;
    ensure!(
        unknown.status() == Some(501),
        "DANCE: {:?}",
        unknown.status()
    );
    let line = "INVITE sip:support@127.0.0.1";
    let reliable = answer(&server, line, "INVITE", "Require: 100rel\r\n").await?;
    ensure!(
        reliable.status() == Some(420),
        "100rel: {:?}",
        reliable.status()
    );
    ensure!(
        reliable.header("Unsupported") == Some("100rel"),
        "Unsupported"
    );
    // No call begins with it: it is counted, and has no record.
    let counted = "ringledger_sip_boundary_answers_total{status=\"420\"} 1";
    server.until_metrics(|told| told.contains(counted)).await?;
    let recorded = server.graphql("{ cdrs { totalCount } }", serde_json::json!({}));
    let recorded = recorded.await?;
    ensure!(recorded["cdrs"]["totalCount"] == 0, "{recorded}");
    server.stop().await
}
