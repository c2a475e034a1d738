//! Drafts that a person looks at: they are nobody's debt and can be changed until they are
//! approved, and no fee is billed twice while one of them waits.

use crate::{
    given_back::{in_december, run},
    support::{command_id, is_refused, mutate},
};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::Server;
use serde_json::{Value, json};

/// What a run says, for the month.
async fn ran(server: &Server, number: u128, period: &str) -> anyhow::Result<Value> {
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { finished \
                 drafted already failed { reason } } }";
    let input = json!({"commandId": command_id(number), "period": period});
    let answer = server.graphql(order, json!({ "input": input })).await?;
    Ok(answer["runInvoices"].clone())
}

/// The invoice of a month, once it stands so.
async fn until(
    server: &Server,
    account: &Value,
    period: &str,
    (status, total, owed): (&str, &str, &str),
) -> anyhow::Result<Value> {
    let query = format!(
        "{{ account(id: {account}) {{ owed }} \
         invoices(filter: {{ accountId: {account}, period: \"{period}\" }}, first: 2) \
         {{ nodes {{ id revision number status total lines {{ description amount }} }} }} }}"
    );
    let is_so = |answer: &Value| {
        let invoice = &answer["invoices"]["nodes"][0];
        invoice["status"] == status
            && invoice["total"] == total
            && answer["account"]["owed"] == owed
    };
    let answer = server.until(&query, is_so).await?;
    Ok(answer["invoices"]["nodes"][0].clone())
}

/// A plan of earlier days would not be billed, and a closed account would owe it.
async fn is_not_changed_by_a_later_word(server: &Server, account: &Value) -> anyhow::Result<()> {
    let plan = json!({"commandId": command_id(20), "name": "dearer", "currency": "EUR",
        "cycle": "MONTHLY", "recurringFee": "60", "terms": []});
    let plan = mutate(server, "createRatePlan", "id", plan).await?["id"].clone();
    let earlier = json!({"accountId": account, "planId": plan, "effective": "2026-10-15"});
    let code = "account.invoiced_already";
    let earlier = (
        "subscribeAccount",
        earlier,
        code,
        "effective",
        "being invoiced",
    );
    is_refused(server, 21, earlier).await?;
    let close = json!({"accountId": account});
    let close = (
        "closeAccount",
        close,
        "account.not_even",
        "accountId",
        "a draft",
    );
    is_refused(server, 22, close).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_that_waits_can_be_changed_and_is_owed_once_it_is_approved() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (server, account) = in_december(folder.path(), json!({"approvalRequired": true})).await?;
    run(&server, 5, "2026-10").await?;
    let draft = until(&server, &account, "2026-10", ("DRAFT", "71.4", "0")).await?;
    ensure!(draft["number"].is_null(), "{draft}");

    // It is drafted once, and what it bills in advance is not billed beside it.
    let again = ran(&server, 6, "2026-10").await?;
    let expected = json!({"finished": true, "drafted": 0, "already": 1, "failed": []});
    ensure!(again == expected, "{again}");
    let next = ran(&server, 7, "2026-11").await?;
    let reason = "its draft of 2026-10 waits to be approved";
    ensure!(next["failed"] == json!([{"reason": reason}]), "{next}");

    is_not_changed_by_a_later_word(&server, &account).await?;

    let line = |description: &str, amount: &str| json!({"invoiceId": draft["id"], "description": description, "amount": amount});
    let nameless = line(" ", "-5");
    let nameless = (
        "addInvoiceLine",
        nameless,
        "invoice.no_description",
        "description",
        "empty",
    );
    is_refused(&server, 8, nameless).await?;
    let mut untaxed = line("for your patience", "-5");
    untaxed["taxCategory"] = json!("REDUCED");
    let untaxed = (
        "addInvoiceLine",
        untaxed,
        "input.invalid_value",
        "taxCategory",
        "DE",
    );
    is_refused(&server, 9, untaxed).await?;
    let mut goodwill = line("for your patience", "-5");
    goodwill["commandId"] = json!(command_id(10));
    for _ in 0..2 {
        mutate(&server, "addInvoiceLine", "id", goodwill.clone()).await?;
    }
    let changed = until(&server, &account, "2026-10", ("DRAFT", "65.45", "0")).await?;
    let last = changed["lines"].as_array().and_then(|lines| lines.last());
    let expected = json!({"description": "for your patience", "amount": "-5"});
    ensure!(last == Some(&expected), "{changed}");

    // Whoever has not seen the last line does not approve it, nor discards the draft for it.
    let seen = |number: u128, invoice: &Value| {
        json!({"commandId": command_id(number), "invoiceId": invoice["id"],
            "expectedRevision": invoice["revision"]})
    };
    let mut discard = seen(14, &draft);
    discard["reason"] = json!("nothing is given back");
    for (order, input) in [
        ("issueInvoice", seen(15, &draft)),
        ("discardInvoice", discard),
    ] {
        let stale = mutate(&server, order, "id", input).await;
        let error = stale.err().context(order)?.to_string();
        ensure!(error.contains("CONFLICT"), "{order}: {error}");
    }
    mutate(&server, "issueInvoice", "id", seen(11, &changed)).await?;
    let issued = until(&server, &account, "2026-10", ("ISSUED", "65.45", "65.45")).await?;
    ensure!(issued["number"] == "INV-00000001", "{issued}");
    let late = line("too late", "1");
    let late = (
        "addInvoiceLine",
        late,
        "invoice.immutable",
        "invoiceId",
        "credit note",
    );
    is_refused(&server, 12, late).await?;

    // The fee of December only: that of November was on the first.
    run(&server, 13, "2026-11").await?;
    until(&server, &account, "2026-11", ("DRAFT", "35.7", "65.45")).await?;
    server.stop().await
}
