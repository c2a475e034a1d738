//! Where phones can be reached outlives the server.

use crate::support::{PATIENCE, agent, agent_is, caller, dial, incoming, setup};
use anyhow::{Context as _, ensure};
use domain::time::Timestamp;
use phone::{Phone, PhoneOptions, Transport};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

#[tokio::test]
async fn a_call_reaches_a_phone_that_registered_before_the_restart() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = setup(folder.path(), &["anna"]);
    let server = Server::start(&setup).await?;
    setup.sip = server.sip;
    let anna = agent(&server, "anna").await?;
    server.stop().await?;

    let server = Server::start(&setup).await?;
    agent_is(&server, "anna", "READY").await?;
    let caller = caller(&server, "4930111").await?;
    let out = dial(&caller, "support").await?;
    let call = incoming(&anna).await?;
    ensure!(
        call.from_user() == Some("4930111"),
        "{:?}",
        call.from_user()
    );
    call.ring().await?;
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    call.wait_ended(PATIENCE).await?;

    // One that has left is not called, whatever the server went through.
    anna.unregister().await?;
    agent_is(&server, "anna", "LOGGED_OUT").await?;
    server.stop().await?;
    let server = Server::start(&setup).await?;
    agent_is(&server, "anna", "LOGGED_OUT").await?;
    server.stop().await
}

#[tokio::test]
async fn a_call_reaches_a_phone_that_registered_before_kill_9() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = setup(folder.path(), &["anna"]);
    setup.provisioning += "[[agent]]\nname = \"bert\"\npassword = \"bert-secret\"\n\
                           ready_on_register = true\nregistration_grace_ms = 2500\n";
    let server = Server::start(&setup).await?;
    setup.sip = server.sip;
    let anna = agent(&server, "anna").await?;
    server.kill().await?;

    let server = Server::start(&setup).await?;
    let caller = caller(&server, "4930111").await?;
    let (out, call) = crate::support::talk(&caller, &anna).await?;
    out.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    a_phone_that_is_lost_may_come_back_for_a_while(server, &setup).await
}

/// Bert's connection is gone: nothing has happened, until the grace is over. It counts
/// from then, whoever is down meanwhile.
async fn a_phone_that_is_lost_may_come_back_for_a_while(
    server: Server,
    setup: &Setup,
) -> anyhow::Result<()> {
    let options = || PhoneOptions {
        transport: Transport::Tcp,
        ..PhoneOptions::new(server.sip, "bert").with_password("bert-secret")
    };
    let bert = Phone::bind(options()).await?;
    bert.register(3_600).await?;
    agent_is(&server, "bert", "READY").await?;
    drop(bert);
    let query = "{ agents(first: 9) { nodes { name state devicesCount registrationGraceMs } } }";
    let of_bert = |answer: &Value| {
        let agents = answer["agents"]["nodes"].as_array();
        let mut agents = agents.into_iter().flatten();
        agents.find(|agent| agent["name"] == "bert").cloned()
    };
    let gone = |answer: &Value| of_bert(answer).is_some_and(|bert| bert["devicesCount"] == 0);
    let lost = of_bert(&server.until(query, gone).await?).context("bert")?;
    ensure!(
        lost["state"] == "READY" && lost["registrationGraceMs"] == "2500",
        "{lost}"
    );
    server.kill().await?;
    let server = Server::start(setup).await?;
    let out = agent_is(&server, "bert", "NOT_READY").await?;
    ensure!(out["reason"] == "UNREACHABLE", "{out}");
    let query = "{ events(filter: { types: [\"binding_expired\", \
                 \"agent_became_not_ready\"] }, first: 9) { nodes { type at } } }";
    let told = server.graphql(query, json!({})).await?;
    let at = |wanted: &str| -> anyhow::Result<Timestamp> {
        let events = told["events"]["nodes"].as_array();
        let mut events = events.into_iter().flatten();
        let event = events.rfind(|event| event["type"] == wanted);
        let at = event.with_context(|| wanted.to_owned())?["at"].clone();
        Ok(serde_json::from_value(at)?)
    };
    let waited_ms = at("agent_became_not_ready")?.ms_since(at("binding_expired")?);
    ensure!(waited_ms >= 2_500, "{told}");
    server.stop().await
}
