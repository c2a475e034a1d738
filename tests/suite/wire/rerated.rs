//! Three months pass. A real call is rated again after its month was invoiced: what
//! the month charged for it is taken back on the next invoice, and only the difference
//! is owed there, whatever that month includes; where the month charged as a whole,
//! nothing can be taken back, and the order is refused. Meanwhile an account uses all
//! that there is, and gets one invoice of it.

use crate::long_invoice;
use crate::support::{Wrong, called, command_id, events, is_refused, mutate, sell};
use anyhow::{Context as _, ensure};
use commands::feed::understand;
use domain::{
    any::AnyEvent,
    billing::{Event, account},
    money::{Decimal, Rounding},
};
use ringledger_tests::{
    machine,
    server::{Server, Setup},
};
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

const QUEUE: &str = "[[queue]]\nname = \"sales\"\nanswer_mode = \"immediate\"\n\
                     numbers = [\"+4930111\", \"+4930222\"]\n";
const OCTOBER_15_S: u64 = 1_792_065_600;
const MONTH_S: u64 = 30 * 86_400;

/// The server's clock is that many months after the middle of October.
pub(crate) fn set(clock: &Path, months: u64) -> anyhow::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let off = i64::try_from(OCTOBER_15_S + months * MONTH_S)? - i64::try_from(now)?;
    std::fs::write(clock, off.to_ne_bytes())?;
    Ok(())
}

async fn publish(server: &Server, number: u128, rate: &str) -> anyhow::Result<()> {
    let deck = json!({
        "commandId": command_id(number), "name": "world", "currency": "EUR",
        "csv": format!("prefix,rate\n4930,{rate}\n"),
    });
    mutate(server, "importDeck", "id", deck).await?;
    Ok(())
}

async fn subscribe(
    server: &Server,
    number: u128,
    account: &Value,
    (plan, day): (&Value, &str),
) -> anyhow::Result<()> {
    let subscription = json!({
        "commandId": command_id(number), "accountId": account, "planId": plan, "effective": day,
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    Ok(())
}

/// Two plans by one deck, the second with ten minutes included; an account of each.
async fn describe(server: &Server) -> anyhow::Result<([Value; 2], [Value; 2])> {
    let tax = |category: &str, percent: &str| json!({"country": "DE", "category": category, "percent": percent, "from": "2021-01-01"});
    let differs = json!({
        "taxRates": [tax("STANDARD", "19"), tax("REDUCED", "7")],
        "address": ["Example Street 1", "10115 Berlin"],
        "paymentLines": ["IBAN DE02 1203 0000 0000 2020 51", "BIC BYLADEM1001"],
    });
    sell(server, differs).await?;
    publish(server, 2, "6").await?;
    let (mut plans, mut accounts) = ([Value::Null, Value::Null], [Value::Null, Value::Null]);
    let all = [("plain", "0", "+4930111"), ("whole", "600", "+4930222")];
    for (index, (name, included, number)) in all.into_iter().enumerate() {
        let command = 10 * (index as u128 + 1);
        let plan = json!({
            "commandId": command_id(command), "name": name, "currency": "EUR", "cycle": "MONTHLY",
            "terms": [{"usageType": "INBOUND_MINUTES", "price": {"deck": "world"},
                       "included": included}],
        });
        plans[index] = mutate(server, "createRatePlan", "id", plan).await?["id"].clone();
        let account = json!({
            "commandId": command_id(command + 1), "name": name, "currency": "EUR",
            "timeZone": "UTC", "country": "DE", "callingCode": "49", "paymentMode": "POSTPAID",
            "numbers": [{"number": number}],
        });
        accounts[index] = mutate(server, "createAccount", "id", account).await?["id"].clone();
        let from = (&plans[index], "2026-10-01");
        subscribe(server, command + 2, &accounts[index], from).await?;
    }
    Ok((plans, accounts))
}

/// Calls that number; the call, once it has a price.
async fn call(server: &Server, number: &str, count: usize) -> anyhow::Result<Value> {
    let call = called(server, number, count).await?;
    charge(server, &call, 1).await?;
    Ok(call)
}

/// What the call costs by that rating.
async fn charge(server: &Server, call: &Value, revision: u32) -> anyhow::Result<Decimal> {
    let query = format!("{{ callCharge(callId: {call}) {{ revision amount }} }}");
    let is_rated = |answer: &Value| answer["callCharge"]["revision"] == revision;
    let answer = server.until(&query, is_rated).await?;
    let amount = answer["callCharge"]["amount"].as_str().context("a price")?;
    Ok(amount.parse()?)
}

pub(crate) async fn run(server: &Server, number: u128, month: &str) -> anyhow::Result<()> {
    let input = json!({"commandId": command_id(number), "period": month});
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { finished \
                 failed { reason } } }";
    let ran = server.graphql(order, json!({ "input": input })).await?;
    let expected = json!({"finished": true, "failed": []});
    ensure!(ran["runInvoices"] == expected, "{ran}");
    Ok(())
}

/// The net of the only line of the account's invoice.
pub(crate) async fn net(server: &Server, account: &Value, month: &str) -> anyhow::Result<Decimal> {
    let query = format!(
        "{{ invoices(filter: {{ accountId: {account}, period: \"{month}\" }}, first: 2) {{ nodes \
         {{ number lines {{ net }} }} }} }}"
    );
    let is_issued = |answer: &Value| answer["invoices"]["nodes"][0]["number"].is_string();
    let issued = server.until(&query, is_issued).await?;
    let lines = issued["invoices"]["nodes"][0]["lines"].clone();
    let used = lines.as_array().context("lines")?;
    let nets = used.iter().filter_map(|line| line["net"].as_str());
    Ok(nets.map(str::parse::<Decimal>).sum::<Result<_, _>>()?)
}

/// What counts against the credit of accounts, each time that it was said.
async fn committed(setup: &Setup) -> anyhow::Result<Vec<Decimal>> {
    let mut committed = vec![];
    for recorded in events(setup).await? {
        if let AnyEvent::Billing(Event::Account(_, account::Event::UsageCommitted { amount, .. })) =
            &understand(recorded)?.fact.event
        {
            committed.push(*amount);
        }
    }
    Ok(committed)
}

/// One use is taken back and one is there in its place.
async fn is_summed_up(server: &Server, account: &Value, amount: Decimal) -> anyhow::Result<()> {
    let query = format!(
        "{{ usageSummary(accountId: {account}, from: \"2026-11\", to: \"2026-11\") {{ count \
         amount }} }}"
    );
    let summary = server.graphql(&query, json!({})).await?["usageSummary"].clone();
    let expected = json!([{ "count": 0, "amount": amount.to_string() }]);
    ensure!(summary == expected, "{summary}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_of_an_invoiced_month_is_rated_again_for_the_difference_or_not_at_all()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    set(&clock, 0)?;
    let carrier = long_invoice::carrier().await?;
    let outside = long_invoice::provisioning(carrier.local_addr());
    let mut setup = Setup::new(folder.path(), &format!("{QUEUE}{outside}"));
    setup.environment = machine::clock_of(&clock)?;
    let server = Server::start(&setup).await?;
    let (plans, [plain, whole]) = describe(&server).await?;
    let calls = [
        call(&server, "+4930111", 1).await?,
        call(&server, "+4930222", 2).await?,
    ];
    let old = charge(&server, &calls[0], 1).await?;
    let long = long_invoice::describe(&server).await?;
    server.stop().await?;

    set(&clock, 1)?;
    let server = Server::start(&setup).await?;
    run(&server, 30, "2026-10").await?;
    ensure!(net(&server, &plain, "2026-10").await? == old, "{old}");
    ensure!(net(&server, &whole, "2026-10").await?.is_zero(), "included");
    // From now on both have ten minutes included, and a new deck is twice as dear.
    subscribe(&server, 31, &plain, (&plans[1], "2026-11-01")).await?;
    // It has a limit from now on; when the call was rated it had none.
    let limit = json!({"commandId": command_id(37), "accountId": plain, "limit": "1000"});
    mutate(&server, "setCreditLimit", "id", limit).await?;
    let again = |calls: &[Value]| json!({"callIds": calls, "reason": "wrong deck"});
    let anew = async |number: u128, calls: &[Value]| {
        let mut input = again(calls);
        input["commandId"] = json!(command_id(number));
        mutate(&server, "rerateCalls", "id", input).await
    };
    publish(&server, 32, "12").await?;
    anew(33, &calls[..1]).await?;
    let new = charge(&server, &calls[0], 2).await?;
    ensure!(new == old + old, "{new} is not twice {old}");
    let settled: Wrong = (
        "rerateCalls",
        again(&calls[1..]),
        "rating.settled",
        "callIds",
        "closed month",
    );
    is_refused(&server, 34, settled).await?;
    // The same price of yet another deck is the same price: nothing is taken back.
    publish(&server, 35, "12").await?;
    let order = "mutation($input: RerateCallsInput!) { rerateCalls(input: $input) { position \
                 userErrors { code } } }";
    let mut input = again(&calls[..1]);
    input["commandId"] = json!(command_id(36));
    let same = server.graphql(order, json!({ "input": input })).await?["rerateCalls"].clone();
    ensure!(same["userErrors"] == json!([]), "{same}");
    long_invoice::is_used(&server, &long, &carrier).await?;
    server.stop().await?;
    let committed = committed(&setup).await?;
    let gross = (new - old).percent(Decimal::whole(119), 6, Rounding::HalfEven);
    ensure!(committed == [gross], "{committed:?} is not {gross}");

    set(&clock, 2)?;
    let server = Server::start(&setup).await?;
    run(&server, 40, "2026-11").await?;
    let difference = net(&server, &plain, "2026-11").await?;
    ensure!(difference == new - old, "{difference} is owed");
    is_summed_up(&server, &plain, difference).await?;
    ensure!(
        charge(&server, &calls[0], 2).await? == new,
        "rated once more"
    );
    ensure!(!old.is_zero(), "nothing was shown");
    long_invoice::is_paid_from(&server, &long).await?;
    long_invoice::is_taken_back(&server, &setup, &long).await?;
    server.stop().await
}
