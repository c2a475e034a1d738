//! A person is forgotten on a disk that has no room for the keys' file twice: boards and
//! records go on, a restart works, and the erasure completes by itself when there is room.

use crate::{
    full_disk::Disk,
    support::{PATIENCE, caller, command_id, dial, files_with, mutate, records, setup},
};
use anyhow::ensure;
use ringledger_tests::server::{Server, Setup};
use rusqlite::Connection;
use serde_json::json;
use std::collections::BTreeMap;

const NUMBER: &str = "4917655501239911";
const OTHER: &str = "4917655501230000";
/// Keys of people who do not call in this test: a file of some MiB.
const KEYS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) \
     INSERT INTO vault_keys (subject, number, data_key, created_at) \
     SELECT randomblob(16), 1, randomblob(32), 0 FROM n";
/// Room for calls and their rows, and for no second file of the keys.
const LEFT_BYTES: u64 = 3 * 1024 * 1024;

async fn calls_in_vain(server: &Server, user: &str, count: usize) -> anyhow::Result<()> {
    let phone = caller(server, user).await?;
    for _ in 0..count {
        dial(&phone, "nowhere").await?.wait_ended(PATIENCE).await?;
    }
    Ok(())
}

/// First keys of those who have called, by their subject; none once destroyed.
fn keys(setup: &Setup) -> anyhow::Result<BTreeMap<Vec<u8>, Option<Vec<u8>>>> {
    let db = Connection::open(setup.data().join("secrets.db"))?;
    let mut statement =
        db.prepare("SELECT subject, data_key FROM vault_keys WHERE created_at > 0 AND number = 1")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

async fn state(server: &Server) -> anyhow::Result<String> {
    let query = format!("{{ subject(number: \"{NUMBER}\") {{ state }} }}");
    let answer = server.graphql(&query, json!({})).await?;
    Ok(answer["subject"]["state"].as_str().unwrap_or("").to_owned())
}

#[tokio::test]
async fn an_erasure_without_room_holds_nothing_up_and_completes_when_there_is_room()
-> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let setup = setup(folder.path(), &["anna"]);
    let disk = Disk::mount(&setup.data())?;
    Server::start(&setup).await?.stop().await?;
    Connection::open(setup.data().join("secrets.db"))?.execute_batch(KEYS)?;
    let server = Server::start(&setup).await?;
    calls_in_vain(&server, NUMBER, 2).await?;
    calls_in_vain(&server, OTHER, 2).await?;
    records(&server, 4).await?;
    let before = keys(&setup)?;
    disk.fill_but(LEFT_BYTES)?;

    let erase =
        json!({"commandId": command_id(1), "reason": "CONSENT_WITHDRAWN", "number": NUMBER});
    mutate(&server, "eraseSubject", "subject { state }", erase).await?;
    // The read models go on past it, and nobody reads the number any more.
    calls_in_vain(&server, OTHER, 2).await?;
    let users: Vec<_> = records(&server, 6).await?;
    let users: Vec<_> = users
        .iter()
        .map(|one| one["from"]["user"].clone())
        .collect();
    ensure!(users[..2] == [json!(null), json!(null)], "{users:?}");
    ensure!(users[2..].iter().all(|user| *user == OTHER), "{users:?}");
    ensure!(
        state(&server).await? == "ERASING",
        "{}",
        state(&server).await?
    );
    // Who comes back is sealed under a new key, not under the one that is to go.
    calls_in_vain(&server, NUMBER, 1).await?;
    records(&server, 7).await?;
    let during = keys(&setup)?;
    ensure!(
        before.values().all(Option::is_some),
        "keys are there before"
    );
    let destroyed: Vec<_> = before
        .iter()
        .filter(|(subject, _)| during.get(*subject) != before.get(*subject))
        .filter_map(|(_, key)| key.clone())
        .collect();
    ensure!(
        destroyed.len() == 1,
        "{} keys were destroyed",
        destroyed.len()
    );

    server.kill().await?;
    let server = Server::start(&setup).await?;
    calls_in_vain(&server, OTHER, 1).await?;
    records(&server, 8).await?;
    ensure!(clean_through(&setup)? == 0, "it is not complete");

    disk.clear()?;
    calls_in_vain(&server, OTHER, 1).await?;
    let query = "{ erasures(first: 1) { nodes { state } } }";
    server
        .until(query, |answer| {
            answer["erasures"]["nodes"][0]["state"] == "ERASED"
        })
        .await?;
    let found = files_with(&setup.data(), &destroyed[0])?;
    ensure!(found.is_empty(), "the key stands in {found:?}");
    records(&server, 9).await?;
    server.stop().await
}

/// Up to where erasures are told to be complete.
fn clean_through(setup: &Setup) -> anyhow::Result<i64> {
    let db = Connection::open(setup.data().join("read.db"))?;
    let sql = "SELECT coalesce(max(position), 0) FROM es_scrubs";
    Ok(db.query_row(sql, [], |row| row.get(0))?)
}
