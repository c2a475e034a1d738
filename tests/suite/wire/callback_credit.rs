//! Somebody is rung back by whoever pays before: for as long as there is credit, however
//! little that is.

use crate::{
    carrier::{carrier_at, free_port},
    prepaid::{credit_is, pay},
    support::{PATIENCE, agent_with, command_id, incoming, mutate, records, sell},
};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

fn provisioning(carrier: u16) -> String {
    format!(
        "[[queue]]\nname = \"support\"\n\
         [[agent]]\nname = \"anna\"\npassword = \"anna-secret\"\nready_on_register = true\n\
         queues = [\"support\"]\n\
         [[trunk]]\nname = \"carrier\"\nallow = [\"127.0.0.0/8\"]\n\
         host = \"127.0.0.1:{carrier}\"\nprefixes = [\"+49\"]\n"
    )
}

/// Ten cents a second without tax, a minute at a time; there is credit for three seconds.
async fn describe(server: &Server) -> anyhow::Result<(Value, String)> {
    let differs = json!({
        "sliceS": 60,
        "taxRates": [
            {"country": "DE", "category": "STANDARD", "percent": "0", "from": "2021-01-01"},
        ],
    });
    sell(server, differs).await?;
    let term = |kind: &str| json!({"usageType": kind, "price": {"flat": {"rate": "6"}}});
    let plan = json!({
        "commandId": command_id(2), "name": "prepaid", "currency": "EUR", "cycle": "MONTHLY",
        "terms": [term("INBOUND_MINUTES"), term("OUTBOUND_MINUTES")],
    });
    let plan = mutate(server, "createRatePlan", "id", plan).await?["id"].clone();
    let queues = server.graphql("{ queues(first: 1) { nodes { id } } }", json!({}));
    let queue = queues.await?["queues"]["nodes"][0]["id"].clone();
    let account = json!({
        "commandId": command_id(3), "name": "anna", "currency": "EUR", "timeZone": "UTC",
        "country": "DE", "callingCode": "49", "paymentMode": "PREPAID", "queueIds": [queue],
    });
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    let subscription = json!({
        "commandId": command_id(4), "accountId": account, "planId": plan,
        "effective": "2026-01-01",
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    let account = account.as_str().context("an id")?.to_owned();
    pay(server, &account, 5, "0.3").await?;
    Ok((queue, account))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_rung_back_talks_for_as_long_as_there_is_credit() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let server = Server::start(&Setup::new(folder.path(), &provisioning(port))).await?;
    let carrier = carrier_at(&server, port).await?;
    let anna = agent_with(&server, "anna", "anna-secret").await?;
    let (queue, account) = describe(&server).await?;
    let input = json!({ "commandId": command_id(6), "queueId": queue, "number": "+4930111" });
    mutate(&server, "requestCallback", "callback { id }", input).await?;
    let at_desk = incoming(&anna).await?;
    at_desk.answer().await?;
    let at_home = incoming(&carrier).await?;
    at_home.answer().await?;
    at_home.wait_ended(PATIENCE).await?;
    at_desk.wait_ended(PATIENCE).await?;
    let record = records(&server, 1).await?.remove(0);
    ensure!(record["endReason"] == "NO_CREDIT", "{record}");
    ensure!(record["disposition"] == "ANSWERED", "{record}");
    let billable = "{ cdrs(first: 1) { nodes { billableMs } } }";
    let billable = server.graphql(billable, json!({})).await?;
    let billable = &billable["cdrs"]["nodes"][0]["billableMs"];
    ensure!(billable == "3000", "{billable} ms are charged");
    credit_is(&server, &account, &["0"]).await?;
    server.stop().await
}
