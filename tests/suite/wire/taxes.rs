//! Taxes as they stand on invoices: in the price or on it, owed by whoever buys in
//! another country of the union, at the rate of a consumer's country there, or none; at the
//! rate of the day of each use, and of the first day of what a fee is for.

use crate::support::{command_id, mutate, sell};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

/// Who buys: country, tax id, by the plan whose prices are with tax or not.
const BUYERS: [(&str, Option<&str>, bool); 5] = [
    ("DE", None, false),
    ("DE", None, true),
    ("FR", Some("FR40303265045"), false),
    ("FR", None, false),
    ("US", None, false),
];

/// Net, tax and total of each, and what the document says about the tax. The usage is
/// 3.33 on the 17th of September, 2 x 3.33 and 0.05 on the 20th; the fee 50 for half of
/// September from the 16th on, and 100 for October.
const EXPECTED: [(&str, &str, &str, Option<&str>); 5] = [
    // 19 % of 3.33 + 50 are 10.1327, 16 % of 6.66 + 0.05 are 1.0736, 25 % of 100 are 25.
    ("160.04", "36.2", "196.24", None),
    // 19/119 of 53.33 are 8.5149, 16/116 of 6.71 are 0.9255, 25/125 of 100 are 20.
    ("130.6", "29.44", "160.04", None),
    (
        "160.04",
        "0",
        "160.04",
        Some("Reverse charge: the recipient owes the tax"),
    ),
    // 20 % of 160.04.
    ("160.04", "32.01", "192.05", None),
    (
        "160.04",
        "0",
        "160.04",
        Some("Not subject to tax in the seller"),
    ),
];

/// What each uses: kind, quantity, day of September.
const USED: [(&str, &str, &str); 3] = [
    ("CUSTOM", "1", "17"),
    ("CUSTOM", "2", "20"),
    ("SMS_OUTBOUND", "1", "20"),
];

async fn plan(server: &Server, number: u128, is_inclusive: bool) -> anyhow::Result<Value> {
    let flat =
        |kind: &str, rate: &str| json!({"usageType": kind, "price": {"flat": {"rate": rate}}});
    let plan = json!({
        "commandId": command_id(number), "name": format!("plan-{number}"), "currency": "EUR",
        "cycle": "MONTHLY", "recurringFee": "100", "taxInclusive": is_inclusive,
        "terms": [flat("CUSTOM", "3.33"), flat("SMS_OUTBOUND", "0.05")],
    });
    Ok(mutate(server, "createRatePlan", "id", plan).await?["id"].clone())
}

/// An account of the second half of September, that has used something there.
async fn account(
    server: &Server,
    number: u128,
    (country, tax_id, _): (&str, Option<&str>, bool),
    plan: &Value,
) -> anyhow::Result<Value> {
    let account = json!({
        "commandId": command_id(number), "name": format!("account-{number}"), "currency": "EUR",
        "timeZone": "Europe/Berlin", "country": country, "taxId": tax_id, "callingCode": "49",
        "paymentMode": "POSTPAID",
    });
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    let subscription = json!({
        "commandId": command_id(number + 1), "accountId": account, "planId": plan,
        "effective": "2026-09-16",
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    for (number, (kind, quantity, day)) in (number + 2..).zip(USED) {
        let used = json!({
            "commandId": command_id(number), "accountId": account, "key": format!("{kind}-{day}"),
            "usageType": kind, "quantity": quantity, "at": format!("2026-09-{day}T12:00:00Z"),
        });
        mutate(server, "recordUsage", "id", used).await?;
    }
    Ok(account)
}

/// The invoice of September, once it is issued.
async fn invoice(server: &Server, account: &Value) -> anyhow::Result<Value> {
    let query = format!(
        "{{ invoices(filter: {{ accountId: {account}, period: \"2026-09\" }}, first: 2) {{ nodes \
         {{ number net tax total documentPath taxes {{ percent net tax }} lines {{ description \
         taxPercent amount net tax }} }} }} }}"
    );
    let is_issued = |answer: &Value| answer["invoices"]["nodes"][0]["number"].is_string();
    let issued = server.until(&query, is_issued).await?;
    Ok(issued["invoices"]["nodes"][0].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn taxes_are_in_the_price_or_on_it_or_owed_by_the_buyer() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), "")).await?;
    let rate = |country: &str, percent: &str, from: &str, to: Option<&str>| json!({"country": country, "category": "STANDARD", "percent": percent, "from": from, "to": to});
    // The rates change within the month, and with the time of the fee that is paid ahead.
    let rates = json!({"taxRates": [
        rate("DE", "19", "2021-01-01", Some("2026-09-18")),
        rate("DE", "16", "2026-09-18", Some("2026-10-01")),
        rate("DE", "25", "2026-10-01", None),
        rate("FR", "20", "2014-01-01", None),
    ]});
    sell(&server, rates).await?;
    let plans = [
        plan(&server, 2, false).await?,
        plan(&server, 3, true).await?,
    ];
    let mut accounts = vec![];
    for (number, buyer) in (1..).zip(BUYERS) {
        let plan = &plans[usize::from(buyer.2)];
        accounts.push(account(&server, 10 * number, buyer, plan).await?);
    }
    let input = json!({"commandId": command_id(90), "period": "2026-09"});
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { finished \
                 failed { reason } } }";
    let ran = server.graphql(order, json!({ "input": input })).await?;
    let finished = json!({"finished": true, "failed": []});
    ensure!(ran["runInvoices"] == finished, "{ran}");

    for ((account, buyer), expected) in accounts.iter().zip(BUYERS).zip(EXPECTED) {
        let invoice = invoice(&server, account).await?;
        let (net, tax, total, text) = expected;
        let told = json!([invoice["net"], invoice["tax"], invoice["total"]]);
        ensure!(told == json!([net, tax, total]), "{buyer:?}: {invoice:#}");
        let path = invoice["documentPath"].as_str().context("a path")?;
        let (_, page) = server.get(&format!("{path}.html")).await?;
        for other in EXPECTED.iter().filter_map(|(.., text)| *text) {
            let stands = page.contains(other);
            ensure!(
                stands == (text == Some(other)),
                "{buyer:?}: {other}: {page}"
            );
        }
        let with = if buyer.2 {
            "Amount with tax, EUR"
        } else {
            "Amount, EUR"
        };
        ensure!(page.contains(with), "{buyer:?}: {page}");
        if let Some(tax_id) = buyer.1 {
            ensure!(page.contains(tax_id), "{page}");
        }
    }
    server.stop().await
}
