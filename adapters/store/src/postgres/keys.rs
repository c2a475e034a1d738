//! Data keys in the schema `secrets`.

use super::{pool::Pool, reason, unavailable};
use crate::{
    crypto::DataKey,
    vault::{Found, KeyTable},
};
use async_trait::async_trait;
use commands::ports::{Erasure, Position, StoreError, VaultError};
use domain::id::SubjectId;
use sqlx::Connection as _;
use std::time::Duration;
use uuid::Uuid;

const CURRENT: &str = "SELECT number, data_key FROM secrets.vault_keys \
     WHERE subject = $1 AND data_key IS NOT NULL ORDER BY number DESC LIMIT 1";
/// Another node may make it at the same time: one of them does.
const INSERT: &str = "INSERT INTO secrets.vault_keys (subject, number, data_key) \
     SELECT $1, coalesce(max(number), 0) + 1, $2 FROM secrets.vault_keys WHERE subject = $1 \
     ON CONFLICT DO NOTHING";
const FIND: &str = "SELECT data_key FROM secrets.vault_keys WHERE subject = $1 AND number = $2";
const NEWEST: &str = "SELECT coalesce(max(number), 0) FROM secrets.vault_keys WHERE subject = $1";
const DESTROY: &str = "UPDATE secrets.vault_keys SET data_key = NULL, erased_at = now() \
     WHERE subject = $1 AND number <= $2 AND data_key IS NOT NULL";
const IS_NOTED: &str = "SELECT EXISTS (SELECT 1 FROM secrets.vault_erasures \
     WHERE position = $1 AND subject = $2 AND keys_through = $3)";
const NOTE: &str = "INSERT INTO secrets.vault_erasures (position, subject, keys_through) \
     VALUES ($1, $2, $3) ON CONFLICT (position) DO UPDATE \
     SET subject = excluded.subject, keys_through = excluded.keys_through, is_clean = false";
const UNCLEAN: &str = "SELECT position, subject, keys_through FROM secrets.vault_erasures \
     WHERE NOT is_clean";
const CLEAN: &str = "UPDATE secrets.vault_erasures SET is_clean = true \
     WHERE position = $1 AND subject = $2 AND keys_through = $3";
/// Rows that nobody may use any more and that are in the file all the same, as the
/// second `VACUUM` has counted them.
const LEFT: &str = "SELECT pg_stat_get_dead_tuples('secrets.vault_keys'::regclass)";
const DESTROYED: &str = "SELECT coalesce(max(position), 0) FROM secrets.vault_erasures";
/// Writes the table anew, without what was there before. Nobody waits for it
/// longer than this: a new caller's key would wait behind it.
const REWRITE: [&str; 3] = [
    "SET lock_timeout = '2s'",
    "VACUUM FULL secrets.vault_keys",
    "VACUUM secrets.vault_keys",
];
/// How long all of that may take.
const REWRITE_MAX: Duration = Duration::from_secs(3_600);
/// The limit is taken back whatever became of the rest.
const WAIT_AGAIN: &str = "RESET lock_timeout";
const MASTER: &str = "SELECT value FROM secrets.vault_master WHERE name = 'subject_hash'";
const MAKE_MASTER: &str = "INSERT INTO secrets.vault_master (name, value) \
     VALUES ('subject_hash', $1) ON CONFLICT DO NOTHING";

/// The table of keys.
#[derive(Debug)]
pub(crate) struct PostgresKeys {
    pool: Pool,
}

impl PostgresKeys {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool }
    }

    /// The key of the subject hash; `fresh` becomes it on the first start.
    pub(crate) async fn master(&self, fresh: &DataKey) -> Result<DataKey, StoreError> {
        sqlx::query(MAKE_MASTER)
            .bind(fresh.bytes().as_slice())
            .execute(&self.pool)
            .await
            .map_err(unavailable)?;
        let bytes: Vec<u8> = sqlx::query_scalar(MASTER)
            .fetch_one(&self.pool)
            .await
            .map_err(unavailable)?;
        DataKey::from_stored(&bytes)
            .ok_or_else(|| StoreError::Unavailable("key is cut short".into()))
    }

    async fn usable(&self, subject: SubjectId) -> Result<Option<(u32, DataKey)>, VaultError> {
        let row: Option<(i64, Vec<u8>)> = sqlx::query_as(CURRENT)
            .bind(subject.0)
            .fetch_optional(&self.pool)
            .await
            .map_err(of_vault)?;
        row.map(|(number, bytes)| {
            let number = u32::try_from(number).map_err(|_| damaged())?;
            Ok((number, DataKey::from_stored(&bytes).ok_or_else(damaged)?))
        })
        .transpose()
    }
}

impl PostgresKeys {
    async fn rewrite(&self) -> Result<(), sqlx::Error> {
        let rewritten = self.pool.patient(REWRITE_MAX);
        let rewritten = rewritten.with(|connection| {
            Box::pin(async move {
                let mut outcome = Ok(());
                for step in REWRITE {
                    outcome = sqlx::query(step)
                        .execute(&mut *connection)
                        .await
                        .map(|_| ());
                    if outcome.is_err() {
                        break;
                    }
                }
                let again = sqlx::query(WAIT_AGAIN).execute(&mut *connection).await;
                outcome.and_then(|()| again.map(|_| ()))
            })
        });
        rewritten.await
    }
}

fn damaged() -> VaultError {
    VaultError::Unavailable("key is cut short".into())
}

fn of_vault(error: sqlx::Error) -> VaultError {
    VaultError::Unavailable(reason(&error))
}

#[async_trait]
impl KeyTable for PostgresKeys {
    async fn current(
        &self,
        subject: SubjectId,
        fresh: DataKey,
    ) -> Result<(u32, DataKey), VaultError> {
        if let Some(known) = self.usable(subject).await? {
            return Ok(known);
        }
        sqlx::query(INSERT)
            .bind(subject.0)
            .bind(fresh.bytes().as_slice())
            .execute(&self.pool)
            .await
            .map_err(of_vault)?;
        let made = self.usable(subject).await?;
        made.ok_or_else(|| VaultError::Unavailable("key was destroyed while it was made".into()))
    }

    async fn find(&self, subject: SubjectId, number: u32) -> Result<Found, VaultError> {
        let row: Option<Option<Vec<u8>>> = sqlx::query_scalar(FIND)
            .bind(subject.0)
            .bind(i64::from(number))
            .fetch_optional(&self.pool)
            .await
            .map_err(of_vault)?;
        match row {
            None => Ok(Found::Unknown),
            Some(None) => Ok(Found::Destroyed),
            Some(Some(bytes)) => DataKey::from_stored(&bytes)
                .map(Found::Key)
                .ok_or_else(damaged),
        }
    }

    async fn newest(&self, subject: SubjectId) -> Result<u32, VaultError> {
        let newest: i64 = sqlx::query_scalar(NEWEST)
            .bind(subject.0)
            .fetch_one(&self.pool)
            .await
            .map_err(of_vault)?;
        u32::try_from(newest).map_err(|_| damaged())
    }

    async fn destroy(&self, erasure: &Erasure) -> Result<(), VaultError> {
        let position = i64::try_from(erasure.position.0).unwrap_or(i64::MAX);
        let (subject, through) = (erasure.subject.0, i64::from(erasure.keys_through));
        let is_noted: bool = sqlx::query_scalar(IS_NOTED)
            .bind(position)
            .bind(subject)
            .bind(through)
            .fetch_one(&self.pool)
            .await
            .map_err(of_vault)?;
        if is_noted {
            return Ok(());
        }
        let destroyed = self.pool.with(|connection| {
            Box::pin(async move {
                let mut both = connection.begin().await?;
                sqlx::query(DESTROY)
                    .bind(subject)
                    .bind(through)
                    .execute(&mut *both)
                    .await?;
                sqlx::query(NOTE)
                    .bind(position)
                    .bind(subject)
                    .bind(through)
                    .execute(&mut *both)
                    .await?;
                both.commit().await
            })
        });
        destroyed.await.map_err(of_vault)
    }

    async fn scrub(&self) -> Result<(), VaultError> {
        let unclean: Vec<(i64, Uuid, i64)> = sqlx::query_as(UNCLEAN)
            .fetch_all(&self.pool)
            .await
            .map_err(of_vault)?;
        if unclean.is_empty() {
            return Ok(());
        }
        // The old rows must not stay in the table's file.
        self.rewrite().await.map_err(of_vault)?;
        let left: i64 = sqlx::query_scalar(LEFT)
            .fetch_one(&self.pool)
            .await
            .map_err(of_vault)?;
        if left > 0 {
            let reason = "a transaction that is older than the erasure still sees the keys";
            return Err(VaultError::Unavailable(reason.into()));
        }
        // What was destroyed meanwhile is not among them.
        for (position, subject, through) in unclean {
            sqlx::query(CLEAN)
                .bind(position)
                .bind(subject)
                .bind(through)
                .execute(&self.pool)
                .await
                .map_err(of_vault)?;
        }
        Ok(())
    }

    async fn destroyed(&self) -> Result<Position, VaultError> {
        let position: i64 = sqlx::query_scalar(DESTROYED)
            .fetch_one(&self.pool)
            .await
            .map_err(of_vault)?;
        Ok(Position(position.unsigned_abs()))
    }
}
