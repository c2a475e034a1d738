//! Credentials in the schema `secrets`.

use super::{pool::Pool, unavailable};
use async_trait::async_trait;
use commands::ports::{Secrets, StoreError};

const PUT: &str = "INSERT INTO secrets.secrets (kind, key, value) VALUES ($1, $2, $3) \
     ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value";
const PUT_NEW: &str = "INSERT INTO secrets.secrets (kind, key, value) VALUES ($1, $2, $3) \
     ON CONFLICT (kind, key) DO NOTHING";
const GET: &str = "SELECT value FROM secrets.secrets WHERE kind = $1 AND key = $2";
const REMOVE: &str = "DELETE FROM secrets.secrets WHERE kind = $1 AND key = $2";
/// In order of bytes, as everywhere else, whatever the database's language is.
const LIST: &str =
    "SELECT key, value FROM secrets.secrets WHERE kind = $1 ORDER BY key COLLATE \"C\"";

/// Credentials on PostgreSQL.
#[derive(Debug)]
pub struct PostgresSecrets {
    pool: Pool,
}

impl PostgresSecrets {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool }
    }
}

#[async_trait]
impl Secrets for PostgresSecrets {
    async fn put(&self, kind: &str, key: &str, value: &str) -> Result<(), StoreError> {
        let put = sqlx::query(PUT).bind(kind).bind(key).bind(value);
        put.execute(&self.pool).await.map_err(unavailable)?;
        Ok(())
    }

    async fn put_new(&self, kind: &str, key: &str, value: &str) -> Result<(), StoreError> {
        let put = sqlx::query(PUT_NEW).bind(kind).bind(key).bind(value);
        put.execute(&self.pool).await.map_err(unavailable)?;
        Ok(())
    }

    async fn get(&self, kind: &str, key: &str) -> Result<Option<String>, StoreError> {
        let get = sqlx::query_scalar(GET).bind(kind).bind(key);
        get.fetch_optional(&self.pool).await.map_err(unavailable)
    }

    async fn remove(&self, kind: &str, key: &str) -> Result<(), StoreError> {
        let remove = sqlx::query(REMOVE).bind(kind).bind(key);
        remove.execute(&self.pool).await.map_err(unavailable)?;
        Ok(())
    }

    async fn list(&self, kind: &str) -> Result<Vec<(String, String)>, StoreError> {
        let list = sqlx::query_as(LIST).bind(kind);
        list.fetch_all(&self.pool).await.map_err(unavailable)
    }
}
