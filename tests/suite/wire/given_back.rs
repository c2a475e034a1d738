//! Payments that bounce, credit notes and write-offs of the same invoices, one after the
//! other: the account and each of its invoices say the same, and a cent is owed once.

use crate::support::{command_id, mutate, sell};
use anyhow::{Context as _, ensure};
use ringledger_tests::{
    machine,
    server::{Server, Setup},
};
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

/// Noon in UTC of the 14th of December: two months can be invoiced, nothing is overdue.
const DECEMBER_14_S: u64 = 1_797_249_600;

/// Invoices the month of the one account.
pub(super) async fn run(server: &Server, number: u128, period: &str) -> anyhow::Result<()> {
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { finished \
                 drafted failed { reason } } }";
    let input = json!({"commandId": command_id(number), "period": period});
    let ran = server.graphql(order, json!({ "input": input })).await?;
    let expected = json!({"finished": true, "drafted": 1, "failed": []});
    ensure!(ran["runInvoices"] == expected, "{ran}");
    Ok(())
}

/// A server in December, with a seller of these rules and an account that pays a fee of 30
/// from October on.
pub(super) async fn in_december(folder: &Path, rules: Value) -> anyhow::Result<(Server, Value)> {
    let clock = folder.join("clock");
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let off = i64::try_from(DECEMBER_14_S)? - i64::try_from(now)?;
    std::fs::write(&clock, off.to_ne_bytes())?;
    let mut setup = Setup::new(folder, "");
    setup.environment = machine::clock_of(&clock)?;
    let server = Server::start(&setup).await?;
    sell(&server, rules).await?;
    let plan = json!({
        "commandId": command_id(2), "name": "plan", "currency": "EUR", "cycle": "MONTHLY",
        "recurringFee": "30", "terms": [],
    });
    let plan = mutate(&server, "createRatePlan", "id", plan).await?["id"].clone();
    let account = json!({
        "commandId": command_id(3), "name": "anna", "currency": "EUR", "timeZone": "UTC",
        "country": "DE", "callingCode": "49", "paymentMode": "POSTPAID", "numbers": [],
    });
    let account = mutate(&server, "createAccount", "id", account).await?["id"].clone();
    let subscription = json!({
        "commandId": command_id(4), "accountId": account, "planId": plan,
        "effective": "2026-10-01",
    });
    mutate(&server, "subscribeAccount", "id", subscription).await?;
    Ok((server, account))
}

/// Somebody who pays, or does not.
struct Customer {
    server: Server,
    account: Value,
}

impl Customer {
    async fn pays(&self, number: u128, amount: &str, invoice: &Value) -> anyhow::Result<Value> {
        let payment = json!({
            "commandId": command_id(number), "accountId": self.account, "amount": amount,
            "currency": "EUR", "method": "BANK_TRANSFER", "reference": "paid",
            "invoiceId": invoice,
        });
        Ok(mutate(&self.server, "recordPayment", "id", payment).await?["id"].clone())
    }

    async fn bounces(&self, number: u128, payment: &Value) -> anyhow::Result<()> {
        let reverse = json!({
            "commandId": command_id(number), "accountId": self.account, "paymentId": payment,
            "reason": "bounced",
        });
        mutate(&self.server, "reversePayment", "id", reverse).await?;
        Ok(())
    }

    async fn is_given_up(&self, number: u128, invoice: &Value) -> anyhow::Result<()> {
        let input = json!({
            "commandId": command_id(number), "invoiceId": invoice, "reason": "insolvent",
        });
        mutate(&self.server, "writeOffInvoice", "id", input).await?;
        Ok(())
    }

    /// Waits until the two invoices have so much left, stand so, and the account owes it.
    async fn until(
        &self,
        october: (&str, &str),
        november: (&str, &str),
        owed: &str,
    ) -> anyhow::Result<[Value; 2]> {
        let (server, account) = (&self.server, &self.account);
        let query = format!(
            "{{ account(id: {account}) {{ owed balance }} \
         october: invoices(filter: {{ accountId: {account}, period: \"2026-10\" }}, first: 1) \
         {{ nodes {{ id status balanceDue }} }} \
         november: invoices(filter: {{ accountId: {account}, period: \"2026-11\" }}, first: 1) \
         {{ nodes {{ id status balanceDue }} }} }}"
        );
        let balance = if owed == "0" {
            "0".into()
        } else {
            format!("-{owed}")
        };
        let is_so = |answer: &Value| {
            let is = |month: &str, (status, left): (&str, &str)| {
                let invoice = &answer[month]["nodes"][0];
                invoice["status"] == status && invoice["balanceDue"] == left
            };
            is("october", october)
                && is("november", november)
                && answer["account"] == json!({"owed": owed, "balance": balance})
        };
        let answer = server.until(&query, is_so).await?;
        Ok(["october", "november"].map(|month| answer[month]["nodes"][0]["id"].clone()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_and_its_invoices_agree_on_what_bounces_is_credited_and_given_up()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (server, account) = in_december(folder.path(), json!({"dueDays": 14})).await?;
    // A fee is billed ahead: the first invoice has two of them, with 19 %.
    run(&server, 5, "2026-10").await?;
    run(&server, 6, "2026-11").await?;
    let anna = Customer { server, account };
    let (all, fee) = (("ISSUED", "71.4"), ("ISSUED", "35.7"));
    let [october, november] = anna.until(all, fee, "107.1").await?;
    let (paid, given_up) = (("PAID", "0"), ("WRITTEN_OFF", "0"));

    let whole = anna.pays(10, "71.4", &october).await?;
    anna.until(paid, fee, "35.7").await?;
    // What a credit note gives back of a paid invoice pays the one that is open.
    let credit = json!({
        "commandId": command_id(11), "invoiceId": october, "amount": "11.9",
        "reason": "wrong plan",
    });
    mutate(&anna.server, "issueCreditNote", "id", credit).await?;
    anna.until(paid, ("PARTIALLY_PAID", "23.8"), "23.8").await?;
    // Nothing was paid after all: each owes its own, less the credit note.
    anna.bounces(12, &whole).await?;
    anna.until(("ISSUED", "59.5"), fee, "95.2").await?;

    anna.is_given_up(13, &october).await?;
    anna.until(given_up, fee, "35.7").await?;
    let part = anna.pays(14, "10", &november).await?;
    anna.until(given_up, ("PARTIALLY_PAID", "25.7"), "25.7")
        .await?;
    anna.is_given_up(15, &november).await?;
    anna.until(given_up, given_up, "0").await?;
    // That part was not given up, because it was paid: now it is owed, and can be given up.
    anna.bounces(16, &part).await?;
    anna.until(given_up, ("ISSUED", "10"), "10").await?;
    anna.is_given_up(17, &november).await?;
    anna.until(given_up, given_up, "0").await?;
    anna.server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn months_that_are_invoiced_at_once_bill_each_fee_once() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (server, account) = in_december(folder.path(), json!({})).await?;
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { finished \
                 failed { reason } } }";
    let months = ["2026-10", "2026-11"].map(|period| {
        let input = json!({"commandId": command_id(5), "period": period});
        server.graphql(order, json!({ "input": input }))
    });
    for ran in futures_util::future::try_join_all(months).await? {
        ensure!(ran["runInvoices"]["failed"] == json!([]), "{ran}");
    }
    // Three fees of 30 with 19 %: those of October, November and December.
    let query = format!("{{ account(id: {account}) {{ owed }} }}");
    let is_owed = |answer: &Value| answer["account"]["owed"] == "107.1";
    server.until(&query, is_owed).await?;
    server.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_closed_pays_for_its_days_and_no_further_fee() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (server, account) = in_december(folder.path(), json!({})).await?;
    run(&server, 5, "2026-10").await?;
    let query = format!("{{ account(id: {account}) {{ owed }} }}");
    server
        .until(&query, |answer| answer["account"]["owed"] == "71.4")
        .await?;
    let payment = json!({
        "commandId": command_id(6), "accountId": account, "amount": "71.4", "currency": "EUR",
        "method": "BANK_TRANSFER", "reference": "the last",
    });
    mutate(&server, "recordPayment", "id", payment).await?;
    let close = json!({"commandId": command_id(7), "accountId": account});
    mutate(&server, "closeAccount", "id", close).await?;
    // It lived for 14 of the 31 days of December, which were paid by nobody yet.
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { finished \
                 drafted nothing failed { reason } } }";
    for (number, period, drafted) in [(8, "2026-11", 1), (9, "2026-11", 0)] {
        let input = json!({"commandId": command_id(number), "period": period});
        let ran = server.graphql(order, json!({ "input": input })).await?;
        let expected = json!({"finished": true, "drafted": drafted, "nothing": 0, "failed": []});
        ensure!(ran["runInvoices"] == expected, "{ran}");
    }
    let query = "{ invoices(first: 9) { nodes { period net } } }";
    let invoices = server.graphql(query, json!({})).await?;
    let invoices = invoices["invoices"]["nodes"].as_array().context("a list")?;
    let last = invoices
        .iter()
        .find(|invoice| invoice["period"] == "2026-11");
    let last = last.context("of November")?;
    ensure!(last["net"] == "13.55", "{last}");
    server.stop().await
}
