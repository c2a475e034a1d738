//! Read models, checkpoints and process rows in a file of their own: it has
//! its own writer, and may lose the last commits in a power cut, because all
//! of it can be rebuilt from the log.

use super::{
    connection::{BUSY_TIMEOUT, Durability, Folder, open_reader, open_writer},
    folding::Folding,
    reader::Readers,
    statement,
    worker::Worker,
};
use crate::{migrate::Target, open::OpenError};
use async_trait::async_trait;
use commands::ports::{ReadStore, Statement, StoreError, Value};
use std::sync::Arc;

/// Connections for queries.
const READERS: usize = 2;

/// The read store on SQLite.
#[derive(Debug)]
pub struct SqliteReadStore {
    writer: Worker,
    readers: Readers,
    /// Ends after them.
    _folding: Folding,
}

impl SqliteReadStore {
    pub(crate) fn open(folder: &Arc<Folder>) -> Result<Self, OpenError> {
        let path = folder.file("read.db");
        let db = open_writer(&path, Target::Read, Durability::Normal)?;
        let readers = (0..READERS)
            .map(|_| open_reader(&path))
            .collect::<Result<_, _>>()?;
        let folding = Folding::start("read-folding", &path, Arc::clone(folder))?;
        let nudge = Some(folding.nudge());
        let writer = Worker::start("read-writer", db, nudge, Arc::clone(folder))
            .map_err(|error| OpenError::thread(&error))?;
        Ok(Self {
            writer,
            readers: Readers::new(readers),
            _folding: folding,
        })
    }
}

#[async_trait]
impl ReadStore for SqliteReadStore {
    async fn transact(&self, statements: Vec<Statement>) -> Result<(), StoreError> {
        self.writer
            .call(move |db| {
                statements
                    .iter()
                    .try_for_each(|one| statement::execute(db, one))
            })
            .await
    }

    async fn twin(&self, table: &'static str, twin: &'static str) -> Result<(), StoreError> {
        self.writer
            .call(move |db| super::twin::make(db, table, twin))
            .await
    }

    async fn query(
        &self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let sql = sql.to_owned();
        self.readers
            .call(move |db| statement::query(db, &sql, &parameters))
            .await
            .map_err(StoreError::Unavailable)?
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.writer.rewrite(BUSY_TIMEOUT).await
    }
}
