//! Phones over WebSocket at the real server: there only when a setting says where.

use crate::support::{PATIENCE, agent, agent_is, caller, dial, records, setup, talk};
use anyhow::{Context as _, ensure};
use phone::{Phone, PhoneOptions, Transport};
use ringledger_tests::server::{Server, Setup};

/// Where the listener is set.
const SETTING: &str = "RINGLEDGER__SIP__WS_LISTEN";

fn with(setup: Setup, listen: &str) -> Setup {
    Setup {
        environment: vec![(SETTING.into(), listen.into())],
        ..setup
    }
}

#[tokio::test]
async fn an_agent_in_a_browser_takes_calls_and_other_protocols_and_noise_disturb_nobody()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = with(setup(folder.path(), &["anna"]), "127.0.0.1:0");
    setup.provisioning.push_str("registration_grace_ms = 200\n");
    let server = Server::start(&setup).await?;
    let ws = server.ws.context("it says where")?;
    let options = PhoneOptions {
        transport: Transport::Ws,
        ..PhoneOptions::new(ws, "anna").with_password("anna-secret")
    };
    let anna = Phone::bind(options).await?;
    let outcome = anna.register(3_600).await?;
    ensure!(
        outcome.contacts.len() == 1 && outcome.contacts[0].contains(".invalid;transport=ws"),
        "{outcome:?}"
    );
    agent_is(&server, "anna", "READY").await?;
    // No WebSocket, and one that is not for SIP.
    let client = reqwest::Client::new();
    let plain = client.get(format!("http://{ws}/")).send().await?;
    ensure!(plain.status() == 400, "{plain:?}");
    let opened = tokio_tungstenite::connect_async(format!("ws://{ws}/")).await;
    let refused = opened.map(drop).err().context("it is opened")?;
    ensure!(refused.to_string().contains("400"), "{refused}");
    let phone = caller(&server, "4930111").await?;
    let (out, first) = talk(&phone, &anna).await?;
    ensure!(first.hang_up().await? == 200, "the agent hangs up");
    out.wait_ended(PATIENCE).await?;
    let (out, call) = talk(&phone, &anna).await?;
    ensure!(out.hang_up().await? == 200, "the caller hangs up");
    call.wait_ended(PATIENCE).await?;
    let by = records(&server, 2).await?;
    let by: Vec<_> = by.iter().map(|one| one["hangupBy"].as_str()).collect();
    ensure!(by == [Some("AGENT"), Some("CALLER")], "{by:?}");
    let (_, metrics) = server.get("/metrics").await?;
    ensure!(
        metrics.contains("ringledger_sip_handshakes_refused_total 2"),
        "{metrics}"
    );
    // The browser is closed, when nothing of the phone is left.
    drop((anna, first, call));
    server
        .until_metrics(|metrics| {
            metrics.contains("ringledger_sip_websockets_closed_total{reason=\"gone\"} 1")
        })
        .await?;
    agent_is(&server, "anna", "NOT_READY").await?;
    server.stop().await
}

#[tokio::test]
async fn no_websockets_are_taken_unless_a_setting_says_where_and_a_taken_address_is_named()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&setup(folder.path(), &["anna"])).await?;
    ensure!(server.ws.is_none(), "{:?}", server.said());
    let taken = server.sip.to_string();
    let _anna = agent(&server, "anna").await?;

    let folder = tempfile::tempdir()?;
    let setup = with(setup(folder.path(), &[]), &taken);
    let file = setup.write()?;
    let file = file.to_str().context("a name in UTF-8")?;
    let arguments = ["serve", "--config", file, "--data", "data"];
    let ran = crate::support::run(&arguments, &[(SETTING, &taken)], folder.path()).await?;
    ensure!(ran.code.is_some_and(|code| code != 0), "{ran:?}");
    ensure!(
        ran.err.contains("sip.ws_listen") && ran.err.contains(&taken),
        "{ran:?}"
    );
    server.stop().await
}

/// A trunk that lets in whoever is at this address, as a proxy's may be.
const TRUNK: &str = "[[trunk]]\nname = \"carrier\"\nallow = [\"127.0.0.0/8\"]\n";

#[tokio::test]
async fn where_there_are_trunks_only_who_is_registered_calls_over_a_websocket() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let mut setup = with(setup(folder.path(), &["anna"]), "127.0.0.1:0");
    setup.provisioning.push_str(TRUNK);
    let server = Server::start(&setup).await?;
    let ws = server.ws.context("it says where")?;
    let at = |user: &str| PhoneOptions {
        transport: Transport::Ws,
        ..PhoneOptions::new(ws, user)
    };
    // Nobody knows who that is, whatever the trunk says of the address.
    let stranger = Phone::bind(at("carrier")).await?;
    let call = dial(&stranger, "support").await?;
    let ended = call.wait_ended(PATIENCE).await?;
    ensure!(ended.status == Some(403), "{ended:?}");
    let anna = Phone::bind(at("anna").with_password("anna-secret")).await?;
    anna.register(3_600).await?;
    let call = dial(&anna, "support").await?;
    call.wait_ringing(PATIENCE).await?;
    call.cancel().await?;
    call.wait_ended(PATIENCE).await?;
    records(&server, 2).await?;
    let query = "{ cdrs(first: 9) { nodes { disposition trunkId } } }";
    let told = server.graphql(query, serde_json::json!({})).await?;
    let expected = serde_json::json!([
        { "disposition": "ABANDONED", "trunkId": null },
        { "disposition": "BLOCKED", "trunkId": null },
    ]);
    ensure!(told["cdrs"]["nodes"] == expected, "{told:#}");
    server.stop().await
}
