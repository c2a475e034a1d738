//! A floor of five hundred agents: all register, all are seen as they are, and each call finds
//! the one whose turn it is.

use crate::support::{PATIENCE, SUPPORT, agent, agent_with, caller, dial};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::json;
use std::collections::BTreeMap;

const AGENTS: usize = 500;
/// Registrations that are under way at once.
const AT_ONCE: usize = 20;

/// How many agents are in each state.
async fn states(server: &Server) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    let mut after = json!(null);
    loop {
        let query = "query($after: String) { agents(first: 100, after: $after) { \
                     nodes { state } pageInfo { hasNextPage endCursor } } }";
        let answer = server.graphql(query, json!({ "after": after })).await?;
        let page = &answer["agents"];
        for agent in page["nodes"].as_array().context("agents")? {
            *counts.entry(agent["state"].to_string()).or_default() += 1;
        }
        if page["pageInfo"]["hasNextPage"] != true {
            return Ok(counts);
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_agents_register_and_are_seen_as_they_are() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let names: Vec<String> = (0..AGENTS)
        .map(|number| format!("agent-{number:03}"))
        .collect();
    let named: Vec<&str> = names.iter().map(String::as_str).collect();
    let setup = Setup::new(folder.path(), &Setup::provisioning(SUPPORT, &named));
    let server = Server::start(&setup).await?;
    let out = json!("LOGGED_OUT").to_string();
    ensure!(states(&server).await? == [(out.clone(), AGENTS)].into());
    let (first, others) = names.split_first().context("names")?;
    let at = agent(&server, first).await?;
    let mut phones = vec![];
    for some in others.chunks(AT_ONCE) {
        let registering = some.iter().map(|name| {
            let password = format!("{name}-secret");
            let server = &server;
            async move { agent_with(server, name, &password).await }
        });
        phones.extend(futures_util::future::try_join_all(registering).await?);
    }
    let ready = json!("READY").to_string();
    let all = async {
        while states(&server).await?.get(&ready) != Some(&AGENTS) {}
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, all)
        .await
        .context("not all are ready")??;
    // Who has been idle longest is the first who registered of those who are free.
    let phone = caller(&server, "4930111").await?;
    let out = dial(&phone, "support").await?;
    let incoming = tokio::time::timeout(PATIENCE, at.next_incoming()).await;
    let incoming = incoming.context("no phone rings")?.context("no call")?;
    incoming.answer().await?;
    out.wait_answered(PATIENCE).await?;
    let busy = json!("ON_CONTACT").to_string();
    let one = async {
        while states(&server).await?.get(&busy) != Some(&1) {}
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, one)
        .await
        .context("nobody is on a contact")??;
    ensure!(states(&server).await?.get(&ready) == Some(&(AGENTS - 1)));
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    server.stop().await
}
