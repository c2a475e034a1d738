//! A call that goes out through a carrier which wants a digest: SIPp plays the
//! carrier and the caller, the real binary is between them.

use crate::{
    sipp::{sipp, succeeds},
    support::{PATIENCE, caller, dial, incoming, records},
};
use anyhow::ensure;
use phone::{Phone, PhoneOptions};
use ringledger_tests::server::{Server, Setup};
use serde_json::json;
use std::{
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

const CARRIER: &str = include_str!("carrier.xml");
const CALLER: &str = include_str!("carrier_caller.xml");
const CALLS: usize = 3;
const TALK_MS: &str = "400";
const SIPP_TIME: Duration = Duration::from_secs(60);

/// A trunk to a carrier on that port.
fn trunk(port: u16) -> String {
    format!(
        "[[trunk]]\nname = \"carrier\"\nallow = [\"127.0.0.0/8\"]\nhost = \"127.0.0.1:{port}\"\n\
         user = \"ringledger\"\npassword = \"carrier-secret\"\nstrip_prefix = \"+\"\n\
         add_prefix = \"00\"\nprefixes = [\"+49\"]\nchannels_max = 10\n\
         forwards = [{{ number = \"+4930999\", to = \"+491701234567\" }}]\n"
    )
}

/// A port that is free now.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forwarded_call_answers_the_carriers_digest_and_passes_early_media_on()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let server = Server::start(&Setup::new(folder.path(), &trunk(port))).await?;
    let mut carrier = sipp(folder.path(), "carrier", CARRIER, CALLS, SIPP_TIME)?;
    carrier.args(["-p", &port.to_string()]);
    let carrier = tokio::spawn(async move { succeeds("carrier", carrier, SIPP_TIME).await });
    let mut caller = sipp(folder.path(), "caller", CALLER, CALLS, SIPP_TIME)?;
    caller.arg(server.sip.to_string());
    caller.args(["-s", "+4930999", "-r", "10", "-d", TALK_MS]);
    succeeds("caller", caller, SIPP_TIME).await?;
    carrier.await??;
    for record in records(&server, 3).await? {
        ensure!(record["disposition"] == "FORWARDED", "{record}");
        ensure!(record["hangupBy"] == "CALLER", "{record}");
        ensure!(record["endReason"] == "HANGUP", "{record}");
        ensure!(!record["answeredAt"].is_null(), "{record}");
    }
    server.stop().await
}

/// A trunk of that priority to a phone that plays the carrier.
fn trunk_to(name: &str, port: u16, priority: u32) -> String {
    format!(
        "[[trunk]]\nname = \"{name}\"\nallow = [\"127.0.0.0/8\"]\nhost = \"127.0.0.1:{port}\"\n\
         priority = {priority}\n\
         forwards = [{{ number = \"+493099{priority}\", to = \"+491701234567\" }}]\n"
    )
}

pub(crate) async fn carrier_at(server: &Server, port: u16) -> anyhow::Result<Phone> {
    let options = PhoneOptions {
        bind: SocketAddr::from(([127, 0, 0, 1], port)),
        ..PhoneOptions::new(server.sip, "carrier")
    };
    Ok(Phone::bind(options).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_names_each_trunk_that_was_tried_and_what_it_said() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (first, second) = (free_port()?, free_port()?);
    let trunks = trunk_to("first", first, 1) + &trunk_to("second", second, 2);
    let server = Server::start(&Setup::new(folder.path(), &trunks)).await?;
    let full = carrier_at(&server, first).await?;
    let other = carrier_at(&server, second).await?;
    let out = dial(&caller(&server, "4930701").await?, "+4930991").await?;
    let reason = "Q.850;cause=42;text=\"full\"";
    let refused = incoming(&full).await?;
    refused
        .reject_with(503, vec![("Reason".into(), reason.into())])
        .await?;
    // It says nothing but a status: the cause is what that means.
    incoming(&other).await?.reject(410).await?;
    out.wait_ended(PATIENCE).await?;
    records(&server, 1).await?;
    let query = "{ trunks(first: 2) { nodes { id name } } cdrs(first: 1) { nodes { disposition \
                 sipStatus q850 legs { role trunkId trunksTried { trunkId sipStatus \
                 reasonHeader } } } } }";
    let answer = server.graphql(query, json!({})).await?;
    let record = &answer["cdrs"]["nodes"][0];
    let said = json!([record["disposition"], record["sipStatus"], record["q850"]]);
    ensure!(said == json!(["FAILED", 410, 22]), "{record}");
    let ids = [0, 1].map(|index| answer["trunks"]["nodes"][index]["id"].clone());
    let expected = json!({
        "role": "FORWARDED", "trunkId": ids[1],
        "trunksTried": [{"trunkId": ids[0], "sipStatus": 503, "reasonHeader": reason}],
    });
    let legs = record["legs"].as_array();
    ensure!(
        legs.is_some_and(|legs| legs.contains(&expected)),
        "{record}"
    );
    server.stop().await
}
