//! Where phones can be reached outlives the server.

use crate::support::{PATIENCE, agent, agent_is, caller, dial, incoming, setup};
use anyhow::ensure;
use ringledger_tests::server::Server;

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
    let server = Server::start(&setup).await?;
    setup.sip = server.sip;
    let anna = agent(&server, "anna").await?;
    server.kill().await?;

    let server = Server::start(&setup).await?;
    let caller = caller(&server, "4930111").await?;
    let (out, call) = crate::support::talk(&caller, &anna).await?;
    out.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    server.stop().await
}
