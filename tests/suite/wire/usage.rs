//! What somebody else counted is recorded over the API, with its price by the
//! account's plan: all kinds that are no calls, tiers, volume, included units that split
//! a use, minima, decks. Fees of a quarter and a year are for the days that they
//! are for. What is expected is worked out by hand beside each line.

use crate::support::{Wrong, command_id, is_refused, mutate, sell};
use anyhow::{Context as _, ensure};
use domain::money::Decimal;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

/// What anna uses in August: key, kind, counted units.
const USED: [(&str, &str, u64); 11] = [
    ("int-1", "INTERNAL_MINUTES", 32),
    ("out-1", "SMS_OUTBOUND", 90),
    ("out-2", "SMS_OUTBOUND", 60),
    ("in-1", "SMS_INBOUND", 3),
    ("disk", "STORAGE_GB", 2_500),
    ("rec-1", "RECORDING", 500),
    ("rec-2", "RECORDING", 300),
    ("conf-1", "CONFERENCE", 61),
    ("conf-2", "CONFERENCE", 1),
    ("seats", "CUSTOM", 3),
    ("more", "CUSTOM", 1),
];

/// What that comes to: description, quantity and net of the line.
const LINES: [(&str, &str, &str); 9] = [
    // 30/6 at 6: 32 s are 36.
    ("Internal calls", "0.6", "3.6"),
    // 100 in a month, 54.8 in 17 of 31 days, so 55 at 0.10, and 95 at 0.05.
    ("Messages sent, by tiers", "150", "10.25"),
    // 3 at 0.01, but 5 at least in a month: of 17 of its 31 days 2.741935.
    (
        "Messages received, minimum charge of 17 of 31 days",
        "3",
        "2.74",
    ),
    // 2.5 at 0.40.
    ("Storage", "2.5", "1"),
    // 600 s included in a month, 329.03 in 17 of 31 days, so 330: 170 s of the first one
    // are left and all of the second, at 0.06 a minute.
    ("Recording", "7.833333", "0.47"),
    (
        "Recording, included in the plan for 17 of 31 days",
        "5.5",
        "0",
    ),
    // 60/60 at 0.10: 61 s are 120, 1 s is 60.
    ("Conferences", "3", "0.3"),
    // Beyond 3 all of them are at 2, not at 2.50.
    ("Other usage, at the price of the volume", "4", "8"),
    // 90 a quarter: 15 August to 30 September are 47 of 92 days.
    ("Recurring fee (47 of 92 days, 90 for 92)", "47", "45.98"),
];

fn terms() -> Value {
    let flat = |kind: &str, price: Value| json!({"usageType": kind, "price": {"flat": price}});
    let mut received = flat("SMS_INBOUND", json!({"rate": "0.01"}));
    received["minimumCharge"] = json!("5");
    let mut recording = flat("RECORDING", json!({"rate": "0.06"}));
    recording["included"] = json!("600");
    let internal = json!({"rate": "6", "firstIncrementS": 30, "nextIncrementS": 6});
    let conference = json!({"rate": "0.10", "firstIncrementS": 60, "nextIncrementS": 60});
    let tiers = json!([{"upTo": "100", "rate": "0.10"}, {"rate": "0.05"}]);
    let volume = json!([{"upTo": "3", "rate": "2.50"}, {"rate": "2"}]);
    json!([
        flat("INTERNAL_MINUTES", internal),
        {"usageType": "SMS_OUTBOUND", "price": {"tiers": tiers}},
        received,
        flat("STORAGE_GB", json!({"rate": "0.40"})),
        recording,
        flat("CONFERENCE", conference),
        {"usageType": "CUSTOM", "price": {"volume": volume}},
    ])
}

/// A seller, a deck of messages, a plan by the quarter and one by the year.
async fn describe(server: &Server) -> anyhow::Result<(Value, Value)> {
    sell(server, json!({})).await?;
    let deck = json!({
        "commandId": command_id(2), "name": "messages", "currency": "EUR",
        "csv": "prefix,rate\n262,0.10\n262692,0.30\n",
    });
    mutate(server, "importDeck", "id", deck).await?;
    let quarterly = json!({
        "commandId": command_id(3), "name": "quarterly", "currency": "EUR", "cycle": "QUARTERLY",
        "recurringFee": "90", "terms": terms(),
    });
    let quarterly = mutate(server, "createRatePlan", "id", quarterly).await?["id"].clone();
    let yearly = json!({
        "commandId": command_id(4), "name": "yearly", "currency": "EUR", "cycle": "YEARLY",
        "recurringFee": "365",
        "terms": [{"usageType": "SMS_OUTBOUND", "price": {"deck": "messages"}}],
    });
    let yearly = mutate(server, "createRatePlan", "id", yearly).await?["id"].clone();
    Ok((quarterly, yearly))
}

/// An account with a plan from the 15th of August on.
async fn account(server: &Server, number: u128, mode: &str, plan: &Value) -> anyhow::Result<Value> {
    let account = json!({
        "commandId": command_id(number), "name": format!("account-{number}"), "currency": "EUR",
        "timeZone": "Europe/Berlin", "country": "DE", "callingCode": "49", "paymentMode": mode,
    });
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    subscribe(server, number + 1, &account, plan, "2026-08-15").await?;
    Ok(account)
}

async fn subscribe(
    server: &Server,
    number: u128,
    account: &Value,
    plan: &Value,
    day: &str,
) -> anyhow::Result<()> {
    let subscription = json!({
        "commandId": command_id(number), "accountId": account, "planId": plan, "effective": day,
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    Ok(())
}

fn used(account: &Value, key: &str, kind: &str, quantity: u64) -> Value {
    json!({
        "accountId": account, "key": key, "usageType": kind, "quantity": quantity.to_string(),
        "at": "2026-08-20T12:00:00Z", "description": format!("what {key} is"),
    })
}

async fn record(server: &Server, number: u128, mut input: Value) -> anyhow::Result<Value> {
    input["commandId"] = json!(command_id(number));
    let recorded = mutate(server, "recordUsage", "id account { id }", input.clone()).await?;
    ensure!(
        recorded["account"]["id"] == input["accountId"],
        "{recorded}"
    );
    Ok(recorded["id"].clone())
}

/// Count of records by kind of a month.
async fn counts(server: &Server, account: &Value, month: &str) -> anyhow::Result<Vec<Value>> {
    let query = "query($account: ID!, $month: String!) { usageSummary(accountId: $account, \
                 from: $month, to: $month) { usageType count quantity amount } }";
    let variables = json!({"account": account, "month": month});
    let answer = server.graphql(query, variables).await?;
    let rows = answer["usageSummary"].as_array().context("rows")?;
    Ok(rows.clone())
}

pub(crate) async fn run_invoices(server: &Server, number: u128, month: &str) -> anyhow::Result<()> {
    let input = json!({"commandId": command_id(number), "period": month});
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { finished \
                 failed { reason } } }";
    let ran = server.graphql(order, json!({ "input": input })).await?;
    ensure!(
        ran["runInvoices"] == json!({"finished": true, "failed": []}),
        "{ran}"
    );
    Ok(())
}

/// Invoices the month; the lines of the account's invoice, and where it is.
pub(crate) async fn invoiced(
    server: &Server,
    number: u128,
    account: &Value,
    month: &str,
) -> anyhow::Result<(Vec<(String, String, String)>, String)> {
    run_invoices(server, number, month).await?;
    let query = format!(
        "{{ invoices(filter: {{ accountId: {account}, period: \"{month}\" }}, first: 2) {{ nodes \
         {{ status documentPath lines {{ description quantity net }} }} }} }}"
    );
    let is_issued = |answer: &Value| answer["invoices"]["nodes"][0]["status"] == "ISSUED";
    let issued = server.until(&query, is_issued).await?;
    let invoice = &issued["invoices"]["nodes"][0];
    let text = |value: &Value| value.as_str().map(str::to_owned).context("text");
    let lines = invoice["lines"].as_array().context("lines")?;
    let lines = lines.iter().map(|line| {
        Ok((
            text(&line["description"])?,
            text(&line["quantity"])?,
            text(&line["net"])?,
        ))
    });
    let path = text(&invoice["documentPath"])?;
    Ok((lines.collect::<anyhow::Result<_>>()?, path))
}

pub(crate) fn owned(lines: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let line = |(what, quantity, net): &(&str, &str, &str)| {
        ((*what).into(), (*quantity).into(), (*net).into())
    };
    lines.iter().map(line).collect()
}

fn wrong(anna: &Value, bert: &Value) -> Vec<Wrong> {
    let nobody = json!("00000000-0000-0000-0000-000000000001");
    let with = |mut input: Value, field: &str, value: &str| {
        input[field] = json!(value);
        input
    };
    let custom = || used(anna, "new", "CUSTOM", 1);
    let calls = used(anna, "new", "INBOUND_MINUTES", 1);
    let none = used(anna, "new", "CUSTOM", 0);
    let future = with(custom(), "at", "2999-01-01T00:00:00Z");
    let before = with(custom(), "at", "2026-08-01T00:00:00Z");
    let unknown = with(used(bert, "new", "SMS_OUTBOUND", 1), "number", "+1202");
    let other = used(anna, "seats", "CUSTOM", 4);
    // Both are charged as 120 s, and are not the same.
    let longer = used(anna, "conf-1", "CONFERENCE", 62);
    // Whatever prices it: a flat price of the one, a deck of the other.
    let named = |account| with(used(account, "new", "CUSTOM", 1), "number", "sales");
    let wrong: [(Value, &str, &str, &str); 12] = [
        (named(anna), "input.invalid_value", "number", "a number"),
        (named(bert), "input.invalid_value", "number", "a number"),
        (calls, "usage.of_calls", "usageType", "the calls themselves"),
        (none, "usage.invalid_quantity", "quantity", "1000000000"),
        (future, "usage.in_future", "at", "future"),
        (
            with(custom(), "key", "a b"),
            "usage.invalid_key",
            "key",
            "128",
        ),
        (other, "usage.other_use", "key", "another use"),
        (longer, "usage.other_use", "key", "another use"),
        (before, "usage.no_price", "usageType", "no_plan"),
        (
            used(bert, "new", "CUSTOM", 1),
            "usage.no_price",
            "usageType",
            "no_term",
        ),
        (unknown, "usage.no_price", "usageType", "no_match"),
        (
            used(&nobody, "new", "CUSTOM", 1),
            "account.unknown",
            "accountId",
            "",
        ),
    ];
    wrong
        .into_iter()
        .map(|(input, code, field, says)| ("recordUsage", input, code, field, says))
        .collect()
}

/// Who pays before can use what there is credit for, with tax, and no more.
async fn is_paid_before(server: &Server, plan: &Value) -> anyhow::Result<()> {
    let carl = account(server, 50, "PREPAID", plan).await?;
    let payment = json!({
        "commandId": command_id(52), "accountId": carl, "amount": "5", "currency": "EUR",
        "method": "BANK_TRANSFER", "reference": "first",
    });
    mutate(server, "recordPayment", "id", payment).await?;
    // 2.50, and 19 % that the balance does not show but the credit pays.
    record(server, 53, used(&carl, "one", "CUSTOM", 1)).await?;
    let balance = format!("{{ account(id: {carl}) {{ balance reserved }} }}");
    let is = |balance: &'static str| {
        move |answer: &Value| answer["account"] == json!({"balance": balance, "reserved": "0"})
    };
    server.until(&balance, is("2.5")).await?;
    let more = used(&carl, "two", "CUSTOM", 1);
    let (code, field) = ("account.credit_exhausted", "quantity");
    let wrong = ("recordUsage", more, code, field, "credit");
    is_refused(server, 54, wrong).await?;
    // The first one again is there and wants no more credit; more of it under the
    // same key is another one.
    let one = || used(&carl, "one", "CUSTOM", 1);
    let id = record(server, 55, one()).await?;
    let other = used(&carl, "one", "CUSTOM", 2);
    let wrong = ("recordUsage", other, "usage.other_use", "key", "another");
    is_refused(server, 56, wrong).await?;
    server.until(&balance, is("2.5")).await?;
    // It is no call, and no event says that it were one.
    let timeline = format!("{{ callTimeline(callId: {id}, first: 9) {{ nodes {{ at }} }} }}");
    let timeline = server.graphql(&timeline, json!({})).await?;
    ensure!(timeline["callTimeline"]["nodes"] == json!([]), "{timeline}");

    // Its month is invoiced, and it is still the same one.
    run_invoices(server, 57, "2026-08").await?;
    // 2.50 and the fee of 45.98 with 19 % are 57.69: 5 of it are paid.
    server.until(&balance, is("-52.69")).await?;
    // Whoever has paid is not told to pay all of it again.
    let query = format!(
        "{{ invoices(filter: {{ accountId: {carl} }}, first: 2) {{ nodes {{ number \
         documentPath }} }} }}"
    );
    let is_issued = |answer: &Value| answer["invoices"]["nodes"][0]["number"].is_string();
    let issued = server.until(&query, is_issued).await?;
    let path = &issued["invoices"]["nodes"][0]["documentPath"];
    let path = path.as_str().context("a path")?;
    let (status, page) = server.bytes(&format!("{path}.html")).await?;
    ensure!(status == 200, "{status}");
    let page = String::from_utf8_lossy(&page);
    let told = "57.69 EUR is taken from your credit. Please pay only what that does not cover";
    ensure!(page.contains(told), "{page}");
    record(server, 58, one()).await?;
    server.until(&balance, is("-52.69")).await?;
    Ok(())
}

/// A use that is there is the same one when it has no price any more.
async fn is_known_without_a_price(server: &Server, bert: &Value) -> anyhow::Result<()> {
    let deck = json!({
        "commandId": command_id(60), "name": "messages", "currency": "EUR",
        "csv": "prefix,rate\n49,0.10\n",
    });
    mutate(server, "importDeck", "id", deck).await?;
    let message = |key: &str| {
        let mut message = used(bert, key, "SMS_OUTBOUND", 2);
        message["number"] = json!("+262 692 00-00");
        message
    };
    record(server, 61, message("m")).await?;
    let (code, field) = ("usage.no_price", "usageType");
    let wrong = ("recordUsage", message("n"), code, field, "no_match");
    is_refused(server, 62, wrong).await
}

/// Who changes the plan each day has an invoice of some pages, in all forms with the
/// same figures. `LOOK=FOLDER` writes them there, for whoever wants to look at them.
async fn is_readable_over_pages(server: &Server, plans: [&Value; 2]) -> anyhow::Result<()> {
    let dora = account(server, 70, "POSTPAID", plans[0]).await?;
    for day in 17_u16..=30 {
        let plan = plans[usize::from(day % 2 == 1)];
        let number = 700 + u128::from(day);
        subscribe(server, number, &dora, plan, &format!("2026-08-{day}")).await?;
    }
    for (number, (key, kind, quantity)) in (740..).zip(USED) {
        record(server, number, used(&dora, key, kind, quantity)).await?;
    }
    let (lines, path) = invoiced(server, 760, &dora, "2026-08").await?;
    ensure!(lines.len() >= 7 + 15, "{lines:#?}");
    let mut forms = vec![];
    for form in ["json", "html", "pdf"] {
        let (status, bytes) = server.bytes(&format!("{path}.{form}")).await?;
        ensure!(status == 200, "{form}: {status}");
        if let Some(folder) = std::env::var_os("LOOK") {
            let folder = std::path::PathBuf::from(folder);
            std::fs::write(folder.join("long").with_extension(form), &bytes)?;
        }
        forms.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    let data: Value = serde_json::from_str(&forms[0])?;
    ensure!(data["schema"] == "ringledger-invoice/3", "{data:#}");
    let decimal = |value: &Value| -> anyhow::Result<Decimal> {
        Ok(value.as_str().context("an amount")?.parse()?)
    };
    let mut sum = Decimal::ZERO;
    for line in data["lines"].as_array().context("lines")? {
        let amount = decimal(&line["amount"])?;
        let shown = format!(">{}</td>", amount.with_digits(2));
        ensure!(forms[1].contains(&shown), "{shown} is not in {}", forms[1]);
        sum = sum + amount;
    }
    ensure!(sum == decimal(&data["totals"]["net"])?, "{data:#}");
    let total = decimal(&data["totals"]["total"])?.with_digits(2);
    ensure!(
        forms[1].matches(&format!(">{total}</td>")).count() >= 1,
        "{total}"
    );
    let pages = forms[2].matches("/Type/Page/").count();
    ensure!(pages >= 2, "{pages} pages");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_counted_elsewhere_is_recorded_once_and_invoiced() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), "")).await?;
    let (quarterly, yearly) = describe(&server).await?;
    let anna = account(&server, 10, "POSTPAID", &quarterly).await?;
    let bert = account(&server, 20, "POSTPAID", &yearly).await?;

    let mut ids = vec![];
    for (number, (key, kind, quantity)) in (100..).zip(USED) {
        ids.push(record(&server, number, used(&anna, key, kind, quantity)).await?);
    }
    // By another command, the same use is the same one.
    for (number, ((key, kind, quantity), id)) in (200..).zip(USED.into_iter().zip(&ids)) {
        let again = record(&server, number, used(&anna, key, kind, quantity)).await?;
        ensure!(again == *id, "{key}: {again} is not {id}");
    }
    let mut message = used(&bert, "m", "SMS_OUTBOUND", 2);
    message["number"] = json!("+262 692 00-00");
    record(&server, 120, message).await?;
    for (number, wrong) in (130..).zip(wrong(&anna, &bert)) {
        is_refused(&server, number, wrong).await?;
    }
    let rows = counts(&server, &anna, "2026-08").await?;
    let count: u64 = rows.iter().filter_map(|row| row["count"].as_u64()).sum();
    ensure!(rows.len() == 7 && count == 11, "{rows:#?}");

    let (lines, path) = invoiced(&server, 300, &anna, "2026-08").await?;
    ensure!(lines == owned(&LINES), "{lines:#?}");
    let (lines, _) = invoiced(&server, 301, &bert, "2026-08").await?;
    // 139 of 365 days of a year for 365, and two messages by the longest prefix.
    let expected = [
        ("Messages sent", "2", "0.6"),
        ("Recurring fee (139 of 365 days, 365 for 365)", "139", "139"),
    ];
    ensure!(lines == owned(&expected), "{lines:#?}");
    let (_, annex) = server.get(&format!("{path}.csv")).await?;
    let of_key = |key: &str| {
        annex
            .lines()
            .find(|line| line.ends_with(&format!(",{key}")))
    };
    for (key, ..) in USED {
        let line = of_key(key).with_context(|| format!("{key} is not in {annex}"))?;
        ensure!(line.contains(&format!(",what {key} is,")), "{line}");
    }

    // The month is closed: what comes late is on the next invoice, once.
    for number in [400, 401] {
        record(&server, number, used(&anna, "late", "CUSTOM", 2)).await?;
    }
    subscribe(&server, 402, &anna, &yearly, "2026-09-10").await?;
    let (lines, path) = invoiced(&server, 403, &anna, "2026-09").await?;
    let expected = [
        // By the plan of its day, also where that is another one by now: of the volume of 3
        // its 9 days of 30 have 1.
        ("Other usage, at the price of the volume", "2", "4"),
        // 10 to 30 September of the quarter, and to the end of the year by the year.
        (
            "Recurring fee of quarterly, days not used (21 of 92 days, 90 for 92)",
            "21",
            "-20.54",
        ),
        (
            "Recurring fee of yearly (113 of 365 days, 365 for 365)",
            "113",
            "113",
        ),
    ];
    ensure!(lines == owned(&expected), "{lines:#?}");
    let (_, annex) = server.get(&format!("{path}.csv")).await?;
    ensure!(annex.contains(",2026-08,late\r\n"), "{annex}");

    is_paid_before(&server, &quarterly).await?;
    is_known_without_a_price(&server, &bert).await?;
    is_readable_over_pages(&server, [&quarterly, &yearly]).await?;
    server.stop().await
}
