//! An account that is closed before its month is invoiced owes the fees of that month all
//! the same, and those after its last day are not its any more.

use crate::support::{command_id, mutate, sell};
use anyhow::ensure;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

async fn ran(server: &Server, period: &str, number: u128) -> anyhow::Result<Value> {
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { drafted } }";
    let input = json!({"commandId": command_id(number), "period": period});
    let ran = server.graphql(order, json!({ "input": input })).await?;
    Ok(ran["runInvoices"]["drafted"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fees_of_a_month_that_was_not_invoiced_when_its_account_was_closed_are_owed()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), "")).await?;
    sell(&server, json!({})).await?;
    let plan = json!({
        "commandId": command_id(2), "name": "basic", "currency": "EUR", "cycle": "MONTHLY",
        "recurringFee": "30",
        "terms": [{"usageType": "INBOUND_MINUTES", "price": {"flat": {"rate": "0.06"}}}],
    });
    let plan = mutate(&server, "createRatePlan", "id", plan).await?["id"].clone();
    let account = json!({
        "commandId": command_id(3), "name": "anna", "currency": "EUR", "timeZone": "UTC",
        "country": "DE", "callingCode": "49", "paymentMode": "POSTPAID",
    });
    let account = mutate(&server, "createAccount", "id", account).await?["id"].clone();
    let subscription = json!({
        "commandId": command_id(4), "accountId": account, "planId": plan,
        "effective": "2026-09-01",
    });
    mutate(&server, "subscribeAccount", "id", subscription).await?;
    let close = json!({"commandId": command_id(5), "accountId": account});
    mutate(&server, "closeAccount", "id", close).await?;
    ensure!(
        ran(&server, "2026-09", 6).await? == 1,
        "September is billed"
    );
    let query = "{ invoices(first: 1) { nodes { status lines { kind amount } net total } } }";
    let issued = server
        .until(query, |answer| {
            answer["invoices"]["nodes"][0]["status"] == "ISSUED"
        })
        .await?;
    // September, and October in advance: it was not closed before November.
    let invoice = &issued["invoices"]["nodes"][0];
    ensure!(invoice["net"] == "60", "{invoice}");
    ensure!(invoice["total"] == "71.4", "{invoice}");
    server.stop().await
}
