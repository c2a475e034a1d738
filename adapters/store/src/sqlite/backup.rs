//! Copies of an embedded store, made while a server may run on it, and the way
//! back. The log and the keys go to two places: an erasure would be undone by
//! any restore if they were kept together. Read models are not copied: they are
//! made from the log.

use super::connection::open_reader;
use commands::ports::Position;
use domain::time::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

/// Names of the two files, in a store and in a backup.
const LOG: &str = "log.db";
const KEYS: &str = "secrets.db";
/// What a backup says of itself; written last, so that one without it is none.
const MANIFEST: &str = "backup.json";
/// The layout of a backup.
const FORMAT: u32 = 1;
/// Bytes that are read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// What a part of a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The layout.
    pub format: u32,
    /// When it was begun.
    pub made_at: Timestamp,
    /// The file.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Position of the last event in it; of the log only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Position>,
    /// How many events are in it; of the log only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_count: Option<u64>,
}

/// Why there is no backup, or no restored store.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file or folder can not be used.
    #[error("{path} can not be used")]
    File {
        /// Which one.
        path: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// A database can not be read or copied.
    #[error("{path} can not be copied: {reason}")]
    Database {
        /// Which one.
        path: String,
        /// What SQLite said.
        reason: String,
    },
    /// There is something in a folder that must be empty.
    #[error("{0} is not empty: nothing is ever overwritten")]
    NotEmpty(String),
    /// The keys would lie with the log.
    #[error("log and keys need folders of their own, outside each other and the store: {0}")]
    Together(String),
    /// It is not what was written.
    #[error("{path} is not a good backup: {reason}")]
    Damaged {
        /// Which file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// Keys that were made between the two are missing.
    #[error("the keys are from {keys}, before the log, which is from {log}: take later ones")]
    OlderKeys {
        /// When the keys were copied.
        keys: Timestamp,
        /// When the log was copied.
        log: Timestamp,
    },
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> BackupError + '_ {
    move |cause| BackupError::File {
        path: path.display().to_string(),
        cause,
    }
}

fn database_error(path: &Path) -> impl Fn(rusqlite::Error) -> BackupError + '_ {
    move |error| BackupError::Database {
        path: path.display().to_string(),
        reason: error.to_string(),
    }
}

fn damaged(path: &Path, reason: impl Into<String>) -> BackupError {
    BackupError::Damaged {
        path: path.display().to_string(),
        reason: reason.into(),
    }
}

/// Copies the log of a store, then its keys, so that no key is missing that an
/// event of the copy needs; reads back and checks what was written.
///
/// # Errors
/// [`BackupError`]; a folder without `backup.json` is no backup then.
pub fn backup(
    store: &Path,
    log_to: &Path,
    keys_to: &Path,
    made_at: Timestamp,
) -> Result<Manifest, BackupError> {
    for name in [LOG, KEYS] {
        let path = store.join(name);
        File::open(&path).map_err(file_error(&path))?;
    }
    let places = [own_folder(log_to)?, own_folder(keys_to)?, real(store)?];
    for (index, place) in places.iter().enumerate() {
        for (_, other) in places.iter().enumerate().filter(|(i, _)| *i != index) {
            if place.starts_with(other) {
                return Err(BackupError::Together(place.display().to_string()));
            }
        }
    }
    let log = copy(&store.join(LOG), log_to, made_at)?;
    copy(&store.join(KEYS), keys_to, made_at)?;
    Ok(log)
}

/// Makes a store of a backup, in a folder that is not there or empty.
///
/// # Errors
/// [`BackupError`]; the folder of the store is not there then.
pub fn restore(log_from: &Path, keys_from: &Path, store: &Path) -> Result<Manifest, BackupError> {
    let log = check(log_from, LOG)?;
    let keys = check(keys_from, KEYS)?;
    if keys.made_at < log.made_at {
        return Err(BackupError::OlderKeys {
            keys: keys.made_at,
            log: log.made_at,
        });
    }
    if store.exists() {
        if fs::read_dir(store)
            .map_err(file_error(store))?
            .next()
            .is_some()
        {
            return Err(BackupError::NotEmpty(store.display().to_string()));
        }
        fs::remove_dir(store).map_err(file_error(store))?;
    }
    // All or nothing: the whole folder gets its name at the end.
    let mut partial = store.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    own_folder(&partial)?;
    for (from, name) in [(keys_from, KEYS), (log_from, LOG)] {
        let path = partial.join(name);
        fs::copy(from.join(name), &path).map_err(file_error(&path))?;
        synced(&path)?;
    }
    synced(&partial)?;
    fs::rename(&partial, store).map_err(file_error(store))?;
    if let Some(parent) = store.parent().filter(|parent| parent.is_dir()) {
        synced(parent)?;
    }
    Ok(log)
}

/// A folder that only its owner reads, made if it is not there; it must be empty.
fn own_folder(path: &Path) -> Result<PathBuf, BackupError> {
    fs::create_dir_all(path).map_err(file_error(path))?;
    let mut entries = fs::read_dir(path).map_err(file_error(path))?;
    if entries.next().is_some() {
        return Err(BackupError::NotEmpty(path.display().to_string()));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(path, mode).map_err(file_error(path))?;
    }
    real(path)
}

fn real(path: &Path) -> Result<PathBuf, BackupError> {
    path.canonicalize().map_err(file_error(path))
}

/// One consistent copy of a database, whoever writes to it meanwhile.
fn copy(from: &Path, folder: &Path, made_at: Timestamp) -> Result<Manifest, BackupError> {
    let name = from.file_name().unwrap_or_default();
    let path = folder.join(name);
    {
        let source = open_reader(from).map_err(|error| BackupError::Database {
            path: from.display().to_string(),
            reason: error.to_string(),
        })?;
        source
            .execute("VACUUM INTO ?1", [path.to_string_lossy()])
            .map_err(database_error(from))?;
    }
    synced(&path)?;
    let (head, events_count) = verified(&path)?;
    let manifest = Manifest {
        format: FORMAT,
        made_at,
        file: name.to_string_lossy().into_owned(),
        sha256: hash(&path)?,
        head,
        events_count,
    };
    let place = folder.join(MANIFEST);
    let text =
        serde_json::to_vec_pretty(&manifest).map_err(|error| damaged(&place, error.to_string()))?;
    fs::write(&place, text).map_err(file_error(&place))?;
    synced(&place)?;
    synced(folder)?;
    Ok(manifest)
}

/// Reads the whole copy; of a log, the position of its last event and how many
/// there are.
fn verified(path: &Path) -> Result<(Option<Position>, Option<u64>), BackupError> {
    let broken = database_error(path);
    let db = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(&broken)?;
    let found: String = db
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(&broken)?;
    if found != "ok" {
        return Err(damaged(path, found));
    }
    let is_log: bool = db
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'events')",
            [],
            |row| row.get(0),
        )
        .map_err(&broken)?;
    if !is_log {
        return Ok((None, None));
    }
    let sql = "SELECT coalesce(max(global_position), 0), count(*) FROM events";
    let (head, count): (i64, i64) = db
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(&broken)?;
    Ok((
        Some(Position(head.unsigned_abs())),
        Some(count.unsigned_abs()),
    ))
}

/// What a backup says of itself, if it is still what was written.
fn check(folder: &Path, name: &str) -> Result<Manifest, BackupError> {
    let place = folder.join(MANIFEST);
    let text = fs::read(&place).map_err(file_error(&place))?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| damaged(&place, error.to_string()))?;
    if manifest.format != FORMAT {
        return Err(damaged(&place, "it was written by another version"));
    }
    if manifest.file != name {
        return Err(damaged(&place, format!("it is of {}", manifest.file)));
    }
    let path = folder.join(name);
    if hash(&path)? != manifest.sha256 {
        return Err(damaged(&path, "it was changed since it was written"));
    }
    Ok(manifest)
}

fn hash(path: &Path) -> Result<String, BackupError> {
    let mut file = File::open(path).map_err(file_error(path))?;
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk).map_err(file_error(path))?;
        if read == 0 {
            return Ok(format!("{:x}", hash.finalize()));
        }
        hash.update(&chunk[..read]);
    }
}

fn synced(path: &Path) -> Result<(), BackupError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(file_error(path))
}
