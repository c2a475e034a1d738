//! Who does not pay is reminded as time passes, then suspended, and comes back by
//! paying; who uses more than the limit is suspended at once, and comes back so too.
//! Whether a call rings is asked by a real phone.

use crate::support::{PATIENCE, caller, command_id, dial, events, mutate, records, sell};
use anyhow::{Context as _, ensure};
use commands::feed::understand;
use domain::{
    any::AnyEvent,
    billing::{Event, invoice},
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

pub(crate) const QUEUE: &str = "[[queue]]\nname = \"sales\"\nanswer_mode = \"immediate\"\n\
                     numbers = [\"+4930111\", \"+4930222\", \"112\"]\n";
/// Noon in UTC.
const NOVEMBER_14_S: u64 = 1_794_657_600;

/// The server's clock is that many days after the day on which the month is invoiced.
pub(crate) fn set(clock: &Path, days: u64) -> anyhow::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let off = i64::try_from(NOVEMBER_14_S + days * 86_400)? - i64::try_from(now)?;
    std::fs::write(clock, off.to_ne_bytes())?;
    Ok(())
}

/// An account of the plan, that owns these numbers.
pub(crate) async fn account(
    server: &Server,
    number: u128,
    plan: &Value,
    owns: &[&str],
) -> anyhow::Result<Value> {
    let numbers: Vec<Value> = owns
        .iter()
        .map(|number| json!({ "number": number }))
        .collect();
    let account = json!({
        "commandId": command_id(number), "name": format!("account-{number}"), "currency": "EUR",
        "timeZone": "UTC", "country": "DE", "callingCode": "49", "paymentMode": "POSTPAID",
        "numbers": numbers,
    });
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    let subscription = json!({
        "commandId": command_id(number + 1), "accountId": account, "planId": plan,
        "effective": "2026-10-01",
    });
    mutate(server, "subscribeAccount", "id", subscription).await?;
    Ok(account)
}

pub(crate) async fn plan(server: &Server) -> anyhow::Result<Value> {
    let flat = |kind: &str| json!({"usageType": kind, "price": {"flat": {"rate": "2.50"}}});
    let plan = json!({
        "commandId": command_id(2), "name": "plan", "currency": "EUR", "cycle": "MONTHLY",
        "recurringFee": "30", "terms": [flat("CUSTOM"), flat("INBOUND_MINUTES")],
    });
    Ok(mutate(server, "createRatePlan", "id", plan).await?["id"].clone())
}

/// Waits until the account stands so.
pub(crate) async fn stands(
    server: &Server,
    account: &Value,
    expected: Value,
) -> anyhow::Result<()> {
    let query = format!("{{ account(id: {account}) {{ status overdue owed balance }} }}");
    let is_so = |answer: &Value| {
        let mut fields = expected.as_object().into_iter().flatten();
        fields.all(|(name, value)| answer["account"][name] == *value)
    };
    server.until(&query, is_so).await?;
    Ok(())
}

/// Waits until the account's only invoice stands so.
pub(crate) async fn is_invoice(
    server: &Server,
    account: &Value,
    expected: Value,
) -> anyhow::Result<Value> {
    let query = format!(
        "{{ invoices(filter: {{ accountId: {account} }}, first: 2) {{ nodes {{ id status \
         overdueLevel dueOn total balanceDue }} }} }}"
    );
    let is_so = |answer: &Value| {
        let invoice = &answer["invoices"]["nodes"][0];
        let mut fields = expected.as_object().into_iter().flatten();
        fields.all(|(name, value)| invoice[name] == *value)
    };
    let answer = server.until(&query, is_so).await?;
    Ok(answer["invoices"]["nodes"][0].clone())
}

pub(crate) async fn pay(
    server: &Server,
    number: u128,
    account: &Value,
    amount: &Value,
) -> anyhow::Result<Value> {
    let payment = json!({
        "commandId": command_id(number), "accountId": account, "amount": amount,
        "currency": "EUR", "method": "BANK_TRANSFER", "reference": "at last",
    });
    Ok(mutate(server, "recordPayment", "id", payment).await?["id"].clone())
}

/// Whether a call to the number is answered; the count of all calls so far.
pub(crate) async fn rings(server: &Server, number: &str, count: usize) -> anyhow::Result<bool> {
    let phone = caller(server, "4930501").await?;
    let out = dial(&phone, number).await?;
    let is_answered = out.wait_answered(PATIENCE).await.is_ok();
    if is_answered {
        out.hang_up().await?;
    }
    let record = records(server, count).await?.remove(count - 1);
    let (reason, status) = match is_answered {
        true => (json!("HANGUP"), json!(200)),
        false => (json!("ACCOUNT_SUSPENDED"), json!(403)),
    };
    ensure!(record["endReason"] == reason, "{record}");
    ensure!(is_answered || record["sipStatus"] == status, "{record}");
    Ok(is_answered)
}

/// Every step of dunning that is on the record, with whether it suspends.
async fn steps(setup: &Setup) -> anyhow::Result<Vec<(u32, bool)>> {
    let mut steps = vec![];
    for recorded in events(setup).await? {
        if let AnyEvent::Billing(Event::Invoice(
            _,
            invoice::Event::Overdue {
                level, suspends, ..
            },
        )) = &understand(recorded)?.fact.event
        {
            steps.push((*level, *suspends));
        }
    }
    Ok(steps)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_pay_is_reminded_then_suspended_and_comes_back_by_paying() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    set(&clock, 0)?;
    let mut setup = Setup::new(folder.path(), QUEUE);
    setup.environment = machine::clock_of(&clock)?;
    let server = Server::start(&setup).await?;
    let rules = json!({"dueDays": 14, "reminderDays": [7, 10], "suspendDays": 14});
    sell(&server, rules).await?;
    let plan = plan(&server).await?;
    let anna = account(&server, 10, &plan, &["+4930111"]).await?;
    let input = json!({"commandId": command_id(20), "period": "2026-10"});
    mutate_run(&server, input).await?;
    let issued = json!({"status": "ISSUED", "overdueLevel": 0, "dueOn": "2026-11-28"});
    let invoice = is_invoice(&server, &anna, issued.clone()).await?;
    let total = &invoice["total"];
    server.stop().await?;

    // On the last day it is still paid in time.
    for (day, level, status, account) in [
        (14, 0, "ISSUED", "ACTIVE"),
        (15, 1, "OVERDUE", "ACTIVE"),
        (22, 2, "OVERDUE", "ACTIVE"),
        (25, 3, "OVERDUE", "ACTIVE"),
        (29, 4, "OVERDUE", "SUSPENDED"),
    ] {
        set(&clock, day)?;
        let server = Server::start(&setup).await?;
        let at_level = json!({"status": status, "overdueLevel": level});
        is_invoice(&server, &anna, at_level)
            .await
            .with_context(|| format!("after {day} days"))?;
        let overdue = if level == 0 { &json!("0") } else { total };
        let expected = json!({"status": account, "overdue": overdue, "owed": total});
        stands(&server, &anna, expected).await?;
        server.stop().await?;
    }
    let expected = [(1, false), (2, false), (3, false), (4, true)];
    ensure!(
        steps(&setup).await? == expected,
        "{:?}",
        steps(&setup).await?
    );

    // Long after that nothing more is said. A part is not enough; the rest is.
    set(&clock, 200)?;
    let server = Server::start(&setup).await?;
    ensure!(!rings(&server, "+4930111", 1).await?, "a call is answered");
    pay(&server, 30, &anna, &json!("1")).await?;
    // Of 71.40, two fees of 30 with 19 %.
    let part = json!({"status": "OVERDUE", "overdueLevel": 4, "balanceDue": "70.4"});
    let left = is_invoice(&server, &anna, part).await?;
    stands(&server, &anna, json!({"status": "SUSPENDED"})).await?;
    let payment = pay(&server, 31, &anna, &left["balanceDue"]).await?;
    stands(
        &server,
        &anna,
        json!({"status": "ACTIVE", "overdue": "0", "owed": "0"}),
    )
    .await?;
    is_invoice(&server, &anna, json!({"status": "PAID", "balanceDue": "0"})).await?;
    ensure!(rings(&server, "+4930111", 2).await?, "no call is answered");

    // The bank takes the payment back: it is overdue and suspended as before.
    let reverse = json!({
        "commandId": command_id(32), "accountId": anna, "paymentId": payment, "reason": "bounced",
    });
    mutate(&server, "reversePayment", "id", reverse).await?;
    let owed = json!({
        "owed": left["balanceDue"], "overdue": left["balanceDue"], "status": "SUSPENDED",
    });
    stands(&server, &anna, owed).await?;
    is_invoice(&server, &anna, json!({"status": "OVERDUE"})).await?;
    server.stop().await
}

pub(crate) async fn mutate_run(server: &Server, input: Value) -> anyhow::Result<()> {
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { finished \
                 failed { reason } } }";
    let ran = server.graphql(order, json!({ "input": input })).await?;
    let expected = json!({"finished": true, "failed": []});
    ensure!(ran["runInvoices"] == expected, "{ran}");
    Ok(())
}

pub(crate) async fn use_up(server: &Server, number: u128, account: &Value) -> anyhow::Result<()> {
    let used = json!({
        "commandId": command_id(number), "accountId": account, "key": format!("use-{number}"),
        "usageType": "CUSTOM", "quantity": "2", "at": "2026-11-10T12:00:00Z",
        "description": "seats",
    });
    mutate(server, "recordUsage", "id", used).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_uses_more_than_the_limit_is_suspended_and_comes_back_by_paying() -> anyhow::Result<()>
{
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), QUEUE)).await?;
    sell(&server, json!({"emergencyNumbers": ["112"]})).await?;
    let plan = plan(&server).await?;
    let anna = account(&server, 10, &plan, &["+4930111", "112"]).await?;
    let bert = account(&server, 20, &plan, &["+4930222"]).await?;
    let limit = json!({"commandId": command_id(30), "accountId": anna, "limit": "10"});
    mutate(&server, "setCreditLimit", "id", limit).await?;
    // Two at 2.50 are 5, and 5.95 with the tax that counts against the limit and is not in
    // the balance: the second one is beyond it.
    use_up(&server, 31, &anna).await?;
    stands(&server, &anna, json!({"status": "ACTIVE", "balance": "-5"})).await?;
    ensure!(rings(&server, "+4930111", 1).await?, "within the limit");
    use_up(&server, 32, &anna).await?;
    stands(&server, &anna, json!({"status": "SUSPENDED"})).await?;
    ensure!(!rings(&server, "+4930111", 2).await?, "beyond the limit");
    // Nobody else is stopped, and nobody who calls for help.
    ensure!(rings(&server, "+4930222", 3).await?, "another account");
    stands(&server, &bert, json!({"status": "ACTIVE"})).await?;
    ensure!(rings(&server, "112", 4).await?, "an emergency");
    // What is paid ahead counts at once.
    pay(&server, 33, &anna, &json!("5")).await?;
    stands(&server, &anna, json!({"status": "ACTIVE"})).await?;
    ensure!(
        rings(&server, "+4930111", 5).await?,
        "paid, within the limit"
    );
    // A higher limit lets it use more, a lower one stops it.
    for (number, limit, status) in [(34, "1", "SUSPENDED"), (35, "100", "ACTIVE")] {
        let limit = json!({"commandId": command_id(number), "accountId": anna, "limit": limit});
        mutate(&server, "setCreditLimit", "id", limit).await?;
        stands(&server, &anna, json!({"status": status})).await?;
    }
    server.stop().await
}
