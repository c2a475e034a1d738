//! A call that goes out through a carrier which wants a digest: SIPp plays the
//! carrier and the caller, the real binary is between them.

use crate::{
    sipp::{sipp, succeeds},
    support::records,
};
use anyhow::ensure;
use ringledger_tests::server::{Server, Setup};
use std::{net::UdpSocket, time::Duration};

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
fn free_port() -> anyhow::Result<u16> {
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
