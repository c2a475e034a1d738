//! A plan has a wrong price, and the draft of its month shows it: the draft is discarded,
//! the plan mended, its calls are rated again, and the next draft is right to the cent.
//! Nothing of the first one is owed, lost or billed twice, whoever is killed meanwhile.

use crate::plan_changed::set;
use crate::support::{called, command_id, events, is_refused, mutate, sell};
use anyhow::{Context as _, ensure};
use domain::money::{Decimal, Rounding};
use futures_util::future::select_all;
use ringledger_tests::{
    machine,
    server::{Server, Setup},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

const QUEUE: &str = "[[queue]]\nname = \"sales\"\nanswer_mode = \"immediate\"\n\
                     numbers = [\"+4930111\", \"+4930222\"]\n";
/// The 15th of October, at noon.
const OCTOBER_15_S: i64 = 1_792_065_600;
const DAY_S: i64 = 86_400;
/// Accounts of which drafts are discarded while the server is killed.
const MANY: u128 = 8;

async fn plan(
    server: &Server,
    number: u128,
    name: &str,
    fee: &str,
    rate: &str,
) -> anyhow::Result<Value> {
    let price =
        |kind: &str, rate: &str| json!({"usageType": kind, "price": {"flat": {"rate": rate}}});
    let plan = json!({
        "commandId": command_id(number), "name": name, "currency": "EUR", "cycle": "MONTHLY",
        "recurringFee": fee, "terms": [price("INBOUND_MINUTES", rate), price("CUSTOM", "1")],
    });
    Ok(mutate(server, "createRatePlan", "id", plan).await?["id"].clone())
}

async fn subscribe(
    server: &Server,
    number: u128,
    account: &Value,
    plan: &Value,
) -> anyhow::Result<()> {
    let subscription = json!({
        "commandId": command_id(number), "accountId": account, "planId": plan,
        "effective": "2026-10-01",
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    Ok(())
}

async fn account(
    server: &Server,
    number: u128,
    mode: &str,
    plan: &Value,
    numbers: Value,
) -> anyhow::Result<Value> {
    let account = json!({
        "commandId": command_id(number), "name": format!("account-{number}"), "currency": "EUR",
        "timeZone": "UTC", "country": "DE", "callingCode": "49", "paymentMode": mode,
        "numbers": numbers,
    });
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    subscribe(server, number + 1, &account, plan).await?;
    Ok(account)
}

/// What the call costs by that rating, and the seconds that are charged.
async fn charge(server: &Server, call: &Value, revision: u32) -> anyhow::Result<(Decimal, i64)> {
    let query = format!("{{ callCharge(callId: {call}) {{ revision amount records }} }}");
    let is_rated = |answer: &Value| answer["callCharge"]["revision"] == revision;
    let answer = server.until(&query, is_rated).await?;
    let charge = &answer["callCharge"];
    let amount = charge["amount"].as_str().context("a price")?;
    let seconds = charge["records"][0]["quantity"].as_i64();
    Ok((amount.parse()?, seconds.context("seconds")?))
}

/// A custom use of that hour, for one each.
async fn used(
    server: &Server,
    number: u128,
    account: &Value,
    at: &str,
    quantity: &str,
) -> anyhow::Result<()> {
    let used = json!({
        "commandId": command_id(number), "accountId": account, "key": format!("use-{number}"),
        "usageType": "CUSTOM", "quantity": quantity, "at": at,
    });
    mutate(server, "recordUsage", "id", used).await?;
    Ok(())
}

async fn run(server: &Server, number: u128, period: &str, drafted: u128) -> anyhow::Result<()> {
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { finished \
                 drafted failed { reason } } }";
    let input = json!({"commandId": command_id(number), "period": period});
    let ran = server.graphql(order, json!({ "input": input })).await?;
    let expected = json!({"finished": true, "drafted": drafted, "failed": []});
    ensure!(ran["runInvoices"] == expected, "{ran}");
    Ok(())
}

/// The invoice of a month, once it stands so.
async fn invoice(
    server: &Server,
    account: &Value,
    period: &str,
    status: &str,
) -> anyhow::Result<Value> {
    let query = format!(
        "{{ invoices(filter: {{ accountId: {account}, period: \"{period}\" }}, first: 2) \
         {{ nodes {{ id number status total net lines {{ description amount }} \
         discards {{ reason total }} }} }} account(id: {account}) {{ owed credit balance }} }}"
    );
    let is_so = |answer: &Value| answer["invoices"]["nodes"][0]["status"] == status;
    let answer = server.until(&query, is_so).await?;
    let mut invoice = answer["invoices"]["nodes"][0].clone();
    ensure!(answer["invoices"]["nodes"][1].is_null(), "{answer}");
    invoice["account"] = answer["account"].clone();
    Ok(invoice)
}

fn amount(value: &Value) -> anyhow::Result<Decimal> {
    Ok(value.as_str().context("an amount")?.parse()?)
}

fn coins(amount: Decimal) -> Decimal {
    amount.round(2, Rounding::HalfEven)
}

/// With the tax of the net of one rate.
fn gross(net: Decimal) -> Decimal {
    net + net.percent(Decimal::whole(19), 2, Rounding::HalfEven)
}

fn discard(number: u128, invoice: &Value) -> Value {
    json!({"commandId": command_id(number), "invoiceId": invoice["id"],
           "reason": "the price is wrong"})
}

async fn is_refused_by_name(server: &Server, draft: &Value) -> anyhow::Result<()> {
    let input = |id: &Value, reason: &str| json!({"invoiceId": id, "reason": reason});
    let silent = input(&draft["id"], " ");
    let silent = (
        "discardInvoice",
        silent,
        "invoice.no_reason",
        "reason",
        "empty",
    );
    is_refused(server, 30, silent).await?;
    let unknown = input(&json!(command_id(99)), "why");
    let unknown = (
        "discardInvoice",
        unknown,
        "invoice.unknown",
        "invoiceId",
        "no such",
    );
    is_refused(server, 31, unknown).await
}

/// Who discarded what and why is on the record.
async fn is_on_the_record(server: &Server, drafts: &[Value]) -> anyhow::Result<()> {
    let query = "{ events(filter: { types: [\"invoice_discarded\"] }, first: 9) \
                 { nodes { stream actor payload } } }";
    let told = server.graphql(query, Value::Null).await?;
    let told = told["events"]["nodes"].as_array().context("events")?;
    ensure!(told.len() == drafts.len(), "{told:?}");
    for (event, draft) in told.iter().zip(drafts) {
        let id = draft["id"].as_str().context("an id")?;
        ensure!(event["stream"] == format!("invoice-{id}"), "{event}");
        ensure!(
            event["actor"]
                .as_str()
                .is_some_and(|actor| actor.starts_with("token:")),
            "{event}"
        );
        ensure!(
            event["payload"]["reason"] == "the price is wrong",
            "{event}"
        );
    }
    Ok(())
}

async fn server_at(setup: &Setup, clock: &Path, shows_s: i64) -> anyhow::Result<Server> {
    set(clock, shows_s)?;
    Server::start(setup).await
}

/// Anna, who pays later, and Bert, who pays before, each with a call.
struct October {
    accounts: [Value; 2],
    calls: [Value; 2],
    /// What the calls cost, and their seconds.
    charges: [(Decimal, i64); 2],
}

impl October {
    /// Ten times the price that was meant, and not the fee.
    async fn spent(server: &Server) -> anyhow::Result<Self> {
        sell(server, json!({"approvalRequired": true})).await?;
        let wrong = plan(server, 2, "wrong", "30", "6.10").await?;
        let number = |number: &str| json!([{"number": number}]);
        let anna = account(server, 10, "POSTPAID", &wrong, number("+4930111")).await?;
        let bert = account(server, 12, "PREPAID", &wrong, number("+4930222")).await?;
        let payment = json!({
            "commandId": command_id(14), "accountId": bert, "amount": "100", "currency": "EUR",
            "method": "BANK_TRANSFER", "reference": "before", "invoiceId": null,
        });
        mutate(server, "recordPayment", "id", payment).await?;
        let calls = [
            called(server, "+4930111", 1).await?,
            called(server, "+4930222", 2).await?,
        ];
        let charges = [
            charge(server, &calls[0], 1).await?,
            charge(server, &calls[1], 1).await?,
        ];
        used(server, 15, &anna, "2026-10-14T12:00:00Z", "3").await?;
        Ok(Self {
            accounts: [anna, bert],
            calls,
            charges,
        })
    }

    async fn invoices(&self, server: &Server, status: &str) -> anyhow::Result<[Value; 2]> {
        let [anna, bert] = &self.accounts;
        Ok([
            invoice(server, anna, "2026-10", status).await?,
            invoice(server, bert, "2026-10", status).await?,
        ])
    }

    /// The wrong drafts, which are discarded.
    async fn is_discarded(&self, server: &Server) -> anyhow::Result<[Value; 2]> {
        run(server, 20, "2026-10", 2).await?;
        let drafts = self.invoices(server, "DRAFT").await?;
        // Fees of October and, ahead, of November.
        let net = coins(self.charges[0].0) + Decimal::whole(3 + 60);
        ensure!(amount(&drafts[0]["total"])? == gross(net), "{drafts:?}");
        // What comes while it waits is of the next invoice, whatever becomes of the draft.
        let anna = &self.accounts[0];
        used(server, 21, anna, "2026-10-31T12:00:00Z", "5").await?;
        is_refused_by_name(server, &drafts[0]).await?;
        for (number, draft) in (22..).zip(&drafts) {
            for _ in 0..2 {
                mutate(server, "discardInvoice", "id", discard(number, draft)).await?;
            }
        }
        is_on_the_record(server, &drafts).await?;
        let discarded = self.invoices(server, "DISCARDED").await?;
        ensure!(discarded[0]["account"]["owed"] == "0", "{discarded:?}");
        Ok(drafts)
    }

    /// The plan is mended: the month is free for it.
    async fn is_mended(&mut self, server: &Server) -> anyhow::Result<()> {
        let right = plan(server, 40, "right", "20", "0.61").await?;
        for (number, account) in (41..).zip(&self.accounts) {
            subscribe(server, number, account, &right).await?;
        }
        let again = json!({
            "commandId": command_id(43), "callIds": self.calls, "reason": "wrong price",
        });
        mutate(server, "rerateCalls", "id", again).await?;
        used(server, 44, &self.accounts[0], "2026-10-30T12:00:00Z", "7").await?;
        let rate: Decimal = "0.61".parse()?;
        for (call, charged) in self.calls.iter().zip(&mut self.charges) {
            let (price, seconds) = charge(server, call, 2).await?;
            let expected = rate.share(seconds.into(), 60, 6, Rounding::HalfEven);
            ensure!(price == expected && seconds == charged.1, "{price}");
            charged.0 = price;
        }
        Ok(())
    }

    /// The right drafts, which are issued.
    async fn is_invoiced(&self, server: &Server, before: &Value) -> anyhow::Result<()> {
        run(server, 50, "2026-10", 2).await?;
        run(server, 51, "2026-10", 0).await?;
        let [of_anna, of_bert] = self
            .charges
            .map(|(price, _)| coins(price) + Decimal::whole(40));
        let (of_anna, of_bert) = (gross(of_anna + Decimal::whole(3 + 7)), gross(of_bert));
        let anew = self.invoices(server, "DRAFT").await?;
        ensure!(amount(&anew[0]["total"])? == of_anna, "{anew:?}");
        ensure!(amount(&anew[1]["total"])? == of_bert, "{anew:?}");
        let before = json!([{"reason": "the price is wrong", "total": before["total"]}]);
        ensure!(anew[0]["discards"] == before, "{anew:?}");
        for (number, draft) in (60..).zip(&anew) {
            let approve = json!({"commandId": command_id(number), "invoiceId": draft["id"]});
            mutate(server, "issueInvoice", "id", approve).await?;
        }
        let [anna, bert] = &self.accounts;
        let owed = format!("{{ account(id: {anna}) {{ owed }} }}");
        let is_owed = |answer: &Value| amount(&answer["account"]["owed"]).ok() == Some(of_anna);
        server.until(&owed, is_owed).await?;
        let issued = invoice(server, anna, "2026-10", "ISSUED").await?;
        let paid = invoice(server, bert, "2026-10", "PAID").await?;
        let left = Decimal::whole(100) - of_bert;
        ensure!(amount(&paid["account"]["balance"])? == left, "{paid}");
        // No number was lost.
        let mut numbers = [&issued, &paid].map(|invoice| invoice["number"].as_str());
        numbers.sort_unstable();
        let expected = [Some("INV-00000001"), Some("INV-00000002")];
        ensure!(numbers == expected, "{numbers:?}");
        let late = json!({"invoiceId": issued["id"], "reason": "late"});
        let code = "invoice.no_draft";
        let late = ("discardInvoice", late, code, "invoiceId", "credit note");
        is_refused(server, 62, late).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_draft_is_discarded_and_the_next_one_is_right_to_the_cent() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    let mut setup = Setup::new(folder.path(), QUEUE);
    setup.environment = machine::clock_of(&clock)?;
    let server = server_at(&setup, &clock, OCTOBER_15_S).await?;
    let mut october = October::spent(&server).await?;
    server.stop().await?;

    let server = server_at(&setup, &clock, OCTOBER_15_S + 31 * DAY_S).await?;
    let [before, _] = october.is_discarded(&server).await?;
    october.is_mended(&server).await?;
    october.is_invoiced(&server, &before).await?;
    server.stop().await?;

    // The next one has the fee of December and what came while the draft waited, once.
    let server = server_at(&setup, &clock, OCTOBER_15_S + 61 * DAY_S).await?;
    run(&server, 70, "2026-11", 2).await?;
    let next = invoice(&server, &october.accounts[0], "2026-11", "DRAFT").await?;
    let expected = gross(Decimal::whole(20 + 5));
    ensure!(amount(&next["total"])? == expected, "{next}");
    server.stop().await
}

/// How often that happened to each stream's account or month.
async fn counts(setup: &Setup) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut counts = BTreeMap::new();
    for recorded in events(setup).await? {
        let kind = recorded.event_type.to_string();
        *counts.entry(kind).or_default() += 1;
    }
    Ok(counts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_that_were_being_discarded_at_a_kill_are_discarded_whole() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    let mut setup = Setup::new(folder.path(), "");
    setup.environment = machine::clock_of(&clock)?;
    let server = server_at(&setup, &clock, OCTOBER_15_S + 31 * DAY_S).await?;
    sell(&server, json!({"approvalRequired": true})).await?;
    let plan = plan(&server, 2, "plan", "30", "6").await?;
    let mut accounts = vec![];
    for number in 0..MANY {
        accounts.push(account(&server, 10 + 2 * number, "POSTPAID", &plan, json!([])).await?);
    }
    run(&server, 40, "2026-10", MANY).await?;
    let mut drafts = vec![];
    for account in &accounts {
        drafts.push(invoice(&server, account, "2026-10", "DRAFT").await?);
    }
    let orders = (50..).zip(&drafts).map(|(number, draft)| {
        Box::pin(mutate(
            &server,
            "discardInvoice",
            "id",
            discard(number, draft),
        ))
    });
    // The first answer is heard; what becomes of the others is chance.
    let (first, _, others) = select_all(orders).await;
    first?;
    drop(others);
    server.kill().await?;

    let server = Server::start(&setup).await?;
    // Each is discarded now, if it was not: what was begun is ended once.
    for (number, draft) in (50..).zip(&drafts) {
        mutate(&server, "discardInvoice", "id", discard(number, draft)).await?;
    }
    run(&server, 60, "2026-10", MANY).await?;
    for account in &accounts {
        let draft = invoice(&server, account, "2026-10", "DRAFT").await?;
        // 30 of October and of November, and nothing twice.
        ensure!(draft["total"] == "71.4", "{draft}");
        ensure!(
            draft["discards"]
                .as_array()
                .is_some_and(|all| all.len() == 1),
            "{draft}"
        );
    }
    server.stop().await?;
    let counts = counts(&setup).await?;
    let many = usize::try_from(MANY)?;
    let expected = [
        ("invoice_discarded", many),
        ("usage_period_reopened", many),
        ("invoice_dropped", many),
        ("invoice_drafted", 2 * many),
        ("usage_period_closed", 2 * many),
        ("invoice_begun", 2 * many),
    ];
    for (kind, count) in expected {
        ensure!(counts.get(kind) == Some(&count), "{kind}: {counts:?}");
    }
    Ok(())
}
