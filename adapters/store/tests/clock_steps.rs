//! The clock of a store is set ahead and back: what was taken in a time is found by the
//! times that stand beside the events, wherever they are in the log.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use commands::ports::{EventLog, Position, StreamId, Stretch};
use domain::time::Timestamp;
use ringledger_store::{
    self as store,
    contract::{Ids, append_of},
    testing,
};
use std::path::Path;
use tempfile::TempDir;

const DAY_MICROS: i64 = 86_400_000_000;
/// An event as one that was written while the clock was ten years ahead.
const AHEAD: &str = "INSERT INTO EVENTS (global_position, aggregate_type, aggregate_id, sequence, \
     event_type, event_version, payload, event_id, command_id, tenant, correlation_id, \
     causation_id, actor, node_epoch, recorded_at METADATA) \
     SELECT LAST, aggregate_type, 'note-ahead-LAST', 1, event_type, event_version, payload, \
     event_id, command_id, tenant, correlation_id, causation_id, actor, node_epoch, \
     recorded_at + TEN_YEARS METADATA FROM EVENTS WHERE global_position = 1";
/// A database of a version that did not note where the clock was set.
const FORGET: [&str; 2] = [
    "DROP TABLE es_clock_steps",
    "DELETE FROM schema_migrations WHERE number = 451",
];

async fn write(log: &dyn EventLog, ids: &Ids, stream: u32, count: u32) {
    let one = append_of(ids, &StreamId::new("note", stream), 0, count);
    log.append(vec![one]).await.remove(0).unwrap();
}

fn stretch(first: u64, last: u64) -> Stretch {
    Stretch {
        first: Position(first),
        last: Position(last),
        behind: None,
    }
}

async fn found_in_their_time(log: &dyn EventLog) {
    let first = log.read_all(Position(0), 1).await.unwrap().events.remove(0);
    let tomorrow = first.recorded_at.micros() + DAY_MICROS;
    let tomorrow = Some(Timestamp::from_micros(tomorrow));
    let until_then = log.taken(None, tomorrow).await.unwrap();
    assert_eq!(until_then, [stretch(1, 3), stretch(5, 6), stretch(8, 8)]);
    let from_then = log.taken(tomorrow, None).await.unwrap();
    assert_eq!(from_then, [stretch(4, 4), stretch(7, 7)]);
    let at_first = Some(Timestamp::from_micros(first.recorded_at.micros() + 1));
    let at_first = log.taken(None, at_first).await.unwrap();
    assert_eq!(at_first[0].first, Position(1));
}

async fn written_over_jumps(open: impl AsyncFn() -> store::Stores, run: impl AsyncFn(&str)) {
    let ids = Ids::new("jumps");
    write(&*open().await.log, &ids, 1, 3).await;
    run(&AHEAD.replace("LAST", "4")).await;
    write(&*open().await.log, &ids, 2, 2).await;
    run(&AHEAD.replace("LAST", "7")).await;
    let stores = open().await;
    write(&*stores.log, &ids, 3, 1).await;
    found_in_their_time(&*stores.log).await;
    drop(stores);
    for step in FORGET {
        run(step).await;
    }
    found_in_their_time(&*open().await.log).await;
}

#[tokio::test]
async fn the_embedded_log_finds_what_was_taken_in_a_time_over_jumps_of_its_clock() {
    let folder = TempDir::new().unwrap();
    let path: &Path = folder.path();
    let open = async || {
        store::open(&format!("sqlite:{}", path.display()))
            .await
            .unwrap()
    };
    let run = async |sql: &str| {
        let sql = sql.replace(" METADATA", "").replace("EVENTS", "events");
        let sql = sql.replace("TEN_YEARS", "3650 * 86400000000");
        let db = rusqlite::Connection::open(path.join("log.db")).unwrap();
        db.execute_batch(&sql).unwrap();
    };
    written_over_jumps(open, run).await;
}

#[tokio::test]
async fn the_database_finds_what_was_taken_in_a_time_over_jumps_of_its_clock() {
    let database = testing::database().await;
    let open = async || store::open(database.url()).await.unwrap();
    let run = async |sql: &str| {
        let sql = sql.replace(" METADATA", ", metadata");
        let sql = sql.replace("EVENTS", "public.events");
        let sql = sql.replace("TEN_YEARS", "interval '3650 days'");
        database
            .run(&format!("SET search_path = public; {sql}"))
            .await
            .unwrap();
    };
    written_over_jumps(open, run).await;
}
