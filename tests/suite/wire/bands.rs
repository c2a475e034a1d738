//! A deck of which the price depends on the time of day, there where the deck is meant: at
//! one and the same hour of the world's clock a call is dear before the clocks are changed
//! and cheap after it. What is quoted is what is charged.

use crate::plan_changed::set;
use crate::support::{Wrong, called, command_id, is_refused, mutate, sell};
use anyhow::{Context as _, ensure};
use domain::money::{Decimal, Rounding};
use ringledger_tests::{
    machine,
    server::{Server, Setup},
};
use serde_json::{Value, json};

const QUEUE: &str = "[[queue]]\nname = \"sales\"\nanswer_mode = \"immediate\"\n\
                     numbers = [\"+4930111\"]\n";
/// Friday, the 23rd of October, at 06:30 in UTC: half past eight in Berlin.
const FRIDAY_S: i64 = 1_792_737_000;
/// Monday, the 26th, at the same hour: half past seven there, as winter has begun.
const MONDAY_S: i64 = FRIDAY_S + 3 * 86_400;
/// Each row with its price of a unit.
const CSV: &str = "prefix,rate,description,band,first_increment_s,next_increment_s\n\
                   4930,0.60,any time,,1,1\n\
                   4930,6.10,office hours,office,1,1\n\
                   4930,3.40,small hours,small,1,1\n";

/// Instants, the price then, and the band that it is of, if any.
const TIMES: [(&str, &str, Option<&str>); 11] = [
    // Office hours are from 8 to 18, Monday to Friday. Summer: UTC+2.
    ("2026-10-23T05:59:59Z", "0.6", None),
    ("2026-10-23T06:00:00Z", "6.1", Some("office")),
    ("2026-10-23T15:59:59Z", "6.1", Some("office")),
    ("2026-10-23T16:00:00Z", "0.6", None),
    // The hour from 2 to 3 on Sundays: this one has it twice.
    ("2026-10-25T00:00:00Z", "3.4", Some("small")),
    ("2026-10-25T01:59:59Z", "3.4", Some("small")),
    ("2026-10-25T02:00:00Z", "0.6", None),
    // Winter: UTC+1.
    ("2026-10-26T06:30:00Z", "0.6", None),
    ("2026-10-26T07:00:00Z", "6.1", Some("office")),
    ("2026-10-26T16:59:59Z", "6.1", Some("office")),
    ("2026-10-26T17:00:00Z", "0.6", None),
];
/// In spring that Sunday has no such hour: from 01:59:59 it is 03:00.
const SPRING: [&str; 2] = ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"];

fn deck(csv: &str) -> Value {
    let band = |name: &str, days: &[u32], from: u32, to: u32| json!({"name": name, "weekdays": days, "fromMinute": from, "toMinute": to});
    json!({
        "name": "clock", "currency": "EUR", "timeZone": "Europe/Berlin", "csv": csv,
        "bands": [band("office", &[0, 1, 2, 3, 4], 480, 1_080), band("small", &[6], 120, 180)],
    })
}

/// An account that is elsewhere: the bands are meant where the deck is.
async fn describe(server: &Server) -> anyhow::Result<(Value, Value)> {
    sell(server, json!({})).await?;
    let unknown = deck("prefix,rate,band\n4930,1,noon\n");
    let unknown: Wrong = (
        "importDeck",
        unknown,
        "input.invalid_value",
        "csv",
        "line 2",
    );
    is_refused(server, 90, unknown).await?;
    let mut imported = deck(CSV);
    imported["commandId"] = json!(command_id(2));
    mutate(server, "importDeck", "id", imported).await?;
    let term = |kind: &str| json!({"usageType": kind, "price": {"deck": "clock"}});
    let plan = json!({
        "commandId": command_id(3), "name": "clock", "currency": "EUR", "cycle": "MONTHLY",
        "terms": [term("INBOUND_MINUTES"), term("CUSTOM")],
    });
    let plan = mutate(server, "createRatePlan", "id", plan).await?["id"].clone();
    let account = json!({
        "commandId": command_id(4), "name": "anna", "currency": "EUR",
        "timeZone": "America/New_York", "country": "DE", "callingCode": "49",
        "paymentMode": "POSTPAID", "numbers": [{"number": "+4930111"}],
    });
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    let subscription = json!({
        "commandId": command_id(5), "accountId": account, "planId": plan,
        "effective": "2026-10-01",
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    Ok((plan, account))
}

/// Calls; the rate and the amount by which it is charged, and its seconds.
async fn charged(server: &Server, count: usize) -> anyhow::Result<(String, Decimal, i64)> {
    let call = called(server, "+4930111", count).await?;
    let query = format!("{{ callCharge(callId: {call}) {{ revision amount records }} }}");
    let is_rated = |answer: &Value| answer["callCharge"]["revision"] == 1;
    let answer = server.until(&query, is_rated).await?;
    let charge = &answer["callCharge"];
    let record = &charge["records"][0];
    let description = record["matched"]["description"].as_str().context("a row")?;
    let amount = charge["amount"].as_str().context("a price")?.parse()?;
    let seconds = record["quantity"].as_i64().context("seconds")?;
    Ok((description.to_owned(), amount, seconds))
}

async fn costs(server: &Server, count: usize, row: &str, rate: &str) -> anyhow::Result<()> {
    let (matched, amount, seconds) = charged(server, count).await?;
    let rate: Decimal = rate.parse()?;
    let expected = rate.share(seconds.into(), 60, 6, Rounding::HalfEven);
    ensure!(
        matched == row && amount == expected,
        "{matched}: {amount}, not {row}: {expected}"
    );
    Ok(())
}

async fn quote(server: &Server, plan: &Value, at: &str) -> anyhow::Result<Value> {
    let query = "query($plan: ID!, $at: DateTime!) { rateQuote(planId: $plan, to: \"+4930111\", \
                 seconds: 60, at: $at, usageType: INBOUND_MINUTES) { amount band steps } }";
    let variables = json!({"plan": plan, "at": at});
    Ok(server.graphql(query, variables).await?["rateQuote"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_price_is_that_of_the_hour_where_the_deck_is_meant() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    set(&clock, FRIDAY_S)?;
    let mut setup = Setup::new(folder.path(), QUEUE);
    setup.environment = machine::clock_of(&clock)?;
    let server = Server::start(&setup).await?;
    let (plan, account) = describe(&server).await?;
    costs(&server, 1, "office hours", "6.10").await?;
    server.stop().await?;
    set(&clock, MONDAY_S)?;
    let server = Server::start(&setup).await?;
    costs(&server, 2, "any time", "0.60").await?;
    server.stop().await?;

    set(&clock, MONDAY_S + 86_400)?;
    let server = Server::start(&setup).await?;
    let mut sum = Decimal::ZERO;
    for (number, (at, price, band)) in (10..).zip(TIMES) {
        let quoted = quote(&server, &plan, at).await?;
        ensure!(
            quoted["amount"] == price && quoted["band"] == json!(band),
            "{at}: {quoted}"
        );
        let first = quoted["steps"][0].as_str().context("a step")?;
        let says = match band {
            None => "row 1 matches, at any time",
            Some("office") => "row 2 matches, in the time band office",
            Some(_) => "row 3 matches, in the time band small",
        };
        ensure!(first == says, "{at}: {quoted}");
        let used = json!({
            "commandId": command_id(number), "accountId": account, "key": at,
            "usageType": "CUSTOM", "quantity": "1", "at": at, "number": "+4930111",
        });
        mutate(&server, "recordUsage", "id", used).await?;
        sum = sum + price.parse::<Decimal>()?;
        let query = format!(
            "{{ usageSummary(accountId: {account}, from: \"2026-10\", to: \"2026-10\") {{ \
             usageType amount }} }}"
        );
        let is_there = |answer: &Value| {
            let kinds = answer["usageSummary"].as_array().into_iter().flatten();
            let mut customs = kinds.filter(|kind| kind["usageType"] == "CUSTOM");
            customs.any(|kind| kind["amount"] == sum.to_string())
        };
        server.until(&query, is_there).await?;
    }
    for at in SPRING {
        let quoted = quote(&server, &plan, at).await?;
        ensure!(
            quoted["amount"] == "0.6" && quoted["band"].is_null(),
            "{at}: {quoted}"
        );
    }
    server.stop().await
}
