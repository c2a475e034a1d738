//! An account that pays before by now has not paid before then: what its calls came to stays.

use crate::long_invoice::carrier;
use crate::priced::{amount, describe, priced, provisioning, some_calls};
use crate::support::{PATIENCE, caller, command_id, dial, mutate, records};
use anyhow::ensure;
use domain::money::Decimal;
use ringledger_tests::server::{Server, Setup};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_to_pay_before_from_now_on_pays_what_its_calls_came_to()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let outside = carrier().await?;
    let setup = Setup::new(folder.path(), &provisioning(outside.local_addr()));
    let server = Server::start(&setup).await?;
    let ([house, _], _) = describe(&server).await?;
    some_calls(&server, &outside, 0).await?;
    let phone = caller(&server, "4930502").await?;
    let out = dial(&phone, "+4930111").await?;
    out.wait_answered(PATIENCE).await?;
    // While they talk, and with nothing to pay with.
    let prepaid = json!({
        "commandId": command_id(40), "accountId": house, "country": "DE", "callingCode": "49",
        "paymentMode": "PREPAID",
        "numbers": [{"number": "+4930111"}, {"number": "+4930222"}],
    });
    mutate(&server, "configureAccount", "id", prepaid).await?;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    records(&server, 4).await?;
    let are_known = |nodes: &[serde_json::Value]| {
        nodes.len() == 4 && nodes.iter().all(|node| node["charge"].is_object())
    };
    let before = priced(&server, are_known).await?;
    for place in [0, 3] {
        let charge = &before[place]["charge"];
        ensure!(charge["state"] == "RATED", "{charge}");
        ensure!(amount(&charge["amount"])? > Decimal::ZERO, "{charge}");
    }
    let rerate = json!({
        "commandId": command_id(41), "filter": {"accountId": house}, "reason": "to be sure",
    });
    mutate(&server, "rerateCalls", "id position", rerate).await?;
    let after = priced(&server, are_known).await?;
    ensure!(after == before, "{after:#?}");
    server.stop().await
}
