//! An account changes its plan within a month, and a plan is changed before the month is
//! invoiced: what was used is settled by what was true when it was used.

use crate::support::{command_id, mutate, sell};
use crate::usage::{invoiced, owned};
use anyhow::ensure;
use ringledger_tests::{
    machine,
    server::{Server, Setup},
};
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// The 15th of October, at noon in UTC, where the accounts are.
const OCTOBER_15_S: i64 = 1_792_065_600;
/// The first of November at eight.
const NOVEMBER_1_S: i64 = OCTOBER_15_S + 16 * 86_400 + 20 * 3_600;

/// The server's clock shows that.
pub(crate) fn set(clock: &Path, shows_s: i64) -> anyhow::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let off = shows_s - i64::try_from(now)?;
    std::fs::write(clock, off.to_ne_bytes())?;
    Ok(())
}

/// A plan by the month, for conferences and other things.
async fn plan(server: &Server, number: u128, differs: Value) -> anyhow::Result<Value> {
    let mut plan = json!({
        "commandId": command_id(number), "currency": "EUR", "cycle": "MONTHLY",
    });
    for (key, value) in differs.as_object().into_iter().flatten() {
        plan[key] = value.clone();
    }
    Ok(mutate(server, "createRatePlan", "id", plan).await?["id"].clone())
}

fn conferences(rate: &str, included: &str) -> Value {
    json!({"usageType": "CONFERENCE", "price": {"flat": {"rate": rate}}, "included": included})
}

/// An account with the first plan from the first of October on and with the second, where
/// there is one, on the 31st.
async fn account(server: &Server, number: u128, plans: &[&Value]) -> anyhow::Result<Value> {
    let account = json!({
        "commandId": command_id(number), "name": format!("account-{number}"), "currency": "EUR",
        "timeZone": "UTC", "country": "DE", "callingCode": "49", "paymentMode": "POSTPAID",
    });
    let account = mutate(server, "createAccount", "id", account).await?["id"].clone();
    let days = ["2026-10-01", "2026-10-31"];
    for (number, (plan, day)) in (number + 1..).zip(plans.iter().zip(days)) {
        let subscription = json!({
            "commandId": command_id(number), "accountId": account, "planId": plan,
            "effective": day,
        });
        mutate(server, "subscribeAccount", "id", subscription).await?;
    }
    Ok(account)
}

async fn record(
    server: &Server,
    number: u128,
    account: &Value,
    (kind, quantity, at): (&str, &str, &str),
) -> anyhow::Result<()> {
    let used = json!({
        "commandId": command_id(number), "accountId": account, "key": format!("use-{number}"),
        "usageType": kind, "quantity": quantity, "at": at,
    });
    mutate(server, "recordUsage", "id", used).await?;
    Ok(())
}

/// What October comes to for each.
async fn are_settled(server: &Server, [anna, bert, carl, dora]: [&Value; 4]) -> anyhow::Result<()> {
    let (lines, _) = invoiced(server, 70, anna, "2026-10").await?;
    // 30 of 31 days include 967.75 minutes.
    let expected = [
        ("Conferences", "0", "0"),
        (
            "Conferences, included in the plan for 30 of 31 days",
            "900",
            "0",
        ),
        ("Recurring fee (30 of 31 days, 30 for 31)", "30", "29.03"),
    ];
    ensure!(lines == owned(&expected), "{lines:#?}");
    let (lines, _) = invoiced(server, 71, bert, "2026-10").await?;
    let expected = [
        ("Conferences", "900", "90"),
        ("Recurring fee (1 of 31 days, 30 for 31)", "1", "0.97"),
        ("Recurring fee (30 of 30 days)", "30", "30"),
    ];
    ensure!(lines == owned(&expected), "{lines:#?}");
    // 119 with tax, and not 141.61.
    let (lines, path) = invoiced(server, 72, carl, "2026-10").await?;
    let expected = [(
        "Other usage, at 1.19 each unit, priced with tax",
        "100",
        "100",
    )];
    ensure!(lines == owned(&expected), "{lines:#?}");
    let (_, page) = server.get(&format!("{path}.html")).await?;
    ensure!(page.contains(">119.00</td>"), "{page}");
    // 1,200 and 600 seconds less 600, at 0.10 a minute.
    let (lines, _) = invoiced(server, 73, dora, "2026-10").await?;
    let expected = [
        ("Conferences", "20", "2"),
        ("Conferences, included in the plan", "10", "0"),
    ];
    ensure!(lines == owned(&expected), "{lines:#?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_used_is_settled_by_the_plan_that_was_in_force_then() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    set(&clock, OCTOBER_15_S)?;
    let mut setup = Setup::new(folder.path(), "");
    setup.environment = machine::clock_of(&clock)?;
    let server = Server::start(&setup).await?;
    sell(&server, json!({})).await?;
    let large = json!({
        "name": "large", "recurringFee": "30", "terms": [conferences("0.20", "60000")],
    });
    let large = plan(&server, 2, large).await?;
    let small = json!({"name": "small", "terms": [conferences("0.10", "0")]});
    let small = plan(&server, 3, small).await?;
    let custom = json!({"usageType": "CUSTOM", "price": {"flat": {"rate": "1.19"}}});
    let private = json!({"name": "private", "taxInclusive": true, "terms": [custom]});
    let private = plan(&server, 4, private).await?;
    let moving = json!({"name": "moving", "terms": [conferences("0.10", "600")]});
    let moving = plan(&server, 5, moving).await?;
    let anna = account(&server, 10, &[&large, &small]).await?;
    let bert = account(&server, 20, &[&small, &large]).await?;
    let carl = account(&server, 30, &[&private, &small]).await?;
    let dora = account(&server, 40, &[&moving]).await?;
    // 900 minutes each.
    let minutes = ("CONFERENCE", "54000", "2026-10-14T12:00:00Z");
    record(&server, 50, &anna, minutes).await?;
    record(&server, 51, &bert, minutes).await?;
    let things = ("CUSTOM", "100", "2026-10-14T12:00:00Z");
    record(&server, 52, &carl, things).await?;
    let talk = ("CONFERENCE", "1200", "2026-10-14T12:00:00Z");
    record(&server, 53, &dora, talk).await?;
    server.stop().await?;

    set(&clock, NOVEMBER_1_S)?;
    let server = Server::start(&setup).await?;
    // From now on it is dear and includes nothing: of October nothing changes.
    let dear = json!({"name": "moving", "terms": [conferences("9", "0")]});
    plan(&server, 60, dear).await?;
    let late = ("CONFERENCE", "600", "2026-10-31T23:59:59Z");
    record(&server, 61, &dora, late).await?;
    are_settled(&server, [&anna, &bert, &carl, &dora]).await?;
    server.stop().await
}
