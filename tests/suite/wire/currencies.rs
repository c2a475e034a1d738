//! Invoices in currencies without coins, with three digits and with a number of digits of
//! their own, rounded as the plan says; and numbers that begin anew with each year.

use crate::{
    plan_changed::set,
    support::{command_id, mutate, sell},
    usage::run_invoices,
};
use anyhow::{Context, ensure};
use ringledger_tests::{
    machine,
    server::{Server, Setup},
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The 20th of December 2026, at noon in UTC.
const DECEMBER_20_S: i64 = 1_797_768_000;
/// The second of January 2027, at noon.
const JANUARY_2_S: i64 = DECEMBER_20_S + 13 * 86_400;

/// What is used, at which price, how that is rounded, and what it comes to: net, tax of
/// 19 percent and total.
struct Case {
    currency: &'static str,
    rounding: &'static str,
    rate: &'static str,
    quantity: &'static str,
    comes_to: [&'static str; 3],
}

const fn case(
    (currency, rounding): (&'static str, &'static str),
    (rate, quantity): (&'static str, &'static str),
    comes_to: [&'static str; 3],
) -> Case {
    Case {
        currency,
        rounding,
        rate,
        quantity,
        comes_to,
    }
}

const CASES: [Case; 8] = [
    // 4.5 yen; 0.76 and 0.95 of tax.
    case(("JPY", "HALF_EVEN"), ("1.5", "3"), ["4", "1", "5"]),
    case(("JPY", "HALF_UP"), ("1.5", "3"), ["5", "1", "6"]),
    case(("JPY", "UP"), ("1.4", "3"), ["5", "1", "6"]),
    // 0.0025 dinars of a thousand fils each; 0.00038 and 0.00057 of tax.
    case(
        ("KWD", "HALF_EVEN"),
        ("0.0005", "5"),
        ["0.002", "0", "0.002"],
    ),
    case(
        ("KWD", "HALF_UP"),
        ("0.0005", "5"),
        ["0.003", "0.001", "0.004"],
    ),
    // Points of ten each, which no standard knows: 0.25; 0.038 and 0.057 of tax.
    case(("PTS/1", "HALF_EVEN"), ("0.25", "1"), ["0.2", "0", "0.2"]),
    case(("PTS/1", "HALF_UP"), ("0.25", "1"), ["0.3", "0.1", "0.4"]),
    case(("EUR", "UP"), ("0.001", "1"), ["0.01", "0.01", "0.02"]),
];

fn clock_in(folder: &Path) -> PathBuf {
    folder.join("clock")
}

/// A server whose clock shows December, with such a seller.
async fn in_december(folder: &Path, seller: Value) -> anyhow::Result<(Setup, Server)> {
    let clock = clock_in(folder);
    set(&clock, DECEMBER_20_S)?;
    let mut setup = Setup::new(folder, "");
    setup.environment = machine::clock_of(&clock)?;
    let server = Server::start(&setup).await?;
    sell(&server, seller).await?;
    Ok((setup, server))
}

/// An account in that currency, on a plan of its own from November on.
async fn account(server: &Server, number: u128, case: &Case) -> anyhow::Result<Value> {
    let plan = json!({
        "commandId": command_id(number), "name": format!("plan-{number}"),
        "currency": case.currency, "cycle": "MONTHLY", "rounding": case.rounding,
        "terms": [{"usageType": "CUSTOM", "price": {"flat": {"rate": case.rate}}}],
    });
    let plan = mutate(server, "createRatePlan", "id", plan).await?["id"].clone();
    let account = json!({
        "commandId": command_id(number + 1), "name": format!("account-{number}"),
        "currency": case.currency, "timeZone": "UTC", "country": "DE", "callingCode": "49",
        "paymentMode": "POSTPAID",
    });
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    let subscription = json!({
        "commandId": command_id(number + 2), "accountId": account, "planId": plan,
        "effective": "2026-11-01",
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    Ok(account)
}

async fn uses(
    server: &Server,
    number: u128,
    account: &Value,
    (case, at): (&Case, &str),
) -> anyhow::Result<()> {
    let used = json!({
        "commandId": command_id(number), "accountId": account, "key": format!("use-{number}"),
        "usageType": "CUSTOM", "quantity": case.quantity, "at": at,
    });
    mutate(server, "recordUsage", "id", used).await?;
    Ok(())
}

/// The invoice of that month, once it is issued.
async fn issued(server: &Server, account: &Value, month: &str) -> anyhow::Result<Value> {
    let query = format!(
        "{{ invoices(filter: {{ accountId: {account}, period: \"{month}\" }}, first: 2) {{ nodes \
         {{ status number currency documentPath net tax total }} }} }}"
    );
    let is_issued = |answer: &Value| answer["invoices"]["nodes"][0]["status"] == "ISSUED";
    let issued = server.until(&query, is_issued).await?;
    Ok(issued["invoices"]["nodes"][0].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_is_right_to_the_last_digit_that_its_currency_has() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (_, server) = in_december(folder.path(), json!({})).await?;
    let mut accounts = vec![];
    for (number, case) in (100..).step_by(10).zip(&CASES) {
        let account = account(&server, number, case).await?;
        let at = "2026-11-10T12:00:00Z";
        uses(&server, number + 3, &account, (case, at)).await?;
        accounts.push(account);
    }
    run_invoices(&server, 50, "2026-11").await?;
    for (case, account) in CASES.iter().zip(&accounts) {
        let invoice = issued(&server, account, "2026-11").await?;
        let [net, tax, total] = case.comes_to;
        let told = json!([invoice["net"], invoice["tax"], invoice["total"]]);
        let (currency, rounding) = (case.currency, case.rounding);
        ensure!(
            told == json!([net, tax, total]),
            "{currency} {rounding}: {invoice}"
        );
        ensure!(invoice["currency"] == currency, "{invoice}");
        let path = invoice["documentPath"].as_str().context("a path")?;
        let (_, page) = server.get(&format!("{path}.html")).await?;
        ensure!(page.contains(&format!(">{total}</td>")), "{total}: {page}");
    }
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_seller_wants_it_numbers_begin_anew_with_the_year() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (setup, server) = in_december(folder.path(), json!({"yearlySeries": true})).await?;
    let case = &CASES[7];
    let anna = account(&server, 10, case).await?;
    let bert = account(&server, 20, case).await?;
    for (number, account) in [(30, &anna), (31, &bert)] {
        uses(&server, number, account, (case, "2026-11-10T12:00:00Z")).await?;
        uses(
            &server,
            number + 10,
            account,
            (case, "2026-12-10T12:00:00Z"),
        )
        .await?;
    }
    run_invoices(&server, 50, "2026-11").await?;
    let mut numbers = vec![];
    for account in [&anna, &bert] {
        numbers.push(issued(&server, account, "2026-11").await?["number"].clone());
    }
    server.stop().await?;
    set(&clock_in(folder.path()), JANUARY_2_S)?;
    let server = Server::start(&setup).await?;
    run_invoices(&server, 51, "2026-12").await?;
    for account in [&anna, &bert] {
        numbers.push(issued(&server, account, "2026-12").await?["number"].clone());
    }
    let mut numbers: Vec<&str> = numbers.iter().filter_map(Value::as_str).collect();
    numbers.sort_unstable();
    let expected = [
        "INV-2026-00000001",
        "INV-2026-00000002",
        "INV-2027-00000001",
        "INV-2027-00000002",
    ];
    ensure!(numbers == expected, "{numbers:?}");
    server.stop().await
}
