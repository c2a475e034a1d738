//! Looks at a store from beside the server that runs on it: connections that
//! can only read, and no lock.

use super::{
    connection::open_reader,
    event_log::{Reads, command_of, head_of, parameters, read_page, unavailable},
    migrate::check,
    reader::Readers,
    statement,
};
use crate::{answers::Answer, migrate::Target, open::OpenError};
use async_trait::async_trait;
use commands::ports::{
    Append, AppendError, Appended, EventLog, Page, Position, ReadError, ReadStore, Recorded,
    Statement, StoreError, StreamId, Value, Written,
};
use domain::id::CommandId;
use rusqlite::Connection;
use std::path::Path;
use tokio::sync::watch;

/// What is said to whoever wants to write.
const READ_ONLY: &str = "store was opened for reading only";

fn open(folder: &Path, file: &str, target: Target) -> Result<Readers, OpenError> {
    let path = folder.join(file);
    if !path.is_file() {
        return Err(OpenError::Folder {
            path: path.display().to_string(),
            reason: "there is no such file".into(),
        });
    }
    let db: Connection = open_reader(&path)?;
    check(&db, target, &path)?;
    Ok(Readers::new(vec![db]))
}

/// The log, for reading.
#[derive(Debug)]
pub(crate) struct LogLook {
    readers: Readers,
    head: watch::Sender<Position>,
}

impl LogLook {
    pub(crate) fn open(folder: &Path) -> Result<Self, OpenError> {
        Ok(Self {
            readers: open(folder, "log.db", Target::Log)?,
            head: watch::Sender::new(Position::default()),
        })
    }
}

#[async_trait]
impl EventLog for LogLook {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        vec![Err(AppendError::Unavailable(READ_ONLY.into())); batch.len()]
    }

    async fn read_stream(&self, stream: &StreamId, after: u64) -> Result<Vec<Recorded>, ReadError> {
        self.read_stream_page(stream, after, usize::MAX).await
    }

    async fn read_stream_page(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let parameters = parameters(Some(stream.as_str()), after, limit);
        let work = move |db: &Connection| read_page(db, Reads::StreamPage, &parameters);
        self.readers
            .call(work)
            .await
            .map_err(ReadError::Unavailable)?
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        let parameters = parameters(None, after.0, limit);
        let work = move |db: &Connection| read_page(db, Reads::All, &parameters);
        let events = self.readers.call(work).await;
        let events = events.map_err(ReadError::Unavailable)??;
        let next = events.last().map_or(after, |event| event.position);
        Ok(Page { events, next })
    }

    async fn find_command(
        &self,
        command_id: CommandId,
    ) -> Result<Option<(StreamId, Written)>, ReadError> {
        let work = move |db: &Connection| command_of(db, command_id).map_err(unavailable);
        let answer = self.readers.call(work).await;
        let answer = answer.map_err(ReadError::Unavailable)??;
        Ok(answer.and_then(Answer::written))
    }

    async fn head(&self) -> Result<Position, ReadError> {
        let work = |db: &Connection| head_of(db).map(Position).map_err(unavailable);
        self.readers
            .call(work)
            .await
            .map_err(ReadError::Unavailable)?
    }

    fn wakeups(&self) -> watch::Receiver<Position> {
        // Whoever looks asks for the head; nobody tells of it here.
        self.head.subscribe()
    }
}

/// The read models, for reading.
#[derive(Debug)]
pub(crate) struct ReadLook(Readers);

impl ReadLook {
    pub(crate) fn open(folder: &Path) -> Result<Self, OpenError> {
        open(folder, "read.db", Target::Read).map(Self)
    }
}

#[async_trait]
impl ReadStore for ReadLook {
    async fn transact(&self, _statements: Vec<Statement>) -> Result<(), StoreError> {
        Err(StoreError::Unavailable(READ_ONLY.into()))
    }

    async fn query(
        &self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let sql = sql.to_owned();
        let work = move |db: &Connection| statement::query(db, &sql, &parameters);
        self.0.call(work).await.map_err(StoreError::Unavailable)?
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        Err(StoreError::Unavailable(READ_ONLY.into()))
    }
}
