//! Followers of a state: a snapshot, then changes, come to what the queries say.

use crate::{
    socket::Client,
    support::{PATIENCE, agent, agent_is, call_is, caller, calls, dial, incoming, records, setup},
};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::Server;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::time::Instant;

const CALL: &str = "id state from { user } queue { name } agent { name }";
const AGENT: &str = "id name state activity routability reason callId";
const QUEUE: &str = "queueId name waitingCount matchedCount agentsByState { state count } \
                     total { offeredCount answeredCount abandonedCount }";

/// A list as a subscription tells it: a snapshot, then changes.
struct Mirror {
    client: Client,
    field: &'static str,
    one: &'static str,
    many: &'static str,
    items: BTreeMap<String, Value>,
}

impl Mirror {
    async fn hear(&mut self) -> anyhow::Result<()> {
        let data = self.client.data().await?;
        let item = &data[self.field];
        let kind = item["kind"].as_str().context("a kind")?;
        let id = item[format!("{}Id", self.one)].as_str().map(str::to_owned);
        match kind {
            "SNAPSHOT" => {
                let all = item[self.many].as_array().context("a list")?;
                self.items = all
                    .iter()
                    .map(|item| {
                        (
                            item["id"].as_str().unwrap_or_default().to_owned(),
                            item.clone(),
                        )
                    })
                    .collect();
            }
            "ADDED" | "CHANGED" => {
                let is_new = self
                    .items
                    .insert(id.context("an id")?, item[self.one].clone())
                    .is_none();
                ensure!(is_new == (kind == "ADDED"), "{kind}: {item:#}");
            }
            "REMOVED" => {
                ensure!(
                    self.items.remove(&id.context("an id")?).is_some(),
                    "unknown: {item:#}"
                );
            }
            _ => anyhow::bail!("{item:#}"),
        }
        Ok(())
    }

    /// Reads until it is what the query says.
    async fn agrees(&mut self, server: &Server, query: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = server.graphql(query, json!({})).await?;
            let (_, list) = answer
                .as_object()
                .and_then(|all| all.iter().next())
                .context("a list")?;
            let wanted: BTreeMap<String, Value> = list["nodes"]
                .as_array()
                .context("nodes")?
                .iter()
                .map(|item| {
                    (
                        item["id"].as_str().unwrap_or_default().to_owned(),
                        item.clone(),
                    )
                })
                .collect();
            if self.items == wanted {
                return Ok(());
            }
            tokio::time::timeout_at(deadline, self.hear())
                .await
                .with_context(|| format!("told {:#?}, the query says {wanted:#?}", self.items))??;
        }
    }
}

async fn mirrors(server: &Server) -> anyhow::Result<[Mirror; 2]> {
    let query = format!(
        "subscription {{ activeCalls {{ kind callId call {{ {CALL} }} calls {{ {CALL} }} }} }}"
    );
    let calls = Mirror {
        client: Client::following(server, &query).await?,
        field: "activeCalls",
        one: "call",
        many: "calls",
        items: BTreeMap::new(),
    };
    let query = format!(
        "subscription {{ agentStates {{ kind agentId agent {{ {AGENT} }} agents {{ {AGENT} }} }} }}"
    );
    let agents = Mirror {
        client: Client::following(server, &query).await?,
        field: "agentStates",
        one: "agent",
        many: "agents",
        items: BTreeMap::new(),
    };
    Ok([calls, agents])
}

/// Reads statistics until they are what the query says.
async fn statistics_agree(client: &mut Client, server: &Server) -> anyhow::Result<()> {
    let query = format!("{{ queues {{ nodes {{ statistics {{ {QUEUE} }} }} }} }}");
    let deadline = Instant::now() + PATIENCE;
    let mut told = Value::Null;
    loop {
        let answer = server.graphql(&query, json!({})).await?;
        let wanted = &answer["queues"]["nodes"][0]["statistics"];
        if told == *wanted {
            return Ok(());
        }
        let data = tokio::time::timeout_at(deadline, client.data()).await;
        told = data.with_context(|| format!("told {told:#}, the query says {wanted:#}"))??
            ["queueStats"]
            .clone();
    }
}

#[tokio::test]
async fn snapshots_and_changes_come_to_what_the_queries_say() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&setup(folder.path(), &["anna", "ben"])).await?;
    let calls_query = format!("{{ activeCalls(first: 50) {{ nodes {{ {CALL} }} }} }}");
    let agents_query = format!("{{ agents(first: 50) {{ nodes {{ {AGENT} }} }} }}");
    let [mut active, mut agents] = mirrors(&server).await?;
    let mut stats = Client::following(
        &server,
        &format!("subscription {{ queueStats(everyMs: 1000) {{ {QUEUE} }} }}"),
    )
    .await?;
    // Both begin with a snapshot, which is of nobody and nothing yet.
    active.hear().await?;
    agents.hear().await?;
    ensure!(
        active.items.is_empty() && agents.items.len() == 2,
        "no snapshot"
    );
    statistics_agree(&mut stats, &server).await?;

    let anna = agent(&server, "anna").await?;
    agents.agrees(&server, &agents_query).await?;
    let first = caller(&server, "4930111").await?;
    let out = dial(&first, "support").await?;
    let call = incoming(&anna).await?;
    call.ring().await?;
    agent_is(&server, "anna", "RINGING").await?;
    let second = caller(&server, "4930112").await?;
    let waits = dial(&second, "support").await?;
    call_is(&server, "4930112", "WAITING").await?;
    active.agrees(&server, &calls_query).await?;
    ensure!(active.items.len() == 2, "two calls are in progress");
    agents.agrees(&server, &agents_query).await?;
    statistics_agree(&mut stats, &server).await?;

    call.answer().await?;
    call_is(&server, "4930111", "CONNECTED").await?;
    waits.wait_ringing(PATIENCE).await?;
    waits.cancel().await?;
    calls(&server, 1).await?;
    active.agrees(&server, &calls_query).await?;
    agents.agrees(&server, &agents_query).await?;
    statistics_agree(&mut stats, &server).await?;
    out.hang_up().await?;
    records(&server, 2).await?;
    agent_is(&server, "anna", "READY").await?;
    active.agrees(&server, &calls_query).await?;
    agents.agrees(&server, &agents_query).await?;
    ensure!(active.items.is_empty(), "a call is left");
    // One that comes late is told everything at once.
    let [mut late, mut late_agents] = mirrors(&server).await?;
    late.hear().await?;
    late_agents.hear().await?;
    ensure!(
        late.items == active.items && late_agents.items == agents.items,
        "another snapshot"
    );
    server.stop().await
}
