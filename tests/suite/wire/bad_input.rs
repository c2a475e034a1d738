//! What is wrong about money is refused with the field and the reason, over
//! GraphQL and on the command line, and then the record is the same bytes as
//! before. What is right may be large: a deck of 100,000 prefixes.

use crate::support::{Ran, Wrong, command_id, is_refused, mutate, run, sell};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const PERIOD: &str = "2026-10";
/// What `ringledger bench billing` rates by.
const PREFIXES: u32 = 100_000;

const OVERLAP: &str = "prefix,rate,effective_from,effective_to\n\
                       49,0.01,2026-01-01,2026-06-01\n49,0.02,2026-05-01,2026-07-01\n";
const NEGATIVE: &str = "prefix,rate\n43,0.01\n49,-0.01\n";
const OTHER_CURRENCY: &str = "prefix,rate,currency\n49,0.01,USD\n";
const FORMULA: &str = "prefix,rate\n49,=1+1\n";
const FORMULA_IN_WORDS: &str = "prefix,rate,description\n49,0.01,\"=HYPERLINK(\"\"x\"\")\"\n";

/// What is wrong with each deck, and how it is told.
const DECKS: [(&str, &str); 5] = [
    (
        OVERLAP,
        "line 3: effective_from: overlaps with line 2 of the same prefix",
    ),
    (NEGATIVE, "line 3: rate: is negative"),
    (
        OTHER_CURRENCY,
        "line 2: currency: is not the deck's currency",
    ),
    (
        FORMULA,
        "line 2: rate: begins like a formula of a spreadsheet",
    ),
    (
        FORMULA_IN_WORDS,
        "line 2: description: begins like a formula of a spreadsheet",
    ),
];

/// Runs the binary on the store of the setup.
pub(crate) async fn command(setup: &Setup, arguments: &[&str]) -> anyhow::Result<Ran> {
    setup.write()?;
    let place = ["--config", "ringledger.toml", "--data", "data"];
    run(&[arguments, &place].concat(), &[], &setup.folder).await
}

/// The whole record, as it is exported: every event with its hash.
async fn record(setup: &Setup) -> anyhow::Result<String> {
    let ran = command(setup, &["export", "--out", "record.jsonl"]).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    Ok(std::fs::read_to_string(setup.folder.join("record.jsonl"))?)
}

/// A seller, and an account whose invoice of the month is paid.
pub(crate) async fn paid(server: &Server) -> anyhow::Result<(Value, Value)> {
    sell(server, json!({})).await?;
    let plan = json!({
        "commandId": command_id(2), "name": "basic", "currency": "EUR", "cycle": "MONTHLY",
        "recurringFee": "10", "terms": [],
    });
    let plan = mutate(server, "createRatePlan", "id", plan).await?["id"].clone();
    let dollars = json!({
        "commandId": command_id(3), "name": "dollars", "currency": "USD", "cycle": "MONTHLY",
        "recurringFee": "10", "terms": [],
    });
    mutate(server, "createRatePlan", "id", dollars).await?;
    let account = account(json!({"commandId": command_id(4)}));
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    let subscription = json!({
        "commandId": command_id(5), "accountId": account, "planId": plan,
        "effective": "2026-10-01",
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { drafted } }";
    let input = json!({"commandId": command_id(6), "period": PERIOD});
    let ran = server.graphql(order, json!({ "input": input })).await?;
    ensure!(ran["runInvoices"]["drafted"] == 1, "{ran}");
    let query = "{ invoices(first: 1) { nodes { id status total } } }";
    let issued = server
        .until(query, |answer| {
            answer["invoices"]["nodes"][0]["status"] == "ISSUED"
        })
        .await?;
    let invoice = issued["invoices"]["nodes"][0].clone();
    let whole = json!({"commandId": command_id(7), "amount": invoice["total"]});
    let payment = payment(&account, &invoice["id"], whole);
    mutate(server, "recordPayment", "id", payment).await?;
    Ok((account, invoice["id"].clone()))
}

fn with(mut input: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    input
}

fn account(more: Value) -> Value {
    let usual = json!({
        "name": "anna", "currency": "EUR", "timeZone": "UTC", "country": "DE",
        "callingCode": "49", "paymentMode": "POSTPAID",
    });
    with(usual, &more)
}

fn payment(account: &Value, invoice: &Value, more: Value) -> Value {
    let usual = json!({
        "accountId": account, "invoiceId": invoice, "amount": "1", "currency": "EUR",
        "method": "BANK_TRANSFER", "reference": "first",
    });
    with(usual, &more)
}

fn wrong(anna: &Value, invoice: &Value) -> Vec<Wrong> {
    let deck = |csv: &str| json!({"name": "world", "currency": "EUR", "csv": csv});
    let decks = DECKS
        .iter()
        .map(|(csv, says)| ("importDeck", deck(csv), "input.invalid_value", "csv", *says));
    let bert = |more| account(with(json!({"name": "bert"}), &more));
    let paying = |more| payment(anna, invoice, more);
    let plan = |rate: &str| {
        json!({
            "name": "gift", "currency": "EUR", "cycle": "MONTHLY",
            "terms": [{"usageType": "INBOUND_MINUTES", "price": {"flat": {"rate": rate}}}],
        })
    };
    let rest = [
        (
            "createAccount",
            bert(json!({"taxId": "XX123456789"})),
            "account.invalid_tax_id",
            "taxId",
            "",
        ),
        (
            "createAccount",
            bert(json!({"taxId": "DE1"})),
            "account.invalid_tax_id",
            "taxId",
            "",
        ),
        (
            "createAccount",
            bert(json!({"currency": "EURO"})),
            "input.invalid_value",
            "currency",
            "",
        ),
        (
            "createRatePlan",
            plan("-1"),
            "plan.invalid_price",
            "terms",
            "rate: is negative",
        ),
        (
            "recordPayment",
            paying(json!({})),
            "account.already_paid",
            "invoiceId",
            "paid",
        ),
        (
            "recordPayment",
            paying(json!({"currency": "USD"})),
            "account.other_currency",
            "currency",
            "EUR",
        ),
        (
            "recordPayment",
            paying(json!({"amount": "-1"})),
            "account.invalid_amount",
            "amount",
            "",
        ),
    ];
    decks.chain(rest).collect()
}

async fn import(setup: &Setup, name: &str, csv: &str) -> anyhow::Result<Ran> {
    std::fs::write(setup.folder.join("deck.csv"), csv)?;
    let arguments = ["deck", "import", "deck.csv", "--name", name];
    command(setup, &[&arguments[..], &["--currency", "EUR"]].concat()).await
}

/// A plan by the large deck tells the price of its last row.
async fn quotes_the_last_row(server: &Server) -> anyhow::Result<()> {
    let plan = json!({
        "commandId": command_id(90), "name": "large", "currency": "EUR", "cycle": "MONTHLY",
        "terms": [{"usageType": "INTERNATIONAL_MINUTES", "price": {"deck": "large"}}],
    });
    let plan = mutate(server, "createRatePlan", "id", plan).await?["id"].clone();
    let query = "query($plan: ID!) { rateQuote(planId: $plan, to: \"+199999555\", seconds: 60, \
                 usageType: INTERNATIONAL_MINUTES) { amount prefix row deckVersion } }";
    let quote = server.graphql(query, json!({ "plan": plan })).await?["rateQuote"].clone();
    ensure!(
        quote == json!({"amount": "0.99", "prefix": "199999", "row": PREFIXES, "deckVersion": 1}),
        "{quote}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_about_money_is_refused_and_nothing_is_half_done() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), "");
    let server = Server::start(&setup).await?;
    let (anna, invoice) = paid(&server).await?;
    let before = record(&setup).await?;
    for (number, wrong) in (100..).zip(wrong(&anna, &invoice)) {
        is_refused(&server, number, wrong).await?;
    }
    let query =
        "query($plan: ID!) { rateQuote(planId: $plan, to: \"sales\", seconds: 60) { amount } }";
    let asked = server.graphql(query, json!({ "plan": anna })).await;
    let error = asked.err().context("it prices a name")?;
    ensure!(error.to_string().contains("to: is not a number"), "{error}");
    let dollars = "{ ratePlans(first: 9) { nodes { id name } } }";
    let plans = server.graphql(dollars, json!({})).await?;
    let plans = plans["ratePlans"]["nodes"].as_array().context("plans")?;
    let dollars = plans.iter().find(|plan| plan["name"] == "dollars");
    let subscription = json!({
        "accountId": anna, "planId": dollars.context("the plan")?["id"], "effective": "2027-01-01",
    });
    let other = (
        "subscribeAccount",
        subscription,
        "input.invalid_value",
        "planId",
        "USD",
    );
    is_refused(&server, 99, other).await?;
    let nowhere = json!({
        "accountId": anna, "planId": "00000000-0000-4000-8000-000000000009",
        "effective": "2027-01-01",
    });
    let unknown = (
        "subscribeAccount",
        nowhere,
        "input.invalid_value",
        "planId",
        "no plan",
    );
    is_refused(&server, 98, unknown).await?;
    ensure!(record(&setup).await? == before, "something was done");
    server.stop().await?;

    for (csv, says) in DECKS {
        let ran = import(&setup, "world", csv).await?;
        ensure!(ran.code == Some(1), "{ran:?}");
        ensure!(ran.out.contains(&format!("deck.csv: {says}")), "{ran:?}");
        ensure!(ran.err.contains("nothing was done"), "{ran:?}");
    }
    for (argument, value) in [("--period", "2999-01"), ("--period", "October")] {
        let ran = command(&setup, &["invoice", "run", argument, value]).await?;
        ensure!(ran.code != Some(0), "{ran:?}");
    }
    ensure!(record(&setup).await? == before, "something was done");

    let rows: String = (0..PREFIXES)
        .map(|row| format!("{},0.{:02},Zone {row}\n", 100_000 + row, row % 100))
        .collect();
    let large = format!("prefix,rate,description\n{rows}");
    let ran = import(&setup, "large", &large).await?;
    let published = format!("version 1 with {PREFIXES} rows is published");
    ensure!(
        ran.code == Some(0) && ran.out.contains(&published),
        "{ran:?}"
    );
    let done = record(&setup).await?;
    let again = import(&setup, "large", &large).await?;
    ensure!(again.out.contains("rows already"), "{again:?}");
    ensure!(record(&setup).await? == done, "it was done twice");
    let server = Server::start(&setup).await?;
    quotes_the_last_row(&server).await?;
    server.stop().await
}
