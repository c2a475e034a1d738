//! A person suspends an account, lets it come back, gives up what it owes and closes
//! it; what is wrong is refused with its field, and the ledger says what happened.

use crate::dunning::{QUEUE, account, is_invoice, mutate_run, pay, plan, rings, set, stands};
use crate::support::{Wrong, command_id, is_refused, mutate, sell};
use anyhow::{Context as _, ensure};
use domain::money::Decimal;
use ringledger_tests::{
    machine,
    server::{Server, Setup},
};
use serde_json::{Value, json};

const NOBODY: &str = "018f3b5c-0000-7000-8000-000000000000";

/// Gives the order; the account is then of that status.
async fn order(
    server: &Server,
    (number, name): (u128, &str),
    account: &Value,
    status: &str,
) -> anyhow::Result<()> {
    let input = json!({"commandId": command_id(number), "accountId": account});
    let payload = mutate(server, name, "id account { status }", input).await?;
    ensure!(payload["account"]["status"] == status, "{name}: {payload}");
    Ok(())
}

async fn write_off(server: &Server, number: u128, invoice: &Value) -> anyhow::Result<()> {
    let input = json!({
        "commandId": command_id(number), "invoiceId": invoice, "reason": "insolvent",
    });
    mutate(server, "writeOffInvoice", "id", input).await?;
    let query = format!("{{ invoice(id: {invoice}) {{ status }} }}");
    let is_so = |answer: &Value| answer["invoice"]["status"] == "WRITTEN_OFF";
    server.until(&query, is_so).await?;
    Ok(())
}

/// Kind, reference and amount of each entry of the ledger; each balance is the sum of
/// what is before.
async fn ledger(server: &Server, account: &Value) -> anyhow::Result<Vec<(String, String, String)>> {
    let query =
        format!("{{ account(id: {account}) {{ ledger {{ at kind reference amount balance }} }} }}");
    let answer = server.graphql(&query, json!({})).await?;
    let mut sum = Decimal::ZERO;
    let mut entries = vec![];
    let text = |entry: &Value, name: &str| {
        let text = entry[name].as_str().map(str::to_owned);
        text.with_context(|| format!("{name} of {entry}"))
    };
    for entry in answer["account"]["ledger"].as_array().context("entries")? {
        sum = sum + text(entry, "amount")?.parse()?;
        ensure!(
            text(entry, "balance")?.parse::<Decimal>()? == sum,
            "{entry}"
        );
        let kind = entry["kind"]
            .as_object()
            .and_then(|kind| kind.keys().next());
        let kind = kind.context("a kind")?.clone();
        entries.push((kind, text(entry, "reference")?, text(entry, "amount")?));
    }
    Ok(entries)
}

/// Plans are found by id; of none there is null.
async fn is_found(server: &Server, plan: &Value) -> anyhow::Result<()> {
    let query = "query Q($id: ID!) { ratePlan(id: $id) { id name revision config } }";
    let this = format!("{{ ratePlan(id: {plan}) {{ id name revision config }} }}");
    let is_seen = |answer: &Value| !answer["ratePlan"].is_null();
    let found = server.until(&this, is_seen).await?["ratePlan"].clone();
    ensure!(found["id"] == *plan && found["name"] == "plan", "{found}");
    ensure!(found["revision"] == 1, "{found}");
    ensure!(found["config"]["currency"] == "EUR", "{found}");
    let fee = found["config"]["recurring_fee"].clone();
    ensure!(fee == "30", "{found}");
    let none = server.graphql(query, json!({ "id": NOBODY })).await?;
    ensure!(none["ratePlan"].is_null(), "{none}");
    let wrong = server.graphql(query, json!({ "id": "plan" })).await;
    let error = wrong.err().context("that is no id")?.to_string();
    ensure!(error.contains("no id of a plan"), "{error}");
    Ok(())
}

/// Nothing is done to what is not there.
async fn nothing_is_there(server: &Server) -> anyhow::Result<()> {
    for (number, name) in (40..).zip(["suspendAccount", "reactivateAccount", "closeAccount"]) {
        let input = json!({ "accountId": NOBODY });
        let wrong: Wrong = (
            name,
            input,
            "account.unknown",
            "accountId",
            "no such account",
        );
        is_refused(server, number, wrong).await?;
    }
    let input = json!({"invoiceId": NOBODY, "reason": "insolvent"});
    let says = "no such invoice";
    let wrong: Wrong = (
        "writeOffInvoice",
        input,
        "invoice.unknown",
        "invoiceId",
        says,
    );
    is_refused(server, 43, wrong).await
}

/// What is paid can not be given up.
async fn what_is_paid_is_not_given_up(server: &Server, plan: &Value) -> anyhow::Result<()> {
    let bert = account(server, 20, plan, &["+4930222"]).await?;
    let month = json!({"commandId": command_id(61), "period": "2026-10"});
    mutate_run(server, month).await?;
    let owed = is_invoice(server, &bert, json!({"balanceDue": "71.4"})).await?;
    pay(server, 62, &bert, &json!("71.4")).await?;
    is_invoice(server, &bert, json!({"status": "PAID"})).await?;
    let input = json!({"invoiceId": owed["id"], "reason": "insolvent"});
    let says = "nothing is left";
    let paid: Wrong = (
        "writeOffInvoice",
        input,
        "invoice.nothing_left",
        "invoiceId",
        says,
    );
    is_refused(server, 63, paid).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_suspended_given_up_and_closed_by_hand() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    set(&clock, 0)?;
    let mut setup = Setup::new(folder.path(), QUEUE);
    setup.environment = machine::clock_of(&clock)?;
    let server = Server::start(&setup).await?;
    sell(&server, json!({})).await?;
    let plan = plan(&server).await?;
    is_found(&server, &plan).await?;
    nothing_is_there(&server).await?;
    let anna = account(&server, 10, &plan, &["+4930111"]).await?;
    ensure!(rings(&server, "+4930111", 1).await?, "it is active");
    // Once more changes nothing.
    for number in [50, 51] {
        order(&server, (number, "suspendAccount"), &anna, "SUSPENDED").await?;
    }
    ensure!(!rings(&server, "+4930111", 2).await?, "it is suspended");
    // Paying does not undo what a person said.
    pay(&server, 52, &anna, &json!("1")).await?;
    stands(&server, &anna, json!({"status": "SUSPENDED"})).await?;
    for number in [53, 54] {
        order(&server, (number, "reactivateAccount"), &anna, "ACTIVE").await?;
    }
    ensure!(rings(&server, "+4930111", 3).await?, "it is active again");

    // It has credit, then it owes: it can not be closed.
    let close = |says| -> Wrong {
        let input = json!({ "accountId": anna });
        ("closeAccount", input, "account.not_even", "accountId", says)
    };
    is_refused(&server, 55, close("credit")).await?;
    let month = json!({"commandId": command_id(56), "period": "2026-10"});
    mutate_run(&server, month).await?;
    // Two fees of 30 with 19 %, less the credit.
    let part = json!({"status": "PARTIALLY_PAID", "total": "71.4", "balanceDue": "70.4"});
    let invoice = is_invoice(&server, &anna, part).await?["id"].clone();
    is_refused(&server, 57, close("owes")).await?;
    let input = json!({"invoiceId": invoice, "reason": " "});
    let why: Wrong = (
        "writeOffInvoice",
        input,
        "invoice.no_reason",
        "reason",
        "empty",
    );
    is_refused(&server, 58, why).await?;
    for number in [59, 60] {
        write_off(&server, number, &invoice).await?;
    }
    stands(&server, &anna, json!({"owed": "0", "status": "ACTIVE"})).await?;
    let expected = [
        ("payment", "at last", "1"),
        ("invoice", "INV-00000001", "-71.4"),
        ("write_off", "insolvent", "70.4"),
    ];
    let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    let said = ledger(&server, &anna).await?;
    ensure!(said == expected, "{said:?}");

    what_is_paid_is_not_given_up(&server, &plan).await?;
    // It is over, and nothing brings it back.
    for number in [64, 65] {
        order(&server, (number, "closeAccount"), &anna, "CLOSED").await?;
    }
    for (number, name) in [(66, "suspendAccount"), (67, "reactivateAccount")] {
        let input = json!({ "accountId": anna });
        let wrong: Wrong = (name, input, "account.closed", "accountId", "closed");
        is_refused(&server, number, wrong).await?;
    }
    stands(&server, &anna, json!({"status": "CLOSED", "owed": "0"})).await?;
    server.stop().await
}
