//! Whom to write to about invoices is personal: it stands on the account and on its
//! documents, in no event and no log, can be changed, and is gone with its subject.

use crate::support::{Wrong, command_id, files_with, has, is_refused, mutate, sell};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const CONTACT: &str = "Wilhelmine Zwirbelbart";
const EMAIL: &str = "w.zwirbelbart@example.org";
const STREET: &str = "Hinterhaus 7";
const LATER: &str = "Ottokar Backenbart";

fn profile(contact: Value) -> Value {
    json!({
        "country": "DE", "callingCode": "49", "paymentMode": "POSTPAID",
        "holder": ["Muster GmbH", "Vorderhaus 1", "10115 Berlin"], "billingContact": contact,
    })
}

fn with(mut input: Value, more: Value) -> Value {
    for (name, value) in more.as_object().into_iter().flatten() {
        input[name] = value.clone();
    }
    input
}

fn contact(name: &str) -> Value {
    json!({"name": name, "email": EMAIL, "address": [STREET, "20095 Hamburg"]})
}

/// What is known of the account, once that is so of it.
async fn known(
    server: &Server,
    account: &Value,
    is: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let query = format!(
        "{{ account(id: {account}) {{ holder billingContact {{ name email address }} }} }}"
    );
    let answer = server
        .until(&query, |answer| is(&answer["account"]))
        .await?;
    Ok(answer["account"].clone())
}

/// The invoice of August as HTML and JSON.
async fn documents(server: &Server, account: &Value) -> anyhow::Result<(String, Value)> {
    let query = format!(
        "{{ invoices(filter: {{ accountId: {account} }}, first: 1) {{ nodes {{ number \
         documentPath }} }} }}"
    );
    let is_issued = |answer: &Value| answer["invoices"]["nodes"][0]["number"].is_string();
    let issued = server.until(&query, is_issued).await?;
    let path = issued["invoices"]["nodes"][0]["documentPath"].clone();
    let path = path.as_str().context("a path")?;
    let (status, pdf) = server.bytes(&format!("{path}.pdf")).await?;
    ensure!(status == 200 && pdf.starts_with(b"%PDF"), "no PDF");
    let (_, html) = server.get(&format!("{path}.html")).await?;
    let (_, json) = server.get(&format!("{path}.json")).await?;
    Ok((html, serde_json::from_str(&json)?))
}

/// What is no contact is refused with its field.
async fn is_checked(server: &Server, made: &impl Fn(Value) -> Value) -> anyhow::Result<()> {
    let wrong: [(&str, Value, &str); 4] = [
        ("billingContact.name", json!({"name": " "}), "empty"),
        (
            "billingContact.email",
            json!({"name": "W", "email": "nowhere"}),
            "e-mail",
        ),
        (
            "billingContact.email",
            json!({"name": "W", "email": "a@b.c>\r\nBcc: x@y.z"}),
            "e-mail",
        ),
        (
            "billingContact.address",
            json!({"name": "W", "address": vec!["line"; 11]}),
            "10 lines",
        ),
    ];
    for (number, (field, contact, says)) in (3..).zip(wrong) {
        let wrong: Wrong = (
            "createAccount",
            made(contact),
            "input.invalid_value",
            field,
            says,
        );
        is_refused(server, number, wrong).await?;
    }
    Ok(())
}

/// After the subject is erased nobody is written to, in any document or file.
async fn is_forgotten(server: &Server, setup: &Setup, account: &Value) -> anyhow::Result<()> {
    let erasure = json!({
        "commandId": command_id(14), "number": "account:muster", "reason": "CONSENT_WITHDRAWN",
    });
    mutate(server, "eraseSubject", "subject { id state }", erasure).await?;
    let query = "{ subject(number: \"account:muster\") { state } }";
    server
        .until(query, |answer| answer["subject"]["state"] == "ERASED")
        .await?;
    let forgotten = json!({"holder": null, "billingContact": null});
    known(server, account, |told| *told == forgotten).await?;
    let (html, data) = documents(server, account).await?;
    for part in [CONTACT, LATER, EMAIL, STREET, "Vorderhaus 1"] {
        ensure!(!html.contains(part), "{part} is in {html}");
        let found = files_with(&setup.data(), part.as_bytes())?;
        ensure!(found.is_empty(), "{part} is in {found:?}");
    }
    ensure!(data["customer"].get("contact").is_none(), "{data:#}");
    // The amounts stay.
    ensure!(
        html.contains("INV-00000001") && html.contains("To be paid"),
        "{html}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_billing_contact_is_on_the_invoice_until_it_is_erased() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = Setup::new(folder.path(), "");
    let log = folder.path().join("log.txt");
    setup.log = Some(log.clone());
    setup.environment = vec![("RINGLEDGER__LOG__FILTER".into(), "trace".into())];
    let server = Server::start(&setup).await?;
    sell(&server, json!({})).await?;
    let plan = json!({
        "commandId": command_id(2), "name": "plan", "currency": "EUR", "cycle": "MONTHLY",
        "recurringFee": "10", "terms": [],
    });
    let plan = mutate(&server, "createRatePlan", "id", plan).await?["id"].clone();
    let name = json!({"name": "muster", "currency": "EUR", "timeZone": "UTC"});
    let made = |contact: Value| with(profile(contact), name.clone());
    is_checked(&server, &made).await?;
    let input = with(made(contact(CONTACT)), json!({"commandId": command_id(10)}));
    let account = mutate(&server, "createAccount", "id", input).await?["id"].clone();
    let first = contact(CONTACT);
    known(&server, &account, |told| told["billingContact"] == first).await?;
    let subscription = json!({
        "commandId": command_id(11), "accountId": account, "planId": plan,
        "effective": "2026-08-01",
    });
    mutate(&server, "subscribeAccount", "id", subscription).await?;
    let later = |contact: Value| with(profile(contact), json!({"accountId": account}));
    let input = with(later(contact(LATER)), json!({"commandId": command_id(12)}));
    mutate(&server, "configureAccount", "id", input).await?;
    let is_later = |told: &Value| told["billingContact"]["name"] == LATER;
    let told = known(&server, &account, is_later).await?;
    ensure!(told["holder"][0] == "Muster GmbH", "{told}");

    let input = json!({"commandId": command_id(13), "period": "2026-08"});
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { finished } }";
    let ran = server.graphql(order, json!({ "input": input })).await?;
    ensure!(ran["runInvoices"]["finished"] == true, "{ran}");
    let (html, data) = documents(&server, &account).await?;
    for part in [LATER, EMAIL, STREET, "Vorderhaus 1"] {
        ensure!(html.contains(part), "{part} is not in {html}");
    }
    ensure!(data["customer"]["contact"] == contact(LATER), "{data:#}");
    for part in [CONTACT, LATER, EMAIL, STREET] {
        let is_logged = has(&std::fs::read(&log)?, part.as_bytes());
        ensure!(!is_logged, "{part} is in the log");
        let found = files_with(&setup.data(), part.as_bytes())?;
        let is_view = |path: &String| path.contains("read.db");
        ensure!(found.iter().all(is_view), "{part} is in {found:?}");
    }

    is_forgotten(&server, &setup, &account).await?;
    server.stop().await
}
