//! What can go wrong with a folder: each is a clear error, and nothing is lost.

// Helpers of tests fail like tests.
#![allow(clippy::unwrap_used)]

use commands::ports::{
    Append, AppendError, Erasure, EventLog, Position, ReadError, Statement, StoreError, StreamId,
    Value, VaultError,
};
use domain::sealed::Party;
use ringledger_store::{
    self as store, OpenError, Stores,
    contract::{Ids, append_of},
    migrate::MigrateError,
};
use rusqlite::Connection;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};
use tempfile::TempDir;

async fn open(path: &Path) -> Result<Stores, OpenError> {
    store::open(&format!("sqlite:{}", path.display())).await
}

async fn append(log: &dyn EventLog, one: Append) -> Result<Position, AppendError> {
    let mut outcomes = log.append(vec![one]).await;
    outcomes.remove(0).map(|appended| appended.first)
}

/// The error with everything behind it, as a person would be shown it.
fn told(error: &OpenError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

#[tokio::test]
async fn a_second_server_on_one_folder_is_refused() {
    let folder = TempDir::new().unwrap();
    let first = open(folder.path()).await.unwrap();
    let error = open(folder.path()).await.unwrap_err();
    assert_eq!(error, OpenError::InUse(folder.path().display().to_string()));
    drop(first);
    open(folder.path()).await.unwrap();
}

#[tokio::test]
async fn a_url_that_is_not_understood_is_told_without_its_password() {
    for url in [
        "",
        "sqlite",
        "sqlite:",
        "mysql://user:hunter2@host/db",
        "memory:x",
    ] {
        let error = store::open(url).await.unwrap_err();
        assert!(matches!(error, OpenError::Url(_)), "{url}: {error}");
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn a_folder_that_can_not_be_made_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    for path in [file.join("data"), "/proc/ringledger".into()] {
        let error = open(&path).await.unwrap_err();
        assert!(matches!(error, OpenError::Folder { .. }), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()));
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_and_left_alone() {
    for name in ["log.db", "read.db", "secrets.db"] {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join(name);
        let letter = "Dear database, ".repeat(1000);
        fs::write(&file, &letter).unwrap();
        let error = open(folder.path()).await.unwrap_err();
        assert!(matches!(error, OpenError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains(file.to_str().unwrap()));
        assert_eq!(fs::read_to_string(&file).unwrap(), letter);
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let folder = TempDir::new().unwrap();
    drop(open(folder.path()).await.unwrap());
    let path = folder.path().join("log.db");
    let count = |db: &Connection| -> i64 {
        let sql = "SELECT count(*) FROM schema_migrations";
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let db = Connection::open(&path).unwrap();
    db.execute(
        "INSERT INTO schema_migrations VALUES (9001, '9001_from_the_future', 'then')",
        [],
    )
    .unwrap();
    let before = count(&db);
    let error = open(folder.path()).await.unwrap_err();
    let OpenError::Schema { cause, .. } = &error else {
        unreachable!("{error}");
    };
    assert!(matches!(cause, MigrateError::Newer { found: 9001, .. }));
    assert!(told(&error).contains("log.db"), "{}", told(&error));
    assert!(told(&error).contains("9001"), "{}", told(&error));
    assert_eq!(count(&db), before);
}

#[tokio::test]
async fn a_corrupt_row_is_named_by_its_position() {
    let folder = TempDir::new().unwrap();
    let ids = Ids::new("corrupt");
    let stream = StreamId::new("note", 1);
    let stores = open(folder.path()).await.unwrap();
    for version in 0..3 {
        append(&*stores.log, append_of(&ids, &stream, version, 1))
            .await
            .unwrap();
    }
    drop(stores);
    let db = Connection::open(folder.path().join("log.db")).unwrap();
    db.execute_batch(
        "DROP TRIGGER events_are_not_changed;
         UPDATE events SET event_id = x'00' WHERE global_position = 2",
    )
    .unwrap();
    drop(db);
    let log = open(folder.path()).await.unwrap().log;
    let error = log.read_all(Position(0), 10).await.unwrap_err();
    let reason = "event_id is not an id of 16 bytes".to_owned();
    let position = Position(2);
    assert_eq!(error, ReadError::Corrupt { position, reason });
    // What is whole can be read, and the log goes on.
    assert_eq!(
        log.read_all(Position(0), 1).await.unwrap().next,
        Position(1)
    );
    assert_eq!(
        log.read_all(Position(2), 9).await.unwrap().next,
        Position(3)
    );
    let next = append(&*log, append_of(&ids, &stream, 3, 1)).await;
    assert_eq!(next, Ok(Position(4)));
}

#[tokio::test]
async fn the_log_can_not_be_changed_or_shortened() {
    let folder = TempDir::new().unwrap();
    let stores = open(folder.path()).await.unwrap();
    let one = append_of(&Ids::new("kept"), &StreamId::new("note", 1), 0, 2);
    append(&*stores.log, one).await.unwrap();
    let db = Connection::open(folder.path().join("log.db")).unwrap();
    for sql in ["UPDATE events SET payload = '{}'", "DELETE FROM events"] {
        let error = db.execute(sql, []).unwrap_err();
        assert_eq!(error.to_string(), "the log is append-only");
    }
}

#[tokio::test]
async fn metadata_is_the_json_of_its_parts() {
    let folder = TempDir::new().unwrap();
    let stores = open(folder.path()).await.unwrap();
    let one = append_of(&Ids::new("metadata"), &StreamId::new("note", 1), 0, 1);
    let metadata = one.changes[0].metadata.clone();
    append(&*stores.log, one).await.unwrap();
    let db = Connection::open(folder.path().join("log.db")).unwrap();
    let json: String = db
        .query_row("SELECT metadata FROM cqrs_events", [], |row| row.get(0))
        .unwrap();
    let read: commands::ports::Metadata = serde_json::from_str(&json).unwrap();
    assert_eq!(read, metadata);
}

/// Set in the process that plays the part on the full disk.
const ON_FULL_DISK: &str = "RINGLEDGER_TEST_ON_FULL_DISK";

/// The limit on the size of a file stands in for the end of the disk: SQLite
/// meets it where it would meet the other, when it writes.
fn limit_files_to(bytes: &str) {
    let pid = std::process::id().to_string();
    let status = Command::new("prlimit")
        .args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")])
        .status()
        .unwrap();
    assert!(status.success());
}

fn leave_room_for(file: &Path, bytes: u64) {
    let size = fs::metadata(file).unwrap().len();
    limit_files_to(&(size + bytes).to_string());
}

#[test]
fn a_full_disk_is_told_loses_nothing_and_goes_on_when_there_is_room() {
    if std::env::var_os(ON_FULL_DISK).is_some() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(async {
            the_log_on_a_full_disk().await;
            the_rows_on_a_full_disk().await;
            the_keys_on_a_full_disk().await;
            an_erasure_on_a_full_disk().await;
        });
    }
    // A process that is not killed by the signal that comes with the limit.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "a_full_disk_is_told_loses_nothing_and_goes_on_when_there_is_room",
        ])
        .arg("--nocapture")
        .env(ON_FULL_DISK, "yes")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("1 passed"), "{told}");
}

async fn the_log_on_a_full_disk() {
    let folder = TempDir::new().unwrap();
    let stores = open(folder.path()).await.unwrap();
    let ids = Ids::new("full");
    let stream = StreamId::new("note", 1);
    let log = &*stores.log;
    append(log, append_of(&ids, &stream, 0, 1)).await.unwrap();
    leave_room_for(&folder.path().join("log.db-wal"), 100_000);

    let mut version = 1;
    let mut wakeups = log.wakeups();
    let (reason, refused) = loop {
        let one = append_of(&ids, &stream, version, 1);
        match append(log, one.clone()).await {
            Ok(position) => {
                version += 1;
                assert_eq!(position, Position(version));
            }
            Err(AppendError::Unavailable(reason)) => break (reason, one),
            Err(error) => unreachable!("{error}"),
        }
        assert!(version < 10_000, "the limit is never met");
    };
    assert!(version > 5, "there was room for some");
    assert!(
        reason.contains("full") || reason.contains("I/O"),
        "{reason}"
    );

    // What was acknowledged can be read, by position and by stream; what was
    // refused left no trace, and the refusal repeats.
    for _ in 0..3 {
        let again = append(log, refused.clone()).await;
        assert!(
            matches!(again, Err(AppendError::Unavailable(_))),
            "{again:?}"
        );
    }
    assert_eq!(
        log.read_stream(&stream, 0).await.unwrap().len() as u64,
        version
    );
    assert_eq!(log.head().await.unwrap(), Position(version));
    assert_eq!(*wakeups.borrow_and_update(), Position(version));
    let command_id = refused.changes[0].command_id;
    assert_eq!(log.find_command(command_id).await.unwrap(), None);

    // The very command that was refused is stored once there is room.
    limit_files_to("unlimited");
    let position = append(log, refused).await.unwrap();
    assert_eq!(position, Position(version + 1));
    drop(stores);
    let stores = open(folder.path()).await.unwrap();
    let page = stores.log.read_all(Position(0), 100_000).await.unwrap();
    let positions: Vec<_> = page.events.iter().map(|event| event.position.0).collect();
    assert_eq!(positions, (1..=version + 1).collect::<Vec<_>>());
}

async fn the_rows_on_a_full_disk() {
    let folder = TempDir::new().unwrap();
    let stores = open(folder.path()).await.unwrap();
    let insert = |id: i64| {
        let half = |from| Statement {
            sql: "INSERT INTO es_processes (name, version, position, state) VALUES ($1, $2, 1, $3)",
            parameters: vec![
                Value::Text(format!("{from} {id:06}")),
                Value::Int(id),
                Value::Text("x".repeat(200)),
            ],
            must_touch: Some(1),
        };
        stores.read.transact(vec![half("a"), half("b")])
    };
    leave_room_for(&folder.path().join("read.db-wal"), 100_000);
    let mut stored = 0;
    let refused = loop {
        match insert(stored).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 10_000, "the limit is never met");
    };
    assert!(stored > 2, "there was room for some");
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    for _ in 0..3 {
        assert!(insert(stored).await.is_err());
    }
    let rows = "SELECT count(*), count(DISTINCT version) FROM es_processes";
    let counts = stores.read.query(rows, vec![]).await.unwrap();
    assert_eq!(counts, [[Value::Int(stored * 2), Value::Int(stored)]]);

    limit_files_to("unlimited");
    insert(stored).await.unwrap();
    let counts = stores.read.query(rows, vec![]).await.unwrap();
    assert_eq!(
        counts,
        [[Value::Int(stored * 2 + 2), Value::Int(stored + 1)]]
    );
}

async fn the_keys_on_a_full_disk() {
    let folder = TempDir::new().unwrap();
    let stores = open(folder.path()).await.unwrap();
    let party = |number: u32| Party {
        user: number.to_string(),
        ..Party::default()
    };
    leave_room_for(&folder.path().join("secrets.db-wal"), 50_000);
    let mut sealed = Vec::new();
    loop {
        let number = sealed.len() as u32;
        match stores.vault.seal(&party(number)).await {
            Ok(one) => sealed.push(one),
            Err(VaultError::Unavailable(_)) => break,
            Err(error @ VaultError::Broken(_)) => unreachable!("{error}"),
        }
        assert!(sealed.len() < 10_000, "the limit is never met");
    }
    assert!(sealed.len() > 2, "there was room for some");
    limit_files_to("unlimited");
    let number = sealed.len() as u32;
    sealed.push(stores.vault.seal(&party(number)).await.unwrap());
    drop(stores);
    // A value that was sealed has a key that was stored.
    let stores = open(folder.path()).await.unwrap();
    for (number, one) in (0..).zip(&sealed) {
        let opened = stores.vault.open(one).await.unwrap();
        assert_eq!(opened, Some(party(number)));
    }
}

async fn an_erasure_on_a_full_disk() {
    let folder = TempDir::new().unwrap();
    let stores = open(folder.path()).await.unwrap();
    let party = |number: u32| Party {
        user: number.to_string(),
        ..Party::default()
    };
    let sealed = stores.vault.seal(&party(0)).await.unwrap();
    for number in 1..3_000 {
        stores.vault.seal(&party(number)).await.unwrap();
    }
    // Room for the file, and none for the same in the log of changes.
    let (file, log) = ("secrets.db", "secrets.db-wal");
    let [file, log] = [file, log].map(|name| folder.path().join(name));
    let db = Connection::open(&file).unwrap();
    db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    drop(db);
    leave_room_for(&file, 0);
    let erasure = Erasure {
        subject: sealed.subject,
        keys_through: 1,
        position: Position(7),
    };
    stores.vault.shred(&erasure).await.unwrap();
    for _ in 0..3 {
        let scrubbed = stores.vault.scrub().await;
        let is_later = matches!(scrubbed, Err(VaultError::Unavailable(_)));
        assert!(is_later, "{scrubbed:?}");
        // Whatever was written of the new file is gone.
        assert_eq!(fs::metadata(&log).unwrap().len(), 0);
    }
    assert_eq!(stores.vault.open(&sealed).await.unwrap(), None);
    assert_eq!(stores.vault.shredded().await.unwrap(), Position(7));
    // Who comes back has a new key, which that erasure does not mean.
    let again = stores.vault.seal(&party(0)).await.unwrap();
    stores.vault.shred(&erasure).await.unwrap();
    limit_files_to("unlimited");
    stores.vault.scrub().await.unwrap();
    assert_eq!(stores.vault.open(&again).await.unwrap(), Some(party(0)));
    assert_eq!(stores.vault.open(&sealed).await.unwrap(), None);
}
