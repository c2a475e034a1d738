//! Who pays before may be known only once an agent answers: then the call is paid from that
//! moment on. And who has begun to pay for a call pays to its end, whoever else could.

use crate::{
    prepaid::{credit_is, pay},
    support::{
        PATIENCE, SUPPORT, agent, caller, command_id, dial, incoming, mutate, records, sell,
    },
};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

/// Ten cents a second; a slice is 40 cents.
const RATE: &str = "6";
const SLICE_S: u32 = 4;

/// Everybody calls through it.
const TRUNK: &str = "[[trunk]]\nname = \"carrier\"\nallow = [\"127.0.0.0/8\"]\n";

async fn described(server: &Server) -> anyhow::Result<Value> {
    let differs = json!({
        "sliceS": SLICE_S,
        "taxRates": [
            {"country": "DE", "category": "STANDARD", "percent": "0", "from": "2021-01-01"},
        ],
    });
    sell(server, differs).await?;
    let plan = json!({
        "commandId": command_id(2), "name": "prepaid", "currency": "EUR", "cycle": "MONTHLY",
        "terms": [{"usageType": "INBOUND_MINUTES", "price": {"flat": {"rate": RATE}}}],
    });
    Ok(mutate(server, "createRatePlan", "id", plan).await?["id"].clone())
}

/// A prepaid account that owns that, and has one euro.
async fn account(
    server: &Server,
    plan: &Value,
    (name, number): (&str, u128),
    owns: (&str, &Value),
) -> anyhow::Result<String> {
    let mut account = json!({
        "commandId": command_id(number), "name": name, "currency": "EUR", "timeZone": "UTC",
        "country": "DE", "callingCode": "49", "paymentMode": "PREPAID",
    });
    account[owns.0] = json!([owns.1]);
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    let subscription = json!({
        "commandId": command_id(number + 1), "accountId": account, "planId": plan,
        "effective": "2026-01-01",
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    let account = account.as_str().context("an id")?.to_owned();
    pay(server, &account, number + 2, "1").await?;
    Ok(account)
}

async fn id_of(server: &Server, list: &str, name: &str) -> anyhow::Result<Value> {
    let query = format!("{{ {list}(first: 9) {{ nodes {{ id name }} }} }}");
    let answer = server.graphql(&query, json!({})).await?;
    let nodes = answer[list]["nodes"].as_array().context("nodes")?;
    let node = nodes.iter().find(|node| node["name"] == name);
    Ok(node.with_context(|| format!("no {name}"))?["id"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_owns_the_agent_pays_before_from_the_moment_at_which_that_is_known()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let provisioning = Setup::provisioning(SUPPORT, &["anna", "ben"]);
    let server = Server::start(&Setup::new(folder.path(), &provisioning)).await?;
    let plan = described(&server).await?;
    let owned = id_of(&server, "agents", "anna").await?;
    let payer = account(&server, &plan, ("payer", 10), ("agentIds", &owned)).await?;
    let anna = agent(&server, "anna").await?;
    let phone = caller(&server, "4930501").await?;

    let out = dial(&phone, "support").await?;
    let call = incoming(&anna).await?;
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    // One euro is ten seconds, and nobody hangs up.
    out.wait_ended(PATIENCE).await?;
    call.wait_ended(PATIENCE).await?;
    let record = records(&server, 1).await?.remove(0);
    ensure!(record["endReason"] == "NO_CREDIT", "{record}");
    let billable = "{ cdrs(first: 1) { nodes { billableMs } } }";
    let billable = server.graphql(billable, json!({})).await?;
    let billable = &billable["cdrs"]["nodes"][0]["billableMs"];
    ensure!(billable == "10000", "{billable} ms are charged");
    credit_is(&server, &payer, &["0"]).await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_begun_to_pay_for_a_call_pays_to_its_end_and_nobody_else_is_reserved_from()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let provisioning = format!("{}{TRUNK}", Setup::provisioning(SUPPORT, &["anna"]));
    let server = Server::start(&Setup::new(folder.path(), &provisioning)).await?;
    let plan = described(&server).await?;
    let (agent_id, trunk_id) = tokio::try_join!(
        id_of(&server, "agents", "anna"),
        id_of(&server, "trunks", "carrier")
    )?;
    let of_agent = account(&server, &plan, ("agents", 10), ("agentIds", &agent_id)).await?;
    let of_trunk = account(&server, &plan, ("trunks", 20), ("trunkIds", &trunk_id)).await?;
    let anna = agent(&server, "anna").await?;
    let phone = caller(&server, "4930501").await?;

    let out = dial(&phone, "support").await?;
    let call = incoming(&anna).await?;
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.wait_ended(PATIENCE).await?;
    let record = records(&server, 1).await?.remove(0);
    ensure!(record["endReason"] == "NO_CREDIT", "{record}");
    // More than one slice, and all of it is of whom the first one was.
    credit_is(&server, &of_trunk, &["0"]).await?;
    credit_is(&server, &of_agent, &["1"]).await?;
    server.stop().await
}
