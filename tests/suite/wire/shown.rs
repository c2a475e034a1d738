//! `ringledger invoice show`: the same bytes as over HTTP, or none.

use crate::{
    bad_input::{command, paid},
    projections::change,
};
use anyhow::{Context as _, ensure};
use ringledger_tests::server::{Server, Setup};
use serde_json::json;

/// The view of invoices is behind the account, as beside a server under load.
const BEHIND: &str = "UPDATE es_projections SET position = 1 WHERE name = 'billing_invoices'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_that_is_not_booked_yet_is_not_shown_and_leaves_what_was_there()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), "");
    let server = Server::start(&setup).await?;
    let (_, invoice) = paid(&server).await?;
    let query = format!("{{ invoice(id: {invoice}) {{ number documentPath }} }}");
    let found = server.graphql(&query, json!({})).await?["invoice"].clone();
    let number = found["number"].as_str().context("a number")?;
    let path = found["documentPath"].as_str().context("a path")?;
    let (_, told) = server.get(&format!("{path}.json")).await?;
    let show = [
        "invoice",
        "show",
        number,
        "--format",
        "json",
        "--out",
        "shown.json",
    ];
    let ran = command(&setup, &show).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let file = setup.folder.join("shown.json");
    ensure!(std::fs::read_to_string(&file)? == told, "not the same");
    server.stop().await?;

    change(&setup, BEHIND).await?;
    let ran = command(&setup, &show).await?;
    ensure!(ran.code != Some(0), "{ran:?}");
    ensure!(format!("{ran:?}").contains("not booked"), "{ran:?}");
    ensure!(std::fs::read_to_string(&file)? == told, "it is gone");
    // A server that runs reads on, and it is shown again.
    let server = Server::start(&setup).await?;
    let ran = command(&setup, &show).await?;
    ensure!(ran.code == Some(0), "{ran:?}");
    ensure!(std::fs::read_to_string(&file)? == told, "not the same");
    server.stop().await
}
