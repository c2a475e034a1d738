//! The file of keys and credentials.

use super::{
    connection::{Durability, Folder, open_writer},
    statement,
    worker::Worker,
};
use crate::{migrate::Target, open::OpenError};
use async_trait::async_trait;
use commands::ports::{Secrets, Statement, StoreError, Value};
use std::sync::Arc;

/// Credentials on SQLite.
#[derive(Debug)]
pub struct SqliteSecrets {
    file: Arc<Worker>,
}

/// Opens `secrets.db`, readable by its owner only.
pub(crate) fn open_file(folder: &Arc<Folder>) -> Result<Arc<Worker>, OpenError> {
    let path = folder.file("secrets.db");
    let db = open_writer(&path, Target::Secrets, Durability::Full)?;
    // A destroyed key must not be left in free pages.
    db.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))
        .map_err(|error| OpenError::of_file(&path, &error))?;
    for name in ["secrets.db", "secrets.db-wal", "secrets.db-shm"] {
        owner_only(&folder.file(name))?;
    }
    Worker::start("secrets-writer", db, None, Arc::clone(folder))
        .map(Arc::new)
        .map_err(|error| OpenError::thread(&error))
}

#[cfg(unix)]
fn owner_only(path: &std::path::Path) -> Result<(), OpenError> {
    use std::{fs, io::ErrorKind, os::unix::fs::PermissionsExt};
    match fs::set_permissions(path, fs::Permissions::from_mode(0o600)) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(OpenError::Folder {
            path: path.display().to_string(),
            reason: error.to_string(),
        }),
    }
}

#[cfg(not(unix))]
fn owner_only(_path: &std::path::Path) -> Result<(), OpenError> {
    Ok(())
}

impl SqliteSecrets {
    pub(crate) fn new(file: Arc<Worker>) -> Self {
        Self { file }
    }

    async fn change(&self, sql: &'static str, texts: &[&str]) -> Result<(), StoreError> {
        let statement = Statement {
            sql,
            parameters: values(texts),
            must_touch: None,
        };
        self.file
            .call(move |db| statement::execute(db, &statement))
            .await
    }

    async fn rows(&self, sql: &'static str, texts: &[&str]) -> Result<Rows, StoreError> {
        let parameters = values(texts);
        self.file
            .call(move |db| statement::query(db, sql, &parameters))
            .await
    }
}

type Rows = Vec<Vec<Value>>;

fn values(texts: &[&str]) -> Vec<Value> {
    texts
        .iter()
        .map(|text| Value::Text((*text).to_owned()))
        .collect()
}

#[async_trait]
impl Secrets for SqliteSecrets {
    async fn put(&self, kind: &str, key: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO secrets (kind, key, value) VALUES ($1, $2, $3) \
                   ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value";
        self.change(sql, &[kind, key, value]).await
    }

    async fn put_new(&self, kind: &str, key: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO secrets (kind, key, value) VALUES ($1, $2, $3) \
                   ON CONFLICT (kind, key) DO NOTHING";
        self.change(sql, &[kind, key, value]).await
    }

    async fn get(&self, kind: &str, key: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM secrets WHERE kind = $1 AND key = $2";
        let rows = self.rows(sql, &[kind, key]).await?;
        Ok(rows.into_iter().flatten().find_map(text))
    }

    async fn remove(&self, kind: &str, key: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM secrets WHERE kind = $1 AND key = $2";
        self.change(sql, &[kind, key]).await
    }

    async fn list(&self, kind: &str) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "SELECT key, value FROM secrets WHERE kind = $1 ORDER BY key";
        let rows = self.rows(sql, &[kind]).await?;
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let mut cells = row.into_iter().filter_map(text);
                Some((cells.next()?, cells.next()?))
            })
            .collect())
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        Value::Null | Value::Int(_) | Value::Bytes(_) => None,
    }
}
