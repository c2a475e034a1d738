//! Opening a SQLite file the way every part of the store needs it, and the
//! lock that keeps a second process away from the folder.

use super::migrate;
use crate::{migrate::Target, open::OpenError};
use rusqlite::{Connection, DatabaseName, OpenFlags};
use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

/// Page cache of one connection, in KiB.
const CACHE_KIB: u32 = 32 * 1024;
/// How much of a file is read through memory mapping, in bytes.
const MMAP_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// How long a statement waits for a lock of another connection.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Statements kept prepared per connection.
const STATEMENTS_MAX: usize = 256;
/// A writer folds the log of changes back into the file when it has this many
/// pages. Most of them have been by then: see [`super::folding`].
const FOLD_PAGES: u32 = 8000;

/// How far a commit must have got before it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It survives a power cut.
    Full,
    /// It survives a crash of the process; a power cut may take the last ones.
    Normal,
}

/// The folder of an embedded store, held by one process at a time.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Locked as long as it is open; the system frees it when the process dies.
    _lock: File,
}

impl Folder {
    /// Makes the folder if there is none and locks it for this process.
    pub(crate) fn hold(path: &Path) -> Result<Self, OpenError> {
        let refused = |error: std::io::Error| OpenError::Folder {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        fs::create_dir_all(path).map_err(refused)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(refused(error)),
        }
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Opens a file for writing, makes it if there is none, and brings its schema
/// up to date.
pub(crate) fn open_writer(
    path: &Path,
    target: Target,
    durability: Durability,
) -> Result<Connection, OpenError> {
    let file_error = |error: rusqlite::Error| OpenError::of_file(path, &error);
    let mut db = Connection::open(path).map_err(file_error)?;
    let read_only = db.is_readonly(DatabaseName::Main).map_err(file_error)?;
    if read_only {
        return Err(OpenError::Folder {
            path: path.display().to_string(),
            reason: "file is read-only".into(),
        });
    }
    prepare(&db, durability).map_err(file_error)?;
    migrate::run(&mut db, target, path)?;
    Ok(db)
}

/// Opens a file for reading beside its writer.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, OpenError> {
    let file_error = |error: rusqlite::Error| OpenError::of_file(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(file_error)?;
    tune(&db).map_err(file_error)?;
    Ok(db)
}

/// Opens a file for folding its log of changes back beside its writer.
pub(crate) fn open_for_folding(path: &Path) -> Result<Connection, OpenError> {
    let file_error = |error: rusqlite::Error| OpenError::of_file(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(file_error)?;
    tune(&db).map_err(file_error)?;
    // Whatever is folded is on the disk before the log of changes is used anew.
    db.pragma_update(None, "synchronous", "FULL")
        .map_err(file_error)?;
    Ok(db)
}

/// A database that lives as long as its connection.
pub(crate) fn open_memory(target: Target) -> Result<Connection, OpenError> {
    let path = Path::new(":memory:");
    let mut db = Connection::open_in_memory().map_err(|error| OpenError::of_file(path, &error))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    migrate::run(&mut db, target, path)?;
    Ok(db)
}

fn prepare(db: &Connection, durability: Durability) -> rusqlite::Result<()> {
    tune(db)?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    // The answer of journal_mode is a row, so these are queries.
    db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))?;
    db.pragma_update(None, "synchronous", synchronous)?;
    db.pragma_update(None, "wal_autocheckpoint", FOLD_PAGES)?;
    db.pragma_update(None, "foreign_keys", true)
}

fn tune(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    db.pragma_update(None, "cache_size", -i64::from(CACHE_KIB))?;
    db.pragma_update(None, "mmap_size", MMAP_BYTES_MAX)?;
    db.pragma_update(None, "temp_store", "MEMORY")
}
