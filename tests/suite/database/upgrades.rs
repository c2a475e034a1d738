//! A database that an earlier version has filled is brought up to date with all
//! that is in it: one of a real run of the first version, and one stopped after
//! each migration there is, on both stores.

use crate::filled;
use commands::ports::{Append, AppendError, Change, Metadata, NewEvent, Position, StreamId, Value};
use domain::id::{CommandId, DEFAULT_TENANT, EventId};
use rusqlite::Connection;
use std::{
    fs,
    path::{Path, PathBuf},
};
use store::migrate::{ALL, Migration, Target};
use store::{Stores, testing};
use tempfile::TempDir;
use uuid::Uuid;

const EVENT: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0001);
const COMMAND: Uuid = Uuid::from_u128(0x0193_0000_0000_7000_8000_0000_0000_0002);
const PAYLOAD: &str = r#"{"at":"2026-11-21T00:00:00.000000Z","event":{"agent_became_ready":{}}}"#;
const STREAM: &str = "agentsession-01930000-0000-7000-8000-000000000003-1";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

async fn open(folder: &Path) -> Stores {
    let url = format!("sqlite:{}", folder.display());
    store::open(&url).await.unwrap()
}

/// The files of a migration as they were landed: nobody changes them any more.
#[test]
fn a_landed_migration_never_changes() {
    let list = root().join("old/migrations.txt");
    let sum = |text: &str| Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes());
    let mut listed = fs::read_to_string(&list).unwrap();
    let writes = std::env::var_os("UPDATE_GOLDEN").is_some();
    for migration in ALL {
        let (sqlite, postgres) = (sum(migration.sqlite), sum(migration.postgres));
        let line = format!("{} {sqlite} {postgres}", migration.name);
        let known = listed
            .lines()
            .find(|line| line.split(' ').next() == Some(migration.name));
        match known {
            Some(known) => assert_eq!(known, line, "what has changed is a new migration"),
            None if writes => listed.push_str(&format!("{line}\n")),
            None => panic!("{line} is not listed: UPDATE_GOLDEN=1 lists it"),
        }
    }
    if writes {
        fs::write(&list, listed).unwrap();
    }
}

#[tokio::test]
async fn the_record_of_the_first_version_is_read_and_goes_on() {
    let folder = TempDir::new().unwrap();
    for name in ["log", "read"] {
        let dump = root().join(format!("old/2026-11-21/{name}.sql"));
        let db = Connection::open(folder.path().join(format!("{name}.db"))).unwrap();
        db.execute_batch(&fs::read_to_string(dump).unwrap())
            .unwrap();
    }
    let stores = open(folder.path()).await;
    let page = stores.log.read_all(Position(0), 1_000).await.unwrap();
    assert_eq!(page.events.len(), 97);
    for (position, event) in (1..).zip(&page.events) {
        assert_eq!(event.position, Position(position));
        commands::feed::understand(event.clone()).unwrap();
        let found = stores.log.find_command(event.command_id).await.unwrap();
        assert_eq!(found.unwrap().0, event.stream);
    }
    let rows = async |sql: &str| stores.read.query(sql, vec![]).await.unwrap();
    let records = rows("SELECT count(*), count(DISTINCT call_id) FROM cdr").await;
    assert_eq!(records, [[Value::Int(5), Value::Int(5)]]);
    // A retry of a command of that time, and what comes next.
    let last = page.events.last().unwrap();
    let again = append(last.command_id, &last.stream, 0);
    let outcome = stores.log.append(vec![again]).await.remove(0);
    assert!(
        matches!(outcome, Err(AppendError::Duplicate { .. })),
        "{outcome:?}"
    );
    let next = append(CommandId(COMMAND), &StreamId::from_stored(STREAM), 0);
    let outcome = stores.log.append(vec![next]).await.remove(0);
    assert_eq!(outcome.unwrap().first, Position(98));
}

fn append(command_id: CommandId, stream: &StreamId, expected: u64) -> Append {
    Append {
        stream: stream.clone(),
        aggregate_type: "agentsession",
        expected,
        changes: vec![Change {
            command_id,
            metadata: Metadata {
                tenant: DEFAULT_TENANT,
                correlation_id: EVENT,
                causation_id: EVENT,
                actor: "test".into(),
                node_epoch: 1,
            },
            events: vec![NewEvent {
                event_id: EventId(EVENT),
                event_type: "agent_became_ready",
                event_version: 1,
                payload: PAYLOAD.into(),
            }],
        }],
    }
}

/// What the version after so many migrations had written.
fn written(blob: fn(Uuid) -> String) -> String {
    let (event, command) = (blob(EVENT), blob(COMMAND));
    let tenant = blob(DEFAULT_TENANT.0);
    format!(
        "INSERT INTO es_commands (command_id, stream, version, position) \
         VALUES ({command}, '{STREAM}', 1, 1);
         INSERT INTO events (global_position, aggregate_type, aggregate_id, sequence, event_type, \
         event_version, payload, event_id, command_id, tenant, correlation_id, causation_id, actor, \
         node_epoch, recorded_at METADATA) VALUES (1, 'agentsession', '{STREAM}', 1, \
         'agent_became_ready', '1', '{PAYLOAD}', {event}, {command}, {tenant}, {event}, {event}, \
         'test', 1, RECORDED);"
    )
}

/// The event of then is there, its command is known, and the stream goes on.
async fn check(stores: &Stores, after: &str) {
    let page = stores.log.read_all(Position(0), 10).await.unwrap();
    let [event] = page.events.as_slice() else {
        unreachable!("after {after}: {page:?}");
    };
    assert_eq!(event.event_id, EventId(EVENT));
    assert_eq!(&*event.payload, PAYLOAD);
    commands::feed::understand(event.clone()).unwrap();
    let stream = StreamId::from_stored(STREAM);
    let again = append(CommandId(COMMAND), &stream, 1);
    let outcome = stores.log.append(vec![again]).await.remove(0);
    let is_known = matches!(outcome, Err(AppendError::Duplicate { .. }));
    assert!(is_known, "after {after}: {outcome:?}");
    let next = CommandId(Uuid::from_u128(COMMAND.as_u128() + 1));
    let next = append(next, &stream, 1);
    let outcome = stores.log.append(vec![next]).await.remove(0);
    assert_eq!(outcome.unwrap().first, Position(2), "after {after}");
}

fn sqlite_blob(id: Uuid) -> String {
    format!("x'{}'", id.simple())
}

fn postgres_uuid(id: Uuid) -> String {
    format!("'{id}'")
}

/// The steps of a version that had so many of them.
fn versions() -> impl Iterator<Item = &'static [Migration]> {
    (1..=ALL.len()).map(|count| &ALL[..count])
}

#[tokio::test]
async fn every_earlier_version_of_the_embedded_store_is_brought_up_to_date() {
    for steps in versions() {
        let folder = TempDir::new().unwrap();
        let after = steps.last().unwrap().name;
        for (target, file) in [
            (Target::Log, "log.db"),
            (Target::Read, "read.db"),
            (Target::Secrets, "secrets.db"),
        ] {
            let db = Connection::open(folder.path().join(file)).unwrap();
            db.execute_batch(
                "CREATE TABLE schema_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, \
                 applied_at TEXT NOT NULL) STRICT",
            )
            .unwrap();
            for step in steps.iter().filter(|step| step.target == target) {
                db.execute_batch(step.sqlite).unwrap();
                let row = "INSERT INTO schema_migrations VALUES (?1, ?2, 'then')";
                db.execute(row, (step.number, step.name)).unwrap();
            }
            if target == Target::Log {
                let text = written(sqlite_blob);
                let text = text.replace(" METADATA", "").replace("RECORDED", "1");
                db.execute_batch(&text).unwrap();
            }
            filled::embedded(&db, target, steps);
        }
        let stores = open(folder.path()).await;
        check(&stores, after).await;
        filled::check(&stores, steps, after).await;
    }
}

#[tokio::test]
async fn every_earlier_version_of_the_database_is_brought_up_to_date() {
    for steps in versions() {
        let after = steps.last().unwrap().name;
        let database = testing::database().await;
        let mut sql = String::new();
        for (target, schema) in [
            (Target::Log, "public"),
            (Target::Read, "read_models"),
            (Target::Secrets, "secrets"),
        ] {
            sql.push_str(&format!(
                "CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path = {schema};
                 CREATE TABLE schema_migrations (number bigint PRIMARY KEY, name text NOT NULL, \
                 applied_at timestamptz NOT NULL DEFAULT now());\n"
            ));
            for step in steps.iter().filter(|step| step.target == target) {
                sql.push_str(step.postgres);
                sql.push_str(&format!(
                    "\n;INSERT INTO schema_migrations (number, name) VALUES ({}, '{}');\n",
                    step.number, step.name
                ));
            }
            if target == Target::Log {
                let text = written(postgres_uuid);
                let text = text.replace(" METADATA", ", metadata");
                sql.push_str(&text.replace("RECORDED", "now(), '{}'"));
            }
            sql.push_str(&filled::database(target, steps));
        }
        database.run(&sql).await.unwrap();
        let stores = store::open(database.url()).await.unwrap();
        check(&stores, after).await;
        filled::check(&stores, steps, after).await;
    }
}
