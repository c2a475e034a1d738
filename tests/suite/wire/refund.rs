//! Credit is paid out: once, never more than is free of it, and it is in the ledger and on
//! the statement.

use crate::dunning::{QUEUE, account, pay, plan, stands, use_up};
use crate::support::{Wrong, command_id, is_refused, mutate, sell};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const NOBODY: &str = "018f3b5c-0000-7000-8000-000000000000";

fn order(account: &Value, amount: &str) -> Value {
    json!({
        "accountId": account, "amount": amount, "currency": "EUR", "method": "BANK_TRANSFER",
        "reference": "REF-1",
    })
}

/// Gives the order; the credit that is left.
async fn refund(server: &Server, number: u128, mut input: Value) -> anyhow::Result<(Value, Value)> {
    input["commandId"] = json!(command_id(number));
    let told = mutate(server, "refundCredit", "id account { credit }", input).await?;
    Ok((told["id"].clone(), told["account"]["credit"].clone()))
}

/// What is no refund is refused with its field.
async fn is_checked(server: &Server, account: &Value) -> anyhow::Result<()> {
    let with = |name: &str, value: &str| {
        let mut input = order(account, "1");
        input[name] = json!(value);
        input
    };
    let wrong = [
        (
            order(account, "30.01"),
            "account.refund_too_large",
            "amount",
            "more than 30,",
        ),
        (
            order(account, "0"),
            "account.invalid_amount",
            "amount",
            "not more than 0",
        ),
        (
            order(account, "-1"),
            "account.invalid_amount",
            "amount",
            "not more than 0",
        ),
        (
            order(account, "0.001"),
            "account.invalid_amount",
            "amount",
            "smallest coin",
        ),
        (
            with("currency", "USD"),
            "account.other_currency",
            "currency",
            "in EUR",
        ),
        (
            with("currency", "money"),
            "input.invalid_value",
            "currency",
            "",
        ),
        (
            with("reference", " "),
            "account.no_reference",
            "reference",
            "empty",
        ),
        (
            with("accountId", NOBODY),
            "account.unknown",
            "accountId",
            "no such account",
        ),
    ];
    for (number, (input, code, field, says)) in (60..).zip(wrong) {
        let wrong: Wrong = ("refundCredit", input, code, field, says);
        is_refused(server, number, wrong).await?;
    }
    Ok(())
}

/// Credit was paid out, and the payment that it came from is taken back: that is owed beside
/// all invoices until it is given up.
async fn is_given_up(server: &Server, plan: &Value) -> anyhow::Result<()> {
    let carl = account(server, 40, plan, &["+4930333"]).await?;
    let payment = pay(server, 42, &carl, &json!("30")).await?;
    refund(server, 43, order(&carl, "30")).await?;
    let reverse =
        |reason: &str| json!({ "accountId": carl, "paymentId": payment, "reason": reason });
    let wrong: Wrong = (
        "reversePayment",
        reverse(" "),
        "account.no_reason",
        "reason",
        "is empty",
    );
    is_refused(server, 44, wrong).await?;
    let mut bounced = reverse("bounced");
    bounced["commandId"] = json!(command_id(45));
    mutate(server, "reversePayment", "id", bounced).await?;
    let owes = json!({"owed": "30", "overdue": "30", "balance": "-30"});
    stands(server, &carl, owes).await?;
    let give_up = json!({
        "commandId": command_id(46), "accountId": carl, "reason": "insolvent",
    });
    mutate(server, "writeOffDebit", "id", give_up).await?;
    let even = json!({"owed": "0", "overdue": "0", "balance": "0"});
    stands(server, &carl, even).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_is_paid_out_once_and_only_what_is_free_of_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(&Setup::new(folder.path(), QUEUE)).await?;
    sell(&server, json!({})).await?;
    let plan = plan(&server).await?;
    let anna = account(&server, 10, &plan, &["+4930111"]).await?;
    pay(&server, 30, &anna, &json!("50")).await?;
    let (first, left) = refund(&server, 31, order(&anna, "20")).await?;
    ensure!(left == "30", "{left}");
    // The same order again is the same refund.
    let (again, left) = refund(&server, 31, order(&anna, "20")).await?;
    ensure!(again == first && left == "30", "{again}: {left}");
    is_checked(&server, &anna).await?;
    let query =
        format!("{{ account(id: {anna}) {{ ledger {{ kind reference amount balance }} }} }}");
    let ledger = server.graphql(&query, json!({})).await?["account"]["ledger"].clone();
    let entry = json!({
        "kind": {"refund": first}, "reference": "REF-1", "amount": "-20", "balance": "30",
    });
    ensure!(ledger.as_array().context("entries")?.len() == 2, "{ledger}");
    ensure!(ledger[1] == entry, "{ledger}");
    let path = format!(
        "/documents/accounts/{}/statement.html",
        anna.as_str().context("an id")?
    );
    let (status, html) = server.get(&path).await?;
    ensure!(status == 200, "{status}");
    for says in ["Refund REF-1", "20.00", "30.00"] {
        ensure!(html.contains(says), "{says}: {html}");
    }

    // Who pays ahead has used 5 with 19 %.
    let limit = json!({"commandId": command_id(32), "accountId": anna, "limit": "0"});
    mutate(&server, "setCreditLimit", "id", limit).await?;
    use_up(&server, 33, &anna).await?;
    let input = order(&anna, "24.06");
    let says = "more than 24.05,";
    let wrong: Wrong = (
        "refundCredit",
        input,
        "account.refund_too_large",
        "amount",
        says,
    );
    is_refused(&server, 34, wrong).await?;
    let (_, left) = refund(&server, 35, order(&anna, "24.05")).await?;
    ensure!(left == "5.95", "{left}");
    // It is still enough for what was used.
    stands(&server, &anna, json!({"status": "ACTIVE", "owed": "0"})).await?;

    // Who gets everything back can go.
    let bert = account(&server, 20, &plan, &["+4930222"]).await?;
    pay(&server, 36, &bert, &json!("7.5")).await?;
    refund(&server, 37, order(&bert, "7.5")).await?;
    let close = json!({"commandId": command_id(38), "accountId": bert});
    let closed = mutate(&server, "closeAccount", "id account { status }", close).await?;
    ensure!(closed["account"]["status"] == "CLOSED", "{closed}");
    is_given_up(&server, &plan).await?;
    server.stop().await
}
