//! Queues, agents and trunks: from the file, idempotently, or by mutations;
//! passwords stay out of the record.

use crate::support::{
    PATIENCE, agent_is, agent_with, caller, command_id, dial, events, files_with, has, incoming,
    mutate, setup,
};
use anyhow::{Context as _, ensure};
use commands::credentials::Ha1;
use ringledger_tests::server::{Server, Setup};
use serde_json::{Value, json};

const TRUNK: &str = "\n[[trunk]]\nname = \"carrier\"\nallow = [\"127.0.0.0/8\"]\nuser = \"us\"\n\
                     password = \"trunk-password-91\"\n";

async fn one_run(setup: &Setup) -> anyhow::Result<usize> {
    Server::start(setup).await?.stop().await?;
    Ok(events(setup).await?.len())
}

#[tokio::test]
async fn an_unchanged_file_writes_no_event_and_a_changed_queue_writes_one() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = setup(folder.path(), &["anna", "ben"]);
    setup.provisioning.push_str(TRUNK);
    let first = one_run(&setup).await?;
    ensure!(
        first >= 4,
        "{first} events for a queue, a trunk and two agents"
    );
    ensure!(
        one_run(&setup).await? == first,
        "an unchanged file writes events"
    );

    setup.provisioning = setup
        .provisioning
        .replace("wrap_up_ms = 0", "wrap_up_ms = 1500");
    let server = Server::start(&setup).await?;
    let queues = server
        .graphql("{ queues { nodes { config { wrapUpMs } } } }", json!({}))
        .await?;
    ensure!(
        queues["queues"]["nodes"][0]["config"]["wrapUpMs"] == "1500",
        "{queues}"
    );
    server.stop().await?;
    let all = events(&setup).await?;
    let types: Vec<_> = all[first..]
        .iter()
        .map(|event| event.event_type.to_string())
        .collect();
    ensure!(types == ["queue_configured"], "{types:?}");
    ensure!(one_run(&setup).await? == first + 1, "it is written again");
    Ok(())
}

#[tokio::test]
async fn no_password_stands_in_the_record_the_views_or_the_log() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = setup(folder.path(), &["anna"]);
    setup.provisioning.push_str(TRUNK);
    setup.log = Some(folder.path().join("log.txt"));
    setup.environment = vec![(
        "RINGLEDGER__LOG__FILTER".into(),
        "debug,rsipstack=error".into(),
    )];
    let server = Server::start(&setup).await?;
    let input =
        json!({ "commandId": command_id(1), "name": "cleo", "password": "cleo-password-17" });
    mutate(&server, "createAgent", "agent { name }", input).await?;
    crate::support::agent(&server, "anna").await?;
    agent_with(&server, "cleo", "cleo-password-17").await?;
    // Also while it runs: the write-ahead logs are files as well.
    check(&setup)?;
    server.stop().await?;
    check(&setup)?;
    ensure!(events(&setup).await?.len() > 4, "something was recorded");
    Ok(())
}

fn check(setup: &Setup) -> anyhow::Result<()> {
    let data = setup.data();
    let log = std::fs::read(setup.log.as_ref().context("a log")?)?;
    ensure!(!log.is_empty(), "there is a log");
    for (user, password) in [("anna", "anna-secret"), ("cleo", "cleo-password-17")] {
        let found = files_with(&data, password.as_bytes())?;
        ensure!(found.is_empty(), "{password} stands in {found:?}");
        ensure!(!has(&log, password.as_bytes()), "{password} is logged");
        let ha1 = Ha1::compute(user, "ringledger", password);
        let stored = ha1.to_stored();
        let (md5, sha256) = stored.split_once(':').context("two hashes")?;
        for hash in [
            md5.as_bytes(),
            sha256.as_bytes(),
            &ha1.md5[..],
            &ha1.sha256[..],
        ] {
            let found = files_with(&data, hash)?;
            let elsewhere: Vec<_> = found
                .iter()
                .filter(|path| !path.contains("secrets.db"))
                .collect();
            ensure!(
                elsewhere.is_empty(),
                "a hash for {user} stands in {elsewhere:?}"
            );
            ensure!(!has(&log, hash), "a hash for {user} is logged");
        }
    }
    for file in files_with(&data, b"trunk-password-91")? {
        ensure!(
            file.contains("secrets.db"),
            "the trunk's password stands in {file}"
        );
    }
    ensure!(
        !has(&log, b"trunk-password-91"),
        "the trunk's password is logged"
    );
    Ok(())
}

async fn create_all(server: &Server) -> anyhow::Result<[Value; 3]> {
    let queue = json!({
        "commandId": command_id(1), "name": "sales", "answerMode": "ON_AGENT",
        "numbers": ["+4930777"], "ringTimeoutMs": "5000",
    });
    let queue = mutate(server, "createQueue", "queue { id name }", queue).await?;
    let agent = json!({
        "commandId": command_id(2), "name": "dora", "password": "dora-password",
        "queueIds": [queue["queue"]["id"]], "readyOnRegister": true,
    });
    let agent = mutate(server, "createAgent", "agent { id name }", agent).await?;
    let trunk = json!({
        "commandId": command_id(3), "name": "carrier", "allow": ["127.0.0.0/8"],
    });
    let trunk = mutate(server, "createTrunk", "trunk { id name }", trunk).await?;
    Ok([queue, agent, trunk])
}

async fn call_by_number(server: &Server) -> anyhow::Result<()> {
    let dora = agent_with(server, "dora", "dora-password").await?;
    agent_is(server, "dora", "READY").await?;
    let caller = caller(server, "4930111").await?;
    let out = dial(&caller, "+4930777").await?;
    let call = incoming(&dora).await?;
    call.answer().await?;
    out.wait_answered(PATIENCE).await?;
    ensure!(out.hang_up().await? == 200, "BYE is refused");
    call.wait_ended(PATIENCE).await?;
    agent_is(server, "dora", "READY").await?;
    dora.unregister().await?;
    Ok(())
}

#[tokio::test]
async fn what_mutations_make_works_for_phones_and_survives_a_restart() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), "");
    let server = Server::start(&setup).await?;
    create_all(&server).await?;
    call_by_number(&server).await?;
    let wrong = agent_with(&server, "dora", "another-password").await;
    ensure!(wrong.is_err(), "a wrong password is taken");
    server.stop().await?;

    let server = Server::start(&setup).await?;
    call_by_number(&server).await?;
    let trunks = server
        .graphql("{ trunks { nodes { name allow } } }", json!({}))
        .await?;
    ensure!(
        trunks["trunks"]["nodes"] == json!([{ "name": "carrier", "allow": ["127.0.0.0/8"] }]),
        "{trunks}"
    );
    let records = crate::support::records(&server, 2).await?;
    ensure!(
        records
            .iter()
            .all(|record| record["disposition"] == "ANSWERED"),
        "{records:#?}"
    );
    server.stop().await
}

#[tokio::test]
async fn a_mutation_that_is_sent_again_has_one_effect_and_the_same_answer() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = Setup::new(folder.path(), "");
    let server = Server::start(&setup).await?;
    let first = create_all(&server).await?;
    ensure!(
        create_all(&server).await? == first,
        "a retry hears something else"
    );
    server.stop().await?;
    let written = events(&setup).await?.len();
    // The answer was lost, the server went down, and the client asks again.
    let server = Server::start(&setup).await?;
    ensure!(
        create_all(&server).await? == first,
        "a retry after a restart hears something else"
    );
    let again = json!({ "commandId": command_id(9), "name": "sales" });
    let query = "mutation($input: CreateQueueInput!) { createQueue(input: $input) { position \
                 userErrors { code } } }";
    let answer = server.graphql(query, json!({ "input": again })).await?;
    let codes = &answer["createQueue"]["userErrors"];
    ensure!(
        *codes == json!([{ "code": "queue.already_exists" }]),
        "{answer}"
    );
    server.stop().await?;
    ensure!(
        events(&setup).await?.len() == written,
        "a retry wrote events"
    );
    ensure!(written == 3, "{written} events for three things");
    Ok(())
}

#[tokio::test]
async fn with_a_trunk_calls_come_from_its_networks_only() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut setup = setup(folder.path(), &["anna"]);
    setup
        .provisioning
        .push_str("\n[[trunk]]\nname = \"far\"\nallow = [\"203.0.113.0/24\"]\n");
    let server = Server::start(&setup).await?;
    let caller = caller(&server, "4930111").await?;
    let out = dial(&caller, "support").await?;
    let ended = out.wait_ended(PATIENCE).await?;
    ensure!(ended.status == Some(403), "{ended:?}");
    server.stop().await
}
