//! What goes wrong around a PostgreSQL database is told clearly, and mends
//! itself where it can.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use commands::ports::{
    Append, AppendError, EventLog, Position, Statement, StoreError, StreamId, Value,
};
use domain::time::Timestamp;
use ringledger_store::{
    self as store, OpenError,
    contract::{Ids, append_of},
    migrate::MigrateError,
    testing,
};
use sqlx::{Connection, PgConnection};
use std::{
    error::Error,
    time::{Duration, Instant},
};

/// How long the store has to mend itself.
const DEADLINE: Duration = Duration::from_secs(30);

async fn append(log: &dyn EventLog, one: Append) -> Result<Position, AppendError> {
    let mut outcomes = log.append(vec![one]).await;
    outcomes.remove(0).map(|appended| appended.first)
}

/// The error with its causes, as a person reads it.
fn told(error: &OpenError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

async fn run(url: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(sql).execute(&mut connection).await?;
    connection.close().await
}

#[tokio::test]
async fn an_address_that_does_not_work_is_told_without_its_password() {
    let database = testing::database().await;
    let (base, _) = database.url().rsplit_once('/').unwrap();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    for (url, reason) in [
        ("postgres://user:s3cret@host:port/name", "not understood"),
        (&format!("postgres://u:s3cret@{closed}/name"), "refused"),
        (&format!("{base}/nowhere"), "\"nowhere\" does not exist"),
        (
            &database.url().replace("ringledger@", "nobody:s3cret@"),
            "\"nobody\" does not exist",
        ),
    ] {
        let error = store::open(url).await.unwrap_err();
        let told = told(&error);
        assert!(told.contains(reason), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
    }
}

#[tokio::test]
async fn a_second_server_on_one_database_is_refused_until_the_first_is_gone() {
    let database = testing::database().await;
    let first = store::open(database.url()).await.unwrap();
    let refused = store::open(database.url()).await.unwrap_err();
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
    assert!(told(&refused).contains("test_0"), "{refused}");
    let other = testing::database().await;
    store::open(other.url()).await.unwrap();
    drop(first);
    store::open(database.url()).await.unwrap();
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let database = testing::database().await;
    drop(store::open(database.url()).await.unwrap());
    let newer = "INSERT INTO read_models.schema_migrations (number, name) VALUES (9999, 'later')";
    run(database.url(), newer).await.unwrap();
    let error = store::open(database.url()).await.unwrap_err();
    let told = told(&error);
    assert!(
        told.contains("read_models") && told.contains("9999"),
        "{told}"
    );
    let OpenError::Schema { cause, .. } = error else {
        unreachable!("{told}")
    };
    assert!(matches!(cause, MigrateError::Newer { found: 9999, .. }));
}

#[tokio::test]
async fn the_log_can_not_be_changed_or_shortened() {
    let database = testing::database().await;
    let stores = store::open(database.url()).await.unwrap();
    let ids = Ids::new("append-only");
    let stream = StreamId::new("note", ids.uuid());
    let one = append_of(&ids, &stream, 0, 2);
    append(&*stores.log, one).await.unwrap();
    for sql in [
        "UPDATE events SET payload = '{}'",
        "DELETE FROM events",
        "TRUNCATE events",
    ] {
        let refused = run(database.url(), sql).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
    assert_eq!(stores.log.read_stream(&stream, 0).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_run_that_was_replaced_writes_nothing_more() {
    let database = testing::database().await;
    let stores = store::open(database.url()).await.unwrap();
    let ids = Ids::new("fence");
    let stream = StreamId::new("note", ids.uuid());
    let by = |epoch, version| {
        let mut one = append_of(&ids, &stream, version, 1);
        one.changes[0].metadata.node_epoch = epoch;
        one
    };
    let old = stores.nodes.next_epoch("node").await.unwrap();
    append(&*stores.log, by(old, 0)).await.unwrap();
    let other = stores.nodes.next_epoch("other").await.unwrap();
    append(&*stores.log, by(old, 1)).await.unwrap();
    let node = database.node().await.unwrap();
    let new = node.nodes.next_epoch("node").await.unwrap();
    let batch = vec![by(old, 2), by(new, 2), by(other, 3), by(old, 4)];
    let outcomes = stores.log.append(batch).await;
    assert_eq!(outcomes[0], Err(AppendError::Fenced));
    assert!(outcomes[1].is_ok() && outcomes[2].is_ok());
    assert_eq!(outcomes[3], Err(AppendError::Fenced));
    assert_eq!(stores.log.head().await.unwrap(), Position(4));
}

#[tokio::test]
async fn an_append_that_the_database_can_not_take_leaves_the_others_of_its_batch() {
    let database = testing::database().await;
    let stores = store::open(database.url()).await.unwrap();
    let ids = Ids::new("poison");
    let of = |number: u32| append_of(&ids, &StreamId::new("note", number), 0, 1);
    let mut poison = of(1);
    poison.changes[0].events[0].payload = "no JSON".into();
    let mut cut = of(2);
    cut.changes[0].metadata.actor = "\0".into();
    let outcomes = stores.log.append(vec![of(0), poison, cut, of(3)]).await;
    assert!(outcomes[0].is_ok() && outcomes[3].is_ok(), "{outcomes:?}");
    for outcome in &outcomes[1..3] {
        assert!(matches!(outcome, Err(AppendError::Unavailable(_))));
    }
    assert_eq!(stores.log.head().await.unwrap(), Position(2));
}

#[tokio::test]
async fn a_value_that_can_not_be_stored_is_told_from_a_database_that_is_away() {
    let database = testing::database().await;
    let stores = store::open(database.url()).await.unwrap();
    let read = &stores.read;
    let statement = |sql, parameters| Statement {
        sql,
        parameters,
        must_touch: None,
    };
    let table = "CREATE TABLE things (id BIGINT PRIMARY KEY, name TEXT)";
    let index = "CREATE INDEX things_by_name ON things (name)";
    let tables = vec![statement(table, vec![]), statement(index, vec![])];
    read.transact(tables).await.unwrap();
    let insert = |id: &str, name: &str| {
        let values = vec![Value::Text(id.into()), Value::Text(name.into())];
        vec![statement("INSERT INTO things VALUES ($1, $2)", values)]
    };
    // What follows itself nowhere is not made shorter than an index takes.
    let long: String = (0..900_u32)
        .map(|at| format!("{:x}", at.wrapping_mul(2_654_435_761)))
        .collect();
    for (id, name) in [("no number", "x"), ("1", &long)] {
        let refused = read.transact(insert(id, name)).await;
        assert!(
            matches!(refused, Err(StoreError::Refused(_))),
            "{refused:?}"
        );
    }
    // A text ends where it ends, whatever is in it.
    let odd = r"'); DROP TABLE things; -- \' \";
    read.transact(insert("1", odd)).await.unwrap();
    read.transact(insert("2", "a\0b")).await.unwrap();
    let rows = read.query("SELECT name FROM things ORDER BY id", vec![]);
    let [odd, nul] = [odd, "a\u{fffd}b"].map(|name| vec![Value::Text(name.into())]);
    assert_eq!(rows.await.unwrap(), [odd, nul]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_are_told_and_come_back_by_themselves() {
    let database = testing::database().await;
    let stores = store::open(database.url()).await.unwrap();
    let ids = Ids::new("loss");
    let stream = StreamId::new("note", ids.uuid());
    let mut version = 0;
    for _ in 0..3 {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE pid <> pg_backend_pid() AND application_name = 'ringledger'";
        run(database.url(), cut).await.unwrap();
        let one = append_of(&ids, &stream, version, 1);
        let until = Instant::now() + DEADLINE;
        // The same command again and again, as after any unknown outcome.
        loop {
            match append(&*stores.log, one.clone()).await {
                Ok(_) | Err(AppendError::Duplicate { .. }) => break,
                Err(
                    error @ (AppendError::Conflict { .. }
                    | AppendError::Refused { .. }
                    | AppendError::Fenced),
                ) => {
                    unreachable!("{error}")
                }
                Err(AppendError::Unavailable(_)) => assert!(Instant::now() < until),
            }
        }
        version += 1;
        while stores.log.read_stream(&stream, 0).await.is_err() {
            assert!(Instant::now() < until);
        }
        let at = Timestamp::from_micros(version as i64);
        while stores.nodes.beat(version, at).await.is_err() {
            assert!(Instant::now() < until);
        }
    }
    let stored = stores.log.read_stream(&stream, 0).await.unwrap();
    assert_eq!(stored.len() as u64, version);
    // Another node's appends are heard again.
    let mut wakeups = stores.log.wakeups();
    let node = database.node().await.unwrap();
    let one = append_of(&ids, &stream, version, 1);
    let first = append(&*node.log, one).await.unwrap();
    let heard = async { *wakeups.wait_for(|head| *head >= first).await.unwrap() };
    assert_eq!(tokio::time::timeout(DEADLINE, heard).await.unwrap(), first);
    // And the database is held again.
    let mut admin = PgConnection::connect(database.url()).await.unwrap();
    let until = Instant::now() + DEADLINE;
    let held = "SELECT EXISTS (SELECT 1 FROM pg_locks JOIN pg_database ON oid = database \
                WHERE locktype = 'advisory' AND granted AND datname = current_database())";
    while !sqlx::query_scalar::<_, bool>(held)
        .fetch_one(&mut admin)
        .await
        .unwrap()
    {
        assert!(Instant::now() < until);
    }
    let refused = store::open(database.url()).await.unwrap_err();
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
}
