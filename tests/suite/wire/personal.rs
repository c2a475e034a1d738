//! Who calls is told to those who may know, and to nobody else.

use crate::support::{PATIENCE, agent, files_with, has, incoming, records, setup};
use anyhow::{Context as _, ensure};
use phone::{CallOptions, Phone, PhoneOptions};
use ringledger_tests::server::{Server, Setup};
use serde_json::json;

const NUMBER: &str = "4917655501234987";
const NAME: &str = "Wilhelmine Quetschenbaum";
/// Whom the call was meant for.
const OTHER_NUMBER: &str = "4917655509876012";
const OTHER_NAME: &str = "Balthasar Zwiebelfisch";

async fn call(server: &Server, answered: bool) -> anyhow::Result<()> {
    let mut options = PhoneOptions::new(server.sip, NUMBER);
    options.display_name = Some(NAME.into());
    let phone = Phone::bind(options).await?;
    if !answered {
        // Nobody is there; the caller gives up.
        let out = phone.call("support", CallOptions::default()).await?;
        out.wait_ringing(PATIENCE).await?;
        out.cancel().await?;
        let out = phone.call("nowhere", CallOptions::default()).await?;
        out.wait_ended(PATIENCE).await?;
        return Ok(());
    }
    let anna = agent(server, "anna").await?;
    let diversion = format!("\"{OTHER_NAME}\" <sip:{OTHER_NUMBER}@pbx.example>;reason=no-answer");
    let diverted = CallOptions {
        headers: vec![("Diversion".into(), diversion)],
        ..CallOptions::default()
    };
    let out = phone.call("support", diverted).await?;
    let call = incoming(&anna).await?;
    ensure!(call.from_user() == Some(NUMBER), "the agent sees who calls");
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    out.hang_up().await?;
    Ok(())
}

#[tokio::test]
async fn numbers_and_names_of_callers_are_in_no_log_and_in_no_event() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = setup(folder.path(), &["anna"]);
    let log = folder.path().join("log.txt");
    setup.log = Some(log.clone());
    setup.environment = vec![(
        "RINGLEDGER__LOG__FILTER".into(),
        "info,rsipstack=error".into(),
    )];
    let server = Server::start(&setup).await?;
    call(&server, false).await?;
    call(&server, true).await?;
    for record in records(&server, 3).await? {
        ensure!(record["from"]["user"] == NUMBER, "{record}");
        ensure!(record["from"]["displayName"] == NAME, "{record}");
    }
    let query = "{ cdrs(first: 1) { nodes { diversionReason divertedBy { user displayName } } } }";
    let answer = server.graphql(query, json!({})).await?;
    let expected = json!({"diversionReason": "NO_ANSWER",
        "divertedBy": {"user": OTHER_NUMBER, "displayName": OTHER_NAME}});
    ensure!(answer["cdrs"]["nodes"][0] == expected, "{answer}");
    let (_, metrics) = server.get("/metrics").await?;
    ensure!(!metrics.contains(NUMBER), "the number is in the metrics");
    check(&setup)?;
    server.stop().await?;
    check(&setup)?;
    let log = std::fs::read(log)?;
    ensure!(
        has(&log, b"call comes in"),
        "calls are logged, without who it was"
    );
    Ok(())
}

fn check(setup: &Setup) -> anyhow::Result<()> {
    let log = std::fs::read(setup.log.as_ref().context("a log")?)?;
    let names = ["Wilhelmine", "Quetschenbaum", "Balthasar", "Zwiebelfisch"];
    for secret in names.into_iter().chain([NUMBER, OTHER_NUMBER]) {
        ensure!(!has(&log, secret.as_bytes()), "{secret} is in the log");
        // The read models hold it open: they are made from the record, and
        // cleaned when a person is forgotten.
        let found = files_with(&setup.data(), secret.as_bytes())?;
        let elsewhere: Vec<_> = found
            .iter()
            .filter(|path| !path.contains("read.db"))
            .collect();
        ensure!(elsewhere.is_empty(), "{secret} stands in {elsewhere:?}");
    }
    Ok(())
}
