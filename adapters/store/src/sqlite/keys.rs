//! Data keys in `secrets.db`.

use super::worker::{Worker, unavailable};
use crate::{
    crypto::DataKey,
    vault::{Found, KeyTable},
};
use async_trait::async_trait;
use commands::ports::{Erasure, Position, StoreError, VaultError};
use domain::id::SubjectId;
use rusqlite::{Connection, OptionalExtension, params};
use std::{sync::Arc, time::Duration};

const CURRENT: &str = "SELECT number, data_key FROM vault_keys \
     WHERE subject = ?1 AND data_key IS NOT NULL ORDER BY number DESC LIMIT 1";
const INSERT: &str = "INSERT INTO vault_keys (subject, number, data_key, created_at) \
     SELECT ?1, coalesce(max(number), 0) + 1, ?2, CAST(unixepoch('subsec') * 1000000 AS INTEGER) \
     FROM vault_keys WHERE subject = ?1 RETURNING number";
const FIND: &str = "SELECT data_key FROM vault_keys WHERE subject = ?1 AND number = ?2";
const NEWEST: &str = "SELECT coalesce(max(number), 0) FROM vault_keys WHERE subject = ?1";
const DESTROY: &str = "UPDATE vault_keys SET data_key = NULL, \
     erased_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER) \
     WHERE subject = ?1 AND number <= ?2 AND data_key IS NOT NULL";
const IS_NOTED: &str = "SELECT EXISTS (SELECT 1 FROM vault_erasures \
     WHERE position = ?1 AND subject = ?2 AND keys_through = ?3)";
const NOTE: &str = "INSERT OR REPLACE INTO vault_erasures (position, subject, keys_through) \
     VALUES (?1, ?2, ?3)";
const UNCLEAN: &str = "SELECT position, subject, keys_through FROM vault_erasures \
     WHERE NOT is_clean";
const CLEAN: &str = "UPDATE vault_erasures SET is_clean = 1 \
     WHERE position = ?1 AND subject = ?2 AND keys_through = ?3";
const DESTROYED: &str = "SELECT coalesce(max(position), 0) FROM vault_erasures";
const MASTER: &str = "SELECT value FROM vault_master WHERE name = 'subject_hash'";
const MAKE_MASTER: &str = "INSERT INTO vault_master (name, value) VALUES ('subject_hash', ?1) \
     ON CONFLICT DO NOTHING";

/// How long whoever needs a new key waits for one who reads the file, a backup of the
/// keys for example, when the file is written anew.
const PATIENCE: Duration = Duration::from_millis(500);

/// An erasure as it was noted: its position, whose keys, and up to which.
type Noted = (i64, Vec<u8>, u32);

/// The table of keys.
#[derive(Debug)]
pub(crate) struct SqliteKeys {
    file: Arc<Worker>,
}

impl SqliteKeys {
    pub(crate) fn new(file: Arc<Worker>) -> Self {
        Self { file }
    }

    /// The key of the subject hash; `fresh` becomes it on the first start.
    pub(crate) async fn master(&self, fresh: DataKey) -> Result<DataKey, StoreError> {
        self.file
            .call(move |db| {
                db.execute(MAKE_MASTER, [fresh.bytes()])
                    .map_err(unavailable)?;
                db.query_row(MASTER, [], |row| row.get::<_, Vec<u8>>(0))
                    .map_err(unavailable)
                    .and_then(|bytes| stored_key(&bytes))
            })
            .await
    }
}

fn stored_key(bytes: &[u8]) -> Result<DataKey, StoreError> {
    DataKey::from_stored(bytes).ok_or_else(|| StoreError::Unavailable("key is cut short".into()))
}

fn current(db: &Connection, subject: SubjectId) -> Result<Option<(u32, DataKey)>, StoreError> {
    let row = db
        .prepare_cached(CURRENT)
        .and_then(|mut statement| {
            statement
                .query_row([subject.0.as_bytes()], |row| {
                    Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))
                })
                .optional()
        })
        .map_err(unavailable)?;
    row.map(|(number, bytes)| Ok((number, stored_key(&bytes)?)))
        .transpose()
}

fn of_vault(error: StoreError) -> VaultError {
    VaultError::Unavailable(error.to_string())
}

#[async_trait]
impl KeyTable for SqliteKeys {
    async fn current(
        &self,
        subject: SubjectId,
        fresh: DataKey,
    ) -> Result<(u32, DataKey), VaultError> {
        self.file
            .call(move |db| {
                if let Some(known) = current(db, subject)? {
                    return Ok(known);
                }
                let number = db
                    .prepare_cached(INSERT)
                    .and_then(|mut statement| {
                        statement.query_row(params![subject.0.as_bytes(), fresh.bytes()], |row| {
                            row.get(0)
                        })
                    })
                    .map_err(unavailable)?;
                Ok((number, fresh))
            })
            .await
            .map_err(of_vault)
    }

    async fn find(&self, subject: SubjectId, number: u32) -> Result<Found, VaultError> {
        self.file
            .call(move |db| {
                let row = db
                    .prepare_cached(FIND)
                    .and_then(|mut statement| {
                        statement
                            .query_row(params![subject.0.as_bytes(), number], |row| {
                                row.get::<_, Option<Vec<u8>>>(0)
                            })
                            .optional()
                    })
                    .map_err(unavailable)?;
                match row {
                    None => Ok(Found::Unknown),
                    Some(None) => Ok(Found::Destroyed),
                    Some(Some(bytes)) => stored_key(&bytes).map(Found::Key),
                }
            })
            .await
            .map_err(of_vault)
    }

    async fn newest(&self, subject: SubjectId) -> Result<u32, VaultError> {
        self.file
            .call(move |db| {
                db.query_row(NEWEST, [subject.0.as_bytes()], |row| row.get(0))
                    .map_err(unavailable)
            })
            .await
            .map_err(of_vault)
    }

    async fn destroy(&self, erasure: &Erasure) -> Result<(), VaultError> {
        let Erasure {
            subject,
            keys_through,
            position,
        } = *erasure;
        let position = i64::try_from(position.0).unwrap_or(i64::MAX);
        let destroy = self.file.call(move |db| {
            let bytes = subject.0.as_bytes();
            let is_noted: bool = db
                .query_row(IS_NOTED, params![position, bytes, keys_through], |row| {
                    row.get(0)
                })
                .map_err(unavailable)?;
            if !is_noted {
                db.execute(DESTROY, params![bytes, keys_through])
                    .map_err(unavailable)?;
                db.execute(NOTE, params![position, bytes, keys_through])
                    .map_err(unavailable)?;
            }
            Ok(())
        });
        destroy.await.map_err(of_vault)
    }

    async fn scrub(&self) -> Result<(), VaultError> {
        let unclean = self.file.call(|db| {
            let mut statement = db.prepare_cached(UNCLEAN).map_err(unavailable)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
            let rows = rows.and_then(Iterator::collect::<Result<Vec<Noted>, _>>);
            rows.map_err(unavailable)
        });
        let unclean = unclean.await.map_err(of_vault)?;
        if unclean.is_empty() {
            return Ok(());
        }
        // A key must not stay in free space or in the log of changes.
        self.file.rewrite(PATIENCE).await.map_err(of_vault)?;
        // What was destroyed meanwhile is not among them.
        let note = self.file.call(move |db| {
            let mut statement = db.prepare_cached(CLEAN).map_err(unavailable)?;
            for (position, subject, keys_through) in &unclean {
                statement
                    .execute(params![position, subject, keys_through])
                    .map_err(unavailable)?;
            }
            Ok(())
        });
        note.await.map_err(of_vault)
    }

    async fn destroyed(&self) -> Result<Position, VaultError> {
        self.file
            .call(move |db| {
                db.query_row(DESTROYED, [], |row| row.get::<_, i64>(0))
                    .map_err(unavailable)
            })
            .await
            .map(|position| Position(position.unsigned_abs()))
            .map_err(of_vault)
    }
}
