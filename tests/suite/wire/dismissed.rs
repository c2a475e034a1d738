//! A call that can not be priced, and is to have no price, is dismissed: the alarm ends, the
//! record says why, and it may still be rated.

use crate::exports::{order as export, text};
use crate::long_invoice::carrier;
use crate::priced::{describe, priced, provisioning, publish, some_calls};
use crate::support::{Wrong, command_id, is_refused, mutate};
use anyhow::ensure;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const NOBODY: &str = "018f3b5c-0000-7000-8000-000000000000";

/// Gives the order, and says what came of it.
async fn dismiss(server: &Server, number: u128, which: Value) -> anyhow::Result<Value> {
    let mut input = which;
    input["commandId"] = json!(command_id(number));
    input["reason"] = json!("nobody knows that number");
    let query = "mutation($input: DismissUnratedCallsInput!) { dismissUnratedCalls(input: $input) \
                 { id callsCount finished position userErrors { code field message } } }";
    let answer = server.graphql(query, json!({ "input": input })).await?;
    let payload = answer["dismissUnratedCalls"].clone();
    ensure!(payload["userErrors"] == json!([]), "{payload}");
    ensure!(payload["finished"] == true, "{payload}");
    Ok(payload)
}

async fn charge(server: &Server, call: &Value, position: &Value) -> anyhow::Result<Value> {
    let query = format!(
        "{{ callCharge(callId: {call}, minPosition: {position}) {{ state revision amount \
         accountId unratedReason dismissedReason superseded {{ unratedReason dismissedReason }} }} \
         unratedCalls(minPosition: {position}) {{ nodes {{ callId }} }} }}"
    );
    server.graphql(&query, json!({})).await
}

/// What can not be is refused with its field, and nothing is done.
async fn is_checked(server: &Server, rated: &Value) -> anyhow::Result<()> {
    let both = json!({"callIds": [rated], "filter": {}, "reason": "x"});
    let unknown = json!({"filter": {"accountId": NOBODY}, "reason": "x"});
    let invalid = [
        (json!({"reason": "x"}), "callIds", "1 to 100"),
        (both, "callIds", "beside a filter"),
        (unknown, "filter.accountId", "no account"),
        (json!({"filter": {}, "reason": " "}), "reason", "empty"),
    ];
    let invalid = invalid.map(|(input, field, says)| (input, "input.invalid_value", field, says));
    let named = |call: &Value| json!({"callIds": [call], "reason": "x"});
    let of_a_call = [named(rated), named(&json!(NOBODY))];
    let of_a_call = of_a_call.map(|input| {
        (
            input,
            "rating.not_unrated",
            "callIds",
            "not without a price",
        )
    });
    for (number, (input, code, field, says)) in (60..).zip(invalid.into_iter().chain(of_a_call)) {
        let wrong: Wrong = ("dismissUnratedCalls", input, code, field, says);
        is_refused(server, number, wrong).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_to_have_no_price_is_dismissed_and_may_still_be_rated() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let outside = carrier().await?;
    let setup = Setup::new(folder.path(), &provisioning(outside.local_addr()));
    let server = Server::start(&setup).await?;
    let ([_, away], _) = describe(&server).await?;
    some_calls(&server, &outside, 0).await?;
    let are_known = |nodes: &[Value]| nodes.iter().all(|node| node["charge"].is_object());
    let calls = priced(&server, are_known).await?;
    let call = &calls[2]["callId"];
    is_checked(&server, &calls[0]["callId"]).await?;

    let filter = json!({"filter": {"accountId": away}, "dryRun": true});
    let counted = dismiss(&server, 70, filter).await?;
    ensure!(
        counted["callsCount"] == 1 && counted["position"].is_null(),
        "{counted}"
    );
    let done = dismiss(&server, 71, json!({"filter": {}})).await?;
    ensure!(done["callsCount"] == 1, "{done}");
    let told = charge(&server, call, &done["position"]).await?;
    ensure!(told["unratedCalls"]["nodes"] == json!([]), "{told}");
    let is = &told["callCharge"];
    ensure!(is["state"] == "DISMISSED" && is["revision"] == 0, "{is}");
    ensure!(
        is["unratedReason"] == "no_match" && is["accountId"] == away,
        "{is}"
    );
    ensure!(is["dismissedReason"] == "nobody knows that number", "{is}");
    server
        .until_metrics(|told| told.contains("ringledger_calls_unrated_count 0"))
        .await?;
    let file = export(&server, json!({ "format": "CSV" })).await?;
    let file = text(&server, &file["url"]).await?;
    ensure!(file.contains(",dismissed,no_match,"), "{file}");
    // Once more, by its id: nothing changes. And nothing is left for a filter.
    let again = dismiss(&server, 72, json!({"callIds": [call]})).await?;
    ensure!(charge(&server, call, &again["position"]).await? == told);
    ensure!(dismiss(&server, 73, json!({"filter": {}})).await?["callsCount"] == 0);

    server.kill().await?;
    let server = Server::start(&setup).await?;
    ensure!(charge(&server, call, &done["position"]).await? == told);
    publish(&server, 74, "4930,6,Berlin,0\n43,3,Austria,0.07\n").await?;
    let rerate = json!({"commandId": command_id(75), "callIds": [call], "reason": "it is known"});
    let rated = mutate(&server, "rerateCalls", "id position", rerate).await?;
    let told = charge(&server, call, &rated["position"]).await?;
    let is = &told["callCharge"];
    ensure!(is["state"] == "RATED" && is["revision"] == 1, "{is}");
    ensure!(is["dismissedReason"].is_null(), "{is}");
    let before = json!([
        { "unratedReason": "no_match", "dismissedReason": null },
        { "unratedReason": "no_match", "dismissedReason": "nobody knows that number" },
    ]);
    ensure!(is["superseded"] == before, "{is}");
    server.stop().await
}
