//! A call costs what was said when it was answered, and is paid by whoever had the number
//! then: a deck that is published while somebody talks changes nothing for him, and who
//! takes a number over does not take over what was talked before, unless a person says so.

use crate::support::{PATIENCE, TALK_SAMPLES, caller, command_id, dial, mutate, records, sell};
use anyhow::{Context as _, ensure};
use domain::money::Decimal;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const QUEUE: &str =
    "[[queue]]\nname = \"sales\"\nanswer_mode = \"immediate\"\nnumbers = [\"+4930111\"]\n";

async fn publish(server: &Server, number: u128, rate: &str) -> anyhow::Result<()> {
    let deck = json!({
        "commandId": command_id(number), "name": "world", "currency": "EUR",
        "csv": format!("prefix,rate\n4930,{rate}\n"),
    });
    mutate(server, "importDeck", "id", deck).await?;
    Ok(())
}

async fn account(
    server: &Server,
    number: u128,
    (name, plan, numbers): (&str, &Value, Value),
) -> anyhow::Result<Value> {
    let account = json!({
        "commandId": command_id(number), "name": name, "currency": "EUR", "timeZone": "UTC",
        "country": "DE", "callingCode": "49", "paymentMode": "POSTPAID", "numbers": numbers,
    });
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    let subscription = json!({
        "commandId": command_id(number + 1), "accountId": account, "planId": plan,
        "effective": "2026-01-01",
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    Ok(account)
}

/// Gives an account these numbers.
async fn owns(
    server: &Server,
    number: u128,
    account: &Value,
    numbers: Value,
) -> anyhow::Result<()> {
    let input = json!({
        "commandId": command_id(number), "accountId": account, "country": "DE",
        "callingCode": "49", "paymentMode": "POSTPAID", "numbers": numbers,
    });
    mutate(server, "configureAccount", "id", input).await?;
    Ok(())
}

/// Who pays, the rate of a minute, and the amount, once the call was rated so often.
async fn charge(
    server: &Server,
    call: &Value,
    revision: u32,
) -> anyhow::Result<(Value, String, Decimal)> {
    let query = format!(
        "{{ callCharge(callId: {call}) {{ revision accountId amount lines {{ rate }} }} }}"
    );
    let is_rated = |answer: &Value| answer["callCharge"]["revision"] == revision;
    let answer = server.until(&query, is_rated).await?["callCharge"].clone();
    let rate = answer["lines"][0]["rate"].as_str().context("a rate")?;
    let amount = answer["amount"].as_str().context("a price")?.parse()?;
    Ok((answer["accountId"].clone(), rate.to_owned(), amount))
}

async fn rerate(server: &Server, number: u128, call: &Value, more: Value) -> anyhow::Result<()> {
    let mut input = json!({
        "commandId": command_id(number), "callIds": [call], "reason": "a person says so",
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    mutate(server, "rerateCalls", "id", input).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_costs_what_was_said_when_it_was_answered_and_whoever_had_the_number_pays()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), QUEUE);
    let server = Server::start(&setup).await?;
    sell(&server, json!({})).await?;
    publish(&server, 2, "6").await?;
    let plan = json!({
        "commandId": command_id(3), "name": "plain", "currency": "EUR", "cycle": "MONTHLY",
        "terms": [{"usageType": "INBOUND_MINUTES", "price": {"deck": "world"}}],
    });
    let plan = mutate(&server, "createRatePlan", "id", plan).await?["id"].clone();
    let ours = json!([{"number": "+4930111"}]);
    let anna = account(&server, 10, ("anna", &plan, ours.clone())).await?;
    let bert = account(&server, 20, ("bert", &plan, json!([]))).await?;

    let phone = caller(&server, "4930501").await?;
    let out = dial(&phone, "+4930111").await?;
    out.wait_answered(PATIENCE).await?;
    out.media().record(TALK_SAMPLES, PATIENCE).await;
    publish(&server, 30, "12").await?;
    out.media().record(TALK_SAMPLES, PATIENCE).await;
    out.hang_up().await?;
    let call = records(&server, 1).await?.remove(0)["callId"].clone();
    let (payer, rate, first) = charge(&server, &call, 1).await?;
    ensure!(payer == anna && rate == "6", "{payer} {rate}");

    // Bert has the number from now on; a person corrects the price of that call.
    owns(&server, 40, &anna, json!([])).await?;
    owns(&server, 41, &bert, ours).await?;
    rerate(&server, 42, &call, json!({})).await?;
    let (payer, rate, second) = charge(&server, &call, 2).await?;
    ensure!(payer == anna && rate == "12", "{payer} {rate}");
    ensure!(second == first + first, "{first} {second}");

    // It was given to the wrong one.
    rerate(&server, 43, &call, json!({ "newPayer": true })).await?;
    let (payer, _, third) = charge(&server, &call, 3).await?;
    ensure!(payer == bert && third == second, "{payer} {third}");
    server.stop().await
}
