//! Data keys in `secrets.db`.

use super::worker::{Worker, unavailable};
use crate::{
    crypto::DataKey,
    vault::{Found, KeyTable},
};
use async_trait::async_trait;
use commands::ports::{StoreError, VaultError};
use domain::id::SubjectId;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;

const CURRENT: &str = "SELECT number, data_key FROM vault_keys \
     WHERE subject = ?1 AND data_key IS NOT NULL ORDER BY number DESC LIMIT 1";
const INSERT: &str = "INSERT INTO vault_keys (subject, number, data_key, created_at) \
     SELECT ?1, coalesce(max(number), 0) + 1, ?2, CAST(unixepoch('subsec') * 1000000 AS INTEGER) \
     FROM vault_keys WHERE subject = ?1 RETURNING number";
const FIND: &str = "SELECT data_key FROM vault_keys WHERE subject = ?1 AND number = ?2";
const DESTROY: &str = "UPDATE vault_keys SET data_key = NULL, \
     erased_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER) \
     WHERE subject = ?1 AND data_key IS NOT NULL";
const MASTER: &str = "SELECT value FROM vault_master WHERE name = 'subject_hash'";
const MAKE_MASTER: &str = "INSERT INTO vault_master (name, value) VALUES ('subject_hash', ?1) \
     ON CONFLICT DO NOTHING";

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

    async fn destroy(&self, subject: SubjectId) -> Result<(), VaultError> {
        self.file
            .call(move |db| {
                db.execute(DESTROY, [subject.0.as_bytes()])
                    .map_err(unavailable)
            })
            .await
            .map_err(of_vault)?;
        // The key must not stay in the log of changes either.
        self.file.fold().await.map_err(of_vault)
    }
}
