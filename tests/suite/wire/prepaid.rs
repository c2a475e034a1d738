//! Who pays before talks as long as the credit lasts: a slice at a time, the last
//! one shorter, told before the end, cut with it, and refused when there is not
//! enough left for a second, or no price for where the call leads; but never on a
//! call for help. The balance is never under zero.

use crate::support::{PATIENCE, caller, command_id, dial, mutate, records, sell};
use anyhow::{Context as _, ensure};
use phone::{Phone, tone};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub(crate) const QUEUES: &str = "[[queue]]\nname = \"sales\"\nanswer_mode = \"immediate\"\n\
                      numbers = [\"+4930111\"]\n[[queue]]\nname = \"help\"\n\
                      answer_mode = \"immediate\"\nnumbers = [\"112\"]\n\
                      [[trunk]]\nname = \"carrier\"\nallow = [\"127.0.0.0/8\"]\n\
                      host = \"127.0.0.1:9\"\nchannels_max = 0\nforwards = [\
                      { number = \"+4930222\", to = \"+436601\" }]\n";
/// Ten cents a second, without tax: a slice of four seconds is 40 cents.
const SLICE_S: u32 = 4;
pub(crate) const PAID: &str = "1";
/// Two slices are paid, and half of the third.
const CUT_AFTER: Duration = Duration::from_secs(10);
/// First tone of the notice.
const NOTICE_HZ: f64 = 950.0;
/// Samples that are looked at together: 100 ms.
const PIECE: usize = 800;

pub(crate) async fn describe(server: &Server) -> anyhow::Result<String> {
    let differs = json!({
        "sliceS": SLICE_S, "emergencyNumbers": ["112"],
        "taxRates": [
            {"country": "DE", "category": "STANDARD", "percent": "0", "from": "2021-01-01"},
        ],
    });
    sell(server, differs).await?;
    let plan = json!({
        "commandId": command_id(2), "name": "prepaid", "currency": "EUR", "cycle": "MONTHLY",
        "terms": [{"usageType": "INBOUND_MINUTES", "price": {"flat": {"rate": "6"}}}],
    });
    let plan = mutate(server, "createRatePlan", "id", plan).await?["id"].clone();
    let account = json!({
        "commandId": command_id(3), "name": "anna", "currency": "EUR", "timeZone": "UTC",
        "country": "DE", "callingCode": "49", "paymentMode": "PREPAID",
        "numbers": [{"number": "+4930111"}, {"number": "+4930222"}, {"number": "112"}],
    });
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    let subscription = json!({
        "commandId": command_id(4), "accountId": account, "planId": plan,
        "effective": "2026-01-01",
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    let account = account.as_str().context("an id")?.to_owned();
    pay(server, &account, 5, PAID).await?;
    Ok(account)
}

pub(crate) async fn credit_is(
    server: &Server,
    account: &str,
    balances: &[&str],
) -> anyhow::Result<Value> {
    let query = format!("{{ account(id: \"{account}\") {{ balance reserved }} }}");
    server
        .until(&query, |answer| {
            let account = &answer["account"];
            let balance = account["balance"].as_str().unwrap_or_default();
            account["reserved"] == "0" && balances.contains(&balance)
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_told_and_cut_when_its_credit_is_used_up_but_never_one_for_help()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), QUEUES)).await?;
    let account = describe(&server).await?;
    let phone = caller(&server, "4930501").await?;

    let out = dial(&phone, "+4930111").await?;
    out.wait_answered(PATIENCE).await?;
    let answered = Instant::now();
    let notice = async {
        loop {
            let heard = out.media().record(PIECE, PATIENCE).await;
            if tone::tone_share(&heard, NOTICE_HZ) > 0.9 {
                return answered.elapsed();
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, notice).await;
    let told = told.context("the caller is not told")?;
    out.wait_ended(PATIENCE).await?;
    let ended = answered.elapsed();
    ensure!(told < ended && ended < CUT_AFTER * 2, "{told:?} {ended:?}");
    let record = records(&server, 1).await?.remove(0);
    ensure!(record["endReason"] == "NO_CREDIT", "{record}");
    ensure!(record["hangupBy"] == "SYSTEM", "{record}");
    let billable = "{ cdrs(first: 1) { nodes { billableMs } } }";
    let billable = server.graphql(billable, json!({})).await?;
    let billable = &billable["cdrs"]["nodes"][0]["billableMs"];
    let billable: u64 = billable.as_str().context("text")?.parse()?;
    // To the millisecond what was paid: never under zero.
    ensure!(billable == 10_000, "{billable} ms are charged");
    credit_is(&server, &account, &["0"]).await?;

    // Nothing is left: it does not even ring.
    is_refused(&server, &phone, "+4930111", "NO_CREDIT", 2).await?;
    // Nobody has said what Austria costs: it waits for a person.
    pay(&server, &account, 6, "0.25").await?;
    is_refused(&server, &phone, "+4930222", "NO_PRICE", 3).await?;
    let query = "{ unratedCalls(first: 9) { nodes { callId unratedReason } } }";
    let unrated = server
        .until(query, |answer| {
            answer["unratedCalls"]["nodes"][0].is_object()
        })
        .await?;
    let unrated = &unrated["unratedCalls"]["nodes"];
    ensure!(unrated[0]["unratedReason"] == "refused", "{unrated}");
    credit_is(&server, &account, &["0.25"]).await?;

    // Help is always there, and costs nothing.
    let out = dial(&phone, "112").await?;
    out.wait_answered(PATIENCE).await?;
    let heard = out.media().record(5 * PIECE, PATIENCE).await;
    ensure!(tone::power(&heard) > 1e-4, "music comes");
    out.hang_up().await?;
    let record = records(&server, 4).await?.remove(3);
    ensure!(record["endReason"] == "HANGUP", "{record}");
    credit_is(&server, &account, &["0.25"]).await?;

    // Two seconds are left, and two call at the same time: one of them has them.
    let other = caller(&server, "4930502").await?;
    let (one, two) = (dial(&phone, "+4930111"), dial(&other, "+4930111"));
    let (one, two) = tokio::try_join!(one, two)?;
    one.wait_ended(PATIENCE).await?;
    two.wait_ended(PATIENCE).await?;
    let both = records(&server, 6).await?;
    ensure!(
        both[4..]
            .iter()
            .all(|record| record["endReason"] == "NO_CREDIT"),
        "{both:#?}"
    );
    credit_is(&server, &account, &["0.05"]).await?;
    server.stop().await
}

/// The call does not ring, costs nothing and has a record that says why.
async fn is_refused(
    server: &Server,
    phone: &Phone,
    number: &str,
    reason: &str,
    count: usize,
) -> anyhow::Result<()> {
    let out = dial(phone, number).await?;
    ensure!(out.wait_answered(PATIENCE).await.is_err(), "{number}");
    let record = records(server, count).await?.remove(count - 1);
    ensure!(record["endReason"] == reason, "{record}");
    ensure!(record["disposition"] == "BLOCKED", "{record}");
    ensure!(record["answeredAt"].is_null(), "{record}");
    let status = if reason == "NO_CREDIT" { 402 } else { 403 };
    ensure!(record["sipStatus"] == status, "{record}");
    Ok(())
}

pub(crate) async fn pay(
    server: &Server,
    account: &str,
    command: u128,
    amount: &str,
) -> anyhow::Result<()> {
    let payment = json!({
        "commandId": command_id(command), "accountId": account, "amount": amount,
        "currency": "EUR", "method": "BANK_TRANSFER", "reference": "more",
    });
    mutate(server, "recordPayment", "id", payment).await?;
    Ok(())
}
