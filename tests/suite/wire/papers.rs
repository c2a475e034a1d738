//! The papers over accounts, as whoever reads them gets them: figures worked out here in
//! whole cents, in HTML and in what a reader of the PDF sees, and the same bytes again.

use crate::dunning::{QUEUE, account, is_invoice, pay, plan, set, use_up};
use crate::support::{command_id, keep, mutate, sell};
use anyhow::{Context as _, ensure};
use ringledger_tests::{
    machine,
    server::{Server, Setup},
};
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::{io::AsyncWriteExt as _, process::Command};

/// Cents of the fees of two months, and the tax on them.
const NET: i64 = 2 * 30_00;
const TAX: i64 = NET * 19 / 100;
const TOTAL: i64 = NET + TAX;
/// Cents that were paid, and that a credit note takes back: ten with tax.
const PAID: i64 = 20_00;
const CREDITED_NET: i64 = 10_00;
const CREDITED_TAX: i64 = CREDITED_NET * 19 / 100;
const CREDITED: i64 = CREDITED_NET + CREDITED_TAX;
const OPEN: i64 = TOTAL - PAID - CREDITED;
/// The day of the statement: 36 days after the one on which the invoice was due.
const DAYS: u64 = 50;

/// Cents as they are written.
fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

/// The cells of each row of a page, as text.
fn rows(html: &str) -> Vec<Vec<String>> {
    let cells = |row: &str| {
        let cells = row.split("<t").skip(1).filter_map(|cell| {
            let (_, text) = cell.split_once('>')?;
            let text = text.split('<').next()?;
            Some(text.replace("&amp;", "&"))
        });
        cells.collect::<Vec<_>>()
    };
    let rows = html.split("<tr").skip(1);
    rows.map(|row| cells(row.split("</tr>").next().unwrap_or_default()))
        .collect()
}

/// The lines that a reader of the PDF sees.
async fn lines(pdf: &[u8]) -> anyhow::Result<Vec<String>> {
    let mut reader = Command::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut input = reader.stdin.take().context("its input")?;
    input.write_all(pdf).await?;
    drop(input);
    let read = reader.wait_with_output().await?;
    ensure!(read.status.success(), "pdftotext: {}", read.status);
    let text = String::from_utf8(read.stdout)?;
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(text.lines().map(words).collect())
}

/// The paper has a row of these cells, in HTML and in the PDF; empty cells are not
/// looked at there. Both forms are the same when they are asked for again.
async fn shows(
    server: &Server,
    path: &str,
    asked: &str,
    expected: &[&[&str]],
) -> anyhow::Result<()> {
    let file = async |form: &str| {
        let (status, body) = server.bytes(&format!("{path}.{form}{asked}")).await?;
        ensure!(status == 200, "{path}: {status}");
        let name = path.trim_start_matches("/documents/").replace('/', "_");
        keep(&format!("{name}.{form}"), &body)?;
        Ok(body)
    };
    let html = String::from_utf8(file("html").await?)?;
    let told = rows(&html);
    let pdf = file("pdf").await?;
    let seen = lines(&pdf).await?;
    for row in expected {
        ensure!(told.iter().any(|told| told == row), "{row:?}: {told:#?}");
        let row: Vec<_> = row
            .iter()
            .copied()
            .filter(|cell| !cell.is_empty())
            .collect();
        let row = row.join(" ");
        ensure!(seen.contains(&row), "{row:?}: {seen:#?}");
    }
    Ok(())
}

/// The bytes of both forms.
async fn bytes(server: &Server, path: &str) -> anyhow::Result<[Vec<u8>; 2]> {
    let html = server.bytes(&format!("{path}.html")).await?.1;
    Ok([html, server.bytes(&format!("{path}.pdf")).await?.1])
}

async fn run(server: &Server, number: u128, account: &Value, month: &str) -> anyhow::Result<()> {
    let input = json!({
        "commandId": command_id(number), "period": month, "accountIds": [account],
    });
    let order = "mutation($input: RunInvoicesInput!) { runInvoices(input: $input) { drafted } }";
    let ran = server.graphql(order, json!({ "input": input })).await?;
    ensure!(ran["runInvoices"]["drafted"] == 1, "{ran}");
    Ok(())
}

/// Two accounts with an invoice each; one pays a part and gets a part back.
async fn some_books(server: &Server) -> anyhow::Result<([Value; 2], String)> {
    sell(server, json!({})).await?;
    let plan = plan(server).await?;
    let anna = account(server, 10, &plan, &["+4930111"]).await?;
    let bert = account(server, 20, &plan, &["+4930222"]).await?;
    for (number, account) in [(30, &anna), (31, &bert)] {
        run(server, number, account, "2026-10").await?;
        let issued = json!({"status": "ISSUED", "total": "71.4", "dueOn": "2026-11-28"});
        is_invoice(server, account, issued).await?;
    }
    ensure!(euros(TOTAL) == "71.40", "{TOTAL}");
    pay(server, 40, &anna, &json!(euros(PAID))).await?;
    let part = json!({"status": "PARTIALLY_PAID", "balanceDue": "51.4"});
    let invoice = is_invoice(server, &anna, part).await?;
    let credit = json!({
        "commandId": command_id(41), "invoiceId": invoice["id"], "amount": euros(CREDITED),
        "reason": "too dear",
    });
    mutate(server, "issueCreditNote", "id", credit).await?;
    let query = format!(
        "{{ invoice(id: {}) {{ balanceDue creditNotes {{ number total }} }} }}",
        invoice["id"]
    );
    let is_issued = |answer: &Value| {
        answer["invoice"]["creditNotes"][0]["number"].is_string()
            && answer["invoice"]["balanceDue"] == "39.5"
    };
    let answer = server.until(&query, is_issued).await?;
    let note = &answer["invoice"]["creditNotes"][0];
    ensure!(note["total"] == "11.9", "{note}");
    // Two uses of two at 2.50.
    use_up(server, 42, &anna).await?;
    use_up(server, 43, &anna).await?;
    let number = note["number"].as_str().context("a number")?;
    let path = format!("/documents/invoices/INV-00000001/credit-notes/{number}");
    Ok(([anna, bert], path))
}

/// What was owed and paid, and how old the rest is.
async fn statement(server: &Server, path: &str) -> anyhow::Result<()> {
    let day = "2026-11-14";
    let (after_payment, after_all) = (euros(PAID - TOTAL), euros(-OPEN));
    shows(
        server,
        path,
        "",
        &[
            &["Balance brought forward", "", "", "", "0.00"],
            &[
                "Invoice INV-00000001",
                day,
                &euros(TOTAL),
                "",
                &euros(-TOTAL),
            ],
            &["Payment at last", day, "", &euros(PAID), &after_payment],
            &[
                "Credit note CN-00000001",
                day,
                "",
                &euros(CREDITED),
                &after_all,
            ],
            &["Balance", "", "", "", &after_all],
            &["Not due yet", "0.00"],
            &["0 to 30 days", "0.00"],
            &["31 to 60 days", &euros(OPEN)],
            &["61 to 90 days", "0.00"],
            &["Open in all", &euros(OPEN)],
        ],
    )
    .await?;
    let later = [&["Balance brought forward", "", "", "", after_all.as_str()][..]];
    shows(server, path, "?from=2026-11-15&to=2026-12-01", &later).await?;
    let (status, told) = server.get(&format!("{path}.html?from=yesterday")).await?;
    ensure!(
        status == 400 && told.contains("YYYY-MM-DD"),
        "{status}: {told}"
    );
    Ok(())
}

async fn taxes_are(server: &Server, month: &str, rows: &[&[&str]]) -> anyhow::Result<()> {
    let asked = format!("?from={month}&to={month}");
    shows(server, "/documents/reports/taxes", &asked, rows).await
}

async fn no_taxes(server: &Server, month: &str) -> anyhow::Result<()> {
    let path = format!("/documents/reports/taxes.html?from={month}&to={month}");
    let (status, html) = server.get(&path).await?;
    let told = rows(&html);
    let is_empty = told.iter().flatten().all(|cell| !cell.contains("19 %"));
    ensure!(status == 200 && is_empty, "{month}: {told:#?}");
    Ok(())
}

/// A credit note that is issued months after its invoice.
async fn credit_later(server: &Server, account: &Value) -> anyhow::Result<()> {
    let invoice = is_invoice(server, account, json!({})).await?;
    let credit = json!({
        "commandId": command_id(60), "invoiceId": invoice["id"], "amount": "1.19",
        "reason": "late",
    });
    mutate(server, "issueCreditNote", "id", credit).await?;
    let query = format!(
        "{{ invoice(id: {}) {{ creditNotes {{ number }} }} }}",
        invoice["id"]
    );
    let is_issued = |answer: &Value| answer["invoice"]["creditNotes"][0]["number"].is_string();
    server.until(&query, is_issued).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn papers_have_the_figures_that_were_worked_out_and_the_same_bytes_again()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let clock = folder.path().join("clock");
    set(&clock, 0)?;
    let mut setup = Setup::new(folder.path(), QUEUE);
    setup.environment = machine::clock_of(&clock)?;
    let server = Server::start(&setup).await?;
    let ([anna, bert], note) = some_books(&server).await?;
    let [net, tax, total] = [CREDITED_NET, CREDITED_TAX, CREDITED].map(euros);
    let expected: [&[&str]; 5] = [
        &["too dear", "1", "", "", "19 %", &net],
        &["Net", "", "", "", "", &net],
        &["Tax 19 % on 10.00", "", "", "", "", &tax],
        &["Credited to you, EUR", "", "", "", "", &total],
        &["19 %", &net, &tax, &total],
    ];
    let credit_note = bytes(&server, &note).await?;
    shows(&server, &note, "", &expected).await?;
    server.stop().await?;

    set(&clock, DAYS)?;
    let server = Server::start(&setup).await?;
    let anna = anna.as_str().context("an id")?;
    let of_anna = format!("/documents/accounts/{anna}/statement");
    statement(&server, &of_anna).await?;
    let first = bytes(&server, &of_anna).await?;
    let [all, of_bert] = [euros(OPEN + TOTAL), euros(TOTAL)];
    let none = "0.00";
    let open = euros(OPEN);
    shows(
        &server,
        "/documents/reports/ageing",
        "",
        &[
            &["account-10", none, none, &open, none, none, &open],
            &["account-20", none, none, &of_bert, none, none, &of_bert],
            &["All accounts", none, none, &all, none, none, &all],
        ],
    )
    .await?;
    let (net, tax) = (euros(2 * NET - CREDITED_NET), euros(2 * TAX - CREDITED_TAX));
    let taxes: [&[&str]; 1] = [&["standard 19 %", "DE", "EUR", &net, &tax]];
    taxes_are(&server, "2026-11", &taxes).await?;
    // What was supplied in October was issued in November.
    no_taxes(&server, "2026-10").await?;
    no_taxes(&server, "2027-01").await?;
    credit_later(&server, &bert).await?;
    let credited: [&[&str]; 1] = [&["standard 19 %", "DE", "EUR", "-1.00", "-0.19"]];
    taxes_are(&server, "2027-01", &credited).await?;
    taxes_are(&server, "2026-11", &taxes).await?;
    let path = format!("/documents/accounts/{anna}/usage");
    let used: [&[&str]; 2] = [
        &["Other usage", "2026-11", "2", "4", "unit", "10"],
        &["Sum", "", "", "", "", "10"],
    ];
    shows(&server, &path, "?from=2026-11&to=2026-11", &used).await?;
    let query = format!(
        "{{ usageSummary(accountId: \"{anna}\", from: \"2026-11\", to: \"2026-11\") \
         {{ usageType count quantity amount }} }}"
    );
    let summary = server.graphql(&query, json!({})).await?;
    let expected = json!([{"usageType": "CUSTOM", "count": 2, "quantity": "4", "amount": "10"}]);
    ensure!(summary["usageSummary"] == expected, "{summary}");

    // A second later, and after something that is not of them.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    pay(&server, 44, &bert, &json!("1")).await?;
    ensure!(
        bytes(&server, &of_anna).await? == first,
        "another statement"
    );
    ensure!(bytes(&server, &note).await? == credit_note, "another note");
    second_invoice(&server, &json!(anna)).await?;
    server.stop().await
}

/// What stands on the next invoice of what was owed before it: the balance that the one
/// before left, and what was paid and credited since; whatever happens after.
async fn second_invoice(server: &Server, anna: &Value) -> anyhow::Result<()> {
    run(server, 70, anna, "2026-11").await?;
    let issued = json!({"status": "ISSUED", "dueOn": "2027-01-17"});
    let invoice = is_invoice(server, anna, issued).await?;
    let (whole, part) = invoice["total"]
        .as_str()
        .and_then(|total| total.split_once('.'))
        .context("a total with cents")?;
    let total: i64 = format!("{whole}{part:0<2}").parse()?;
    let order = "mutation($input: RequestInvoiceDocumentInput!) { requestInvoiceDocument(input: \
                 $input) { url invoice { number total } } }";
    let input = json!({ "invoiceId": invoice["id"], "format": "JSON" });
    let ordered = server.graphql(order, json!({ "input": input })).await?;
    let ordered = &ordered["requestInvoiceDocument"];
    ensure!(ordered["invoice"]["total"] == invoice["total"], "{ordered}");
    let number = ordered["invoice"]["number"].as_str().context("a number")?;
    let url = ordered["url"].as_str().context("a path")?;
    let (status, machine) = server.get(url).await?;
    ensure!(status == 200, "{status}: {machine}");
    let machine: Value = serde_json::from_str(&machine)?;
    ensure!(machine["schema"] == "ringledger-invoice/3", "{machine:#}");
    let account = &machine["account"];
    ensure!(
        account["brought_forward"] == "-71.4" && account["entries"][2]["kind"] == "invoice",
        "{account:#}"
    );
    let (before, day, today) = (euros(-TOTAL), "2026-11-14", "2027-01-03");
    let rows: [&[&str]; 4] = [
        &["Balance brought forward", "", "", "", &before],
        &[
            "Payment at last",
            day,
            "",
            &euros(PAID),
            &euros(PAID - TOTAL),
        ],
        &[
            "Credit note CN-00000001",
            day,
            "",
            &euros(CREDITED),
            &euros(-OPEN),
        ],
        &[
            &format!("This invoice, {number}"),
            today,
            &euros(total),
            "",
            &euros(-OPEN - total),
        ],
    ];
    let path = url.trim_end_matches(".json");
    shows(server, path, "", &rows).await?;
    let issued = bytes(server, path).await?;
    pay(server, 71, anna, &json!("5")).await?;
    let paid = json!({"balanceDue": invoice["total"]});
    is_invoice(server, anna, paid).await?;
    ensure!(bytes(server, path).await? == issued, "another invoice");
    Ok(())
}
