//! The documented way to back PostgreSQL up: two dumps, restored elsewhere, all
//! read models made from nothing.

use super::{PATIENCE, a_day, compared, copy, follow, rows};
use commands::{ports::Position, system::SystemClock, writer::Writer};
use projections::changed::View;
use ringledger_tests::office::Office;
use std::{path::Path, process::Command, sync::Arc};
use store::testing;
use tempfile::TempDir;

/// Runs a program of PostgreSQL as the documentation does.
fn run(program: &str, arguments: &[&str], database: &str, more: &[&Path]) {
    let output = Command::new(store::cluster::program(program))
        .args(arguments)
        .arg(format!("--dbname={database}"))
        .args(more)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_restored_from_its_dumps_shows_what_the_original_showed() {
    let database = testing::database().await;
    let stores = store::open(database.url()).await.unwrap();
    let office = Office::open_without_views(stores.clone()).await;
    a_day(&office).await;
    // In the middle of things: calls wait and are talked.
    let folder = TempDir::new().unwrap();
    let (log, keys) = (folder.path().join("log"), folder.path().join("keys"));
    let file = |path: &Path| format!("--file={}", path.display());
    let dump = ["--format=custom", "--schema=public", &file(&log)];
    run("pg_dump", &dump, database.url(), &[]);
    let until = stores.log.head().await.unwrap();
    let dump = ["--format=custom", "--schema=secrets", &file(&keys)];
    run("pg_dump", &dump, database.url(), &[]);
    // The dump of the log holds no person, and none of its keys.
    let queue = office
        .queue("later", ringledger_tests::office::rules())
        .await;
    assert!(stores.log.head().await.unwrap() > until, "{queue:?}");

    let other = testing::database().await;
    let restore = ["--exit-on-error", "--clean", "--if-exists"];
    run("pg_restore", &restore, other.url(), &[&log]);
    run("pg_restore", &restore[..1], other.url(), &[&keys]);
    let restored = store::open(other.url()).await.unwrap();
    let all = |stores: &store::Stores| {
        let log = stores.log.clone();
        async move { log.read_all(Position(0), 100_000).await.unwrap().events }
    };
    let (mut before, after) = (all(&stores).await, all(&restored).await);
    before.retain(|event| event.position <= until);
    assert_eq!(before, after);
    assert_eq!(restored.log.head().await.unwrap(), until);

    // Made from nothing, with the restored keys; compared with the original's
    // events and keys up to there.
    let (_writer, feed) = Writer::start(restored.log.clone(), Arc::new(SystemClock))
        .await
        .unwrap();
    let running = follow(feed, &restored, restored.vault.clone(), until).await;
    let reference = store::open("memory:").await.unwrap();
    copy(&*restored.log, &*reference.log).await;
    let (_other_writer, feed) = Writer::start(reference.log.clone(), Arc::new(SystemClock))
        .await
        .unwrap();
    let expected = follow(feed, &reference, stores.vault.clone(), until).await;
    for running in [&running, &expected] {
        let views = running.views();
        views.wait_for(&View::ALL, until, PATIENCE).await.unwrap();
    }
    let (shown, wanted) = (rows(&*restored.read).await, rows(&*reference.read).await);
    for (table, _) in compared() {
        assert_eq!(shown[table], wanted[table], "{table}");
    }
    assert!(!shown["cdr"].is_empty() && !shown["live_calls"].is_empty());
    let people = format!("{:?}", shown["cdr"]);
    assert!(people.contains("4930123456"), "callers are known: {people}");
}
