//! The read store in memory: a SQLite database without a file, used where it
//! is called, so that it needs no thread and no runtime.

use crate::{
    migrate::Target,
    open::OpenError,
    sqlite::{connection::open_memory, statement, twin},
};
use async_trait::async_trait;
use commands::ports::{ReadStore, Statement, StoreError, Value};
use rusqlite::Connection;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The read store in memory.
#[derive(Debug)]
pub struct MemoryReadStore(Mutex<Connection>);

impl MemoryReadStore {
    /// An empty one, with the tables of this version.
    ///
    /// # Errors
    /// When a migration is wrong.
    pub fn open() -> Result<Self, OpenError> {
        open_memory(Target::Read).map(|db| Self(Mutex::new(db)))
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ReadStore for MemoryReadStore {
    async fn transact(&self, statements: Vec<Statement>) -> Result<(), StoreError> {
        let mut db = self.db();
        let refused = |error: rusqlite::Error| StoreError::Unavailable(error.to_string());
        // Dropped without a commit it undoes everything.
        let transaction = db.transaction().map_err(refused)?;
        for one in &statements {
            statement::execute(&transaction, one)?;
        }
        transaction.commit().map_err(refused)
    }

    async fn twin(&self, table: &'static str, twin: &'static str) -> Result<(), StoreError> {
        twin::make(&self.db(), table, twin)
    }

    async fn query(
        &self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        statement::query(&self.db(), sql, &parameters)
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        // There is no file.
        Ok(())
    }
}
