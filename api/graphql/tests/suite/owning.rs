//! What comes to a number is paid by one account, and of two people who change the same
//! thing the second is told.

use crate::world::World;
use serde_json::{Value, json};

const DONE: &str = "id position userErrors { code message field }";

fn account(name: &str, number: &str) -> Value {
    json!({
        "name": name, "currency": "EUR", "timeZone": "Europe/Berlin", "country": "DE",
        "callingCode": "49", "paymentMode": "POSTPAID", "numbers": [{"number": number}],
    })
}

/// Another profile of an account.
fn profile(account: &Value, numbers: Value) -> Value {
    json!({
        "accountId": account, "country": "DE", "callingCode": "49",
        "paymentMode": "POSTPAID", "numbers": numbers,
    })
}

#[tokio::test]
async fn a_number_belongs_to_one_account_until_it_is_given_away() {
    let world = World::start().await;
    let anna = world
        .order("createAccount", account("anna", "+4930111"), DONE)
        .await;
    assert_eq!(anna["userErrors"], json!([]));
    // However it is written.
    let head = world.head();
    let bert = world
        .order("createAccount", account("bert", "004930111"), DONE)
        .await;
    let mine = world
        .order("createAccount", account("bert", "4930111"), DONE)
        .await;
    for refused in [&bert, &mine] {
        let error = &refused["userErrors"][0];
        assert_eq!(
            (&error["code"], &error["field"]),
            (&json!("input.owned_by_another"), &json!("numbers")),
            "{refused}"
        );
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains("4930111") && message.contains("anna"),
            "{message}"
        );
    }
    assert_eq!(world.head(), head, "something was done");
    // Whoever has it may say so again, and give it away.
    let again = json!([{"number": "+4930111"}, {"number": "+4930222"}]);
    for numbers in [again, json!([])] {
        let kept = world
            .order("configureAccount", profile(&anna["id"], numbers), DONE)
            .await;
        assert_eq!(kept["userErrors"], json!([]));
    }
    let bert = world
        .order("createAccount", account("bert", "+4930111"), DONE)
        .await;
    assert_eq!(bert["userErrors"], json!([]));
    // What is closed has nothing any more.
    let close = json!({"accountId": bert["id"]});
    let closed = world.order("closeAccount", close, DONE).await;
    assert_eq!(closed["userErrors"], json!([]));
    let cora = world
        .order("createAccount", account("cora", "+4930111"), DONE)
        .await;
    assert_eq!(cora["userErrors"], json!([]));
}

#[tokio::test]
async fn of_two_accounts_that_want_a_number_at_once_one_gets_it() {
    let world = World::start().await;
    let wanted = ["anna", "bert", "cora", "dora"]
        .map(|name| world.order("createAccount", account(name, "+4930111"), DONE));
    let told = futures_util::future::join_all(wanted).await;
    let have = told
        .iter()
        .filter(|told| told["userErrors"] == json!([]))
        .count();
    assert_eq!(have, 1, "{told:#?}");
}

#[tokio::test]
async fn whoever_has_not_seen_the_last_change_is_told_and_nothing_is_done() {
    let world = World::start().await;
    let made = world
        .order("createAccount", account("anna", "+4930111"), DONE)
        .await;
    let mut change = profile(&made["id"], json!([]));
    change["expectedRevision"] = json!(1);
    let changed = world.order("configureAccount", change.clone(), DONE).await;
    assert_eq!(changed["userErrors"], json!([]));
    change["callingCode"] = json!("43");
    let late = world.order("configureAccount", change, DONE).await;
    assert_eq!(late["userErrors"][0]["code"], "account.changed_meanwhile");
    assert_eq!(late["userErrors"][0]["field"], "expectedRevision");
    let query = format!(
        "{{ account(id: {}, minPosition: \"{}\") {{ revision }} }}",
        made["id"],
        world.head()
    );
    assert_eq!(world.data(&query).await["account"]["revision"], 2);
}

/// A clerk enters a transfer that another one has entered already.
#[tokio::test]
async fn whoever_has_not_seen_the_ledger_enters_no_payment_twice() {
    let world = World::start().await;
    let made = world
        .order("createAccount", account("anna", "+4930111"), DONE)
        .await;
    let read = async || {
        let query = format!(
            "{{ account(id: {}, minPosition: \"{}\") {{ ledgerRevision credit }} }}",
            made["id"],
            world.head()
        );
        world.data(&query).await["account"].clone()
    };
    let seen = read().await;
    assert_eq!(seen, json!({"ledgerRevision": 0, "credit": "0"}));
    let payment = json!({
        "accountId": made["id"], "amount": "50", "currency": "EUR", "method": "BANK_TRANSFER",
        "reference": "rent", "expectedLedgerRevision": 0,
    });
    let entered = world.order("recordPayment", payment.clone(), DONE).await;
    assert_eq!(entered["userErrors"], json!([]));
    let late = world.order("recordPayment", payment, DONE).await;
    assert_eq!(late["userErrors"][0]["code"], "account.ledger_changed");
    assert_eq!(late["userErrors"][0]["field"], "expectedLedgerRevision");
    assert_eq!(read().await, json!({"ledgerRevision": 1, "credit": "50"}));
    let limit = json!({"accountId": made["id"], "limit": "5", "expectedLedgerRevision": 0});
    let late = world.order("setCreditLimit", limit, DONE).await;
    assert_eq!(late["userErrors"][0]["code"], "account.ledger_changed");
}
