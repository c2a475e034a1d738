//! Two servers on one PostgreSQL database: whoever receives a call has it, and
//! everything else is everybody's.

use crate::support::{
    PATIENCE, SUPPORT, agent, agent_is, caller, calls, dial, incoming, mutate, records, talk,
};
use anyhow::ensure;
use ringledger_tests::server::{Server, Setup};
use serde_json::json;
use tempfile::TempDir;

/// The database and folders of a few nodes.
pub(crate) struct Nodes {
    database: store::testing::Database,
    folders: Vec<TempDir>,
    provisioning: String,
    settings: String,
}

impl Nodes {
    pub(crate) async fn new(agents: &[&str]) -> Self {
        Self {
            database: store::testing::database().await,
            folders: vec![],
            provisioning: Setup::provisioning(SUPPORT, agents),
            settings: String::new(),
        }
    }

    /// How the node of that name is started.
    pub(crate) fn setup(&mut self, name: &str) -> anyhow::Result<Setup> {
        let folder = tempfile::tempdir()?;
        let mut setup = Setup::new(folder.path(), &self.provisioning);
        self.folders.push(folder);
        setup.store_url = Some(self.database.url().into());
        setup.settings = format!("[node]\nname = \"{name}\"\n{}", self.settings);
        Ok(setup)
    }

    pub(crate) async fn start(&mut self, name: &str) -> anyhow::Result<Server> {
        Server::start(&self.setup(name)?).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_at_one_node_is_answered_by_an_agent_who_registered_at_the_other()
-> anyhow::Result<()> {
    let mut nodes = Nodes::new(&["anna"]).await;
    let a = nodes.start("a").await?;
    let b = nodes.start("b").await?;
    let anna = agent(&b, "anna").await?;
    agent_is(&a, "anna", "READY").await?;
    let phone = caller(&a, "4930555").await?;
    let (out, call) = talk(&phone, &anna).await?;
    // Both nodes show the same call.
    calls(&a, 1).await?;
    calls(&b, 1).await?;
    out.hang_up().await?;
    call.wait_ended(PATIENCE).await?;
    for node in [&a, &b] {
        let records = records(node, 1).await?;
        ensure!(records[0]["disposition"] == "ANSWERED", "{records:?}");
        ensure!(records[0]["hangupBy"] == "CALLER", "{records:?}");
    }
    // And the other way round: the agent's node has the caller.
    let phone = caller(&b, "4930556").await?;
    let (out, call) = talk(&phone, &anna).await?;
    call.hang_up().await?;
    out.wait_ended(PATIENCE).await?;
    records(&a, 2).await?;
    a.stop().await?;
    b.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_hung_up_at_the_node_that_does_not_have_it() -> anyhow::Result<()> {
    let mut nodes = Nodes::new(&["anna"]).await;
    let a = nodes.start("a").await?;
    let b = nodes.start("b").await?;
    let anna = agent(&a, "anna").await?;
    let phone = caller(&a, "4930555").await?;
    let (out, call) = talk(&phone, &anna).await?;
    let live = calls(&b, 1).await?;
    let input = json!({ "commandId": crate::support::command_id(1), "callId": live[0]["id"] });
    mutate(&b, "hangUp", "call { id }", input).await?;
    out.wait_ended(PATIENCE).await?;
    call.wait_ended(PATIENCE).await?;
    for node in [&a, &b] {
        let records = records(node, 1).await?;
        ensure!(records[0]["endReason"] == "OPERATOR", "{records:?}");
    }
    // A caller who waits at one node is taken by nobody at the other.
    let phone = caller(&b, "4930556").await?;
    let out = dial(&phone, "support").await?;
    let call = incoming(&anna).await?;
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    records(&a, 2).await?;
    a.stop().await?;
    b.stop().await
}
