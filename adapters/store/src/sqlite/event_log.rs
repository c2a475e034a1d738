//! The event log on SQLite: one writer thread that commits in groups, and a
//! few connections that read beside it.

use super::{
    connection::{Durability, Folder, open_reader, open_writer},
    folding::Folding,
    reader::Readers,
    row::{self, Names, columns},
    thread::Owner,
    writer::{self, Job, Writer},
};
use crate::{
    answers::Answer,
    halves,
    migrate::Target,
    open::OpenError,
    steps::{self, Step},
};
use async_trait::async_trait;
use commands::ports::{
    Append, AppendError, Appended, EventLog, Page, Position, ReadError, Recorded, Refusal,
    StoreError, StreamId, Stretch, Written,
};
use domain::{id::CommandId, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, ToSql};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot, watch};

/// How many batches may wait for the writer.
const JOBS_MAX: usize = 4096;
/// Connections for reading.
const READERS: usize = 2;

/// How long a start waits for the writer to let go of the file.
const EPOCH_WAIT: Duration = Duration::from_secs(10);

const NEXT_EPOCH: &str = "INSERT INTO es_nodes (epoch, name, started_at) \
     SELECT coalesce(max(epoch), 0) + 1, ?1, CAST(unixepoch('subsec') * 1000000 AS INTEGER) \
     FROM es_nodes RETURNING epoch";
/// Whether a newer run of the same node has begun.
pub(crate) const IS_OVER: &str = "SELECT EXISTS (SELECT 1 FROM es_nodes own \
     JOIN es_nodes newer ON newer.epoch > own.epoch AND newer.name = own.name \
     WHERE own.epoch = ?1)";
const READ_STREAM_PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM events WHERE aggregate_id = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3"
);
const READ_ALL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM events WHERE global_position > ?1 ORDER BY global_position LIMIT ?2"
);
const STEPS: &str =
    "SELECT position, recorded_before, recorded_at FROM es_clock_steps ORDER BY position";
const TAKEN_AT: &str = "SELECT global_position, recorded_at FROM events \
     WHERE global_position >= ?1 ORDER BY global_position LIMIT 1";
const LAST_TAKEN: &str = "SELECT recorded_at FROM events ORDER BY global_position DESC LIMIT 1";
const FIND_COMMAND: &str =
    "SELECT stream, version, position, refusal FROM es_commands WHERE command_id = ?1";

/// The event log on SQLite.
#[derive(Debug)]
pub struct SqliteLog {
    writer: Owner<Job>,
    readers: Readers,
    head: watch::Receiver<Position>,
    path: PathBuf,
    /// Ends after them.
    _folding: Folding,
}

impl SqliteLog {
    pub(crate) fn open(folder: &Arc<Folder>) -> Result<Self, OpenError> {
        let path = folder.file("log.db");
        let db = open_writer(&path, Target::Log, Durability::Full)?;
        let head: u64 = head_of(&db).map_err(|error| OpenError::of_file(&path, &error))?;
        let readers = (0..READERS)
            .map(|_| open_reader(&path))
            .collect::<Result<_, _>>()?;
        let (wake, head) = watch::channel(Position(head));
        // Bounded by the jobs that the writer accepts.
        let (answers, answered) = mpsc::unbounded_channel();
        tokio::spawn(writer::pass_on(answered));
        let folding = Folding::start("log-folding", &path, Arc::clone(folder))?;
        let (nudge, guard) = (folding.nudge(), Arc::clone(folder));
        let writer = Owner::start("log-writer", JOBS_MAX, move |jobs| {
            match Writer::new(&db, wake, answers, nudge) {
                Ok(mut writer) => writer.serve(jobs),
                // Whoever asks is told that the writer has stopped.
                Err(error) => tracing::error!(%error, "event log can not be written"),
            }
            drop(db);
            drop(guard);
        })
        .map_err(|error| OpenError::thread(&error))?;
        Ok(Self {
            writer,
            readers: Readers::new(readers),
            head,
            path,
            _folding: folding,
        })
    }

    /// Notes a start of the node of that name and returns its run number.
    pub(crate) async fn next_epoch(&self, name: &str) -> Result<u64, StoreError> {
        let path = self.path.clone();
        let name = name.to_owned();
        // Once per start: a connection for it is cheaper than a kind of job.
        tokio::task::spawn_blocking(move || -> rusqlite::Result<u64> {
            let db = Connection::open(path)?;
            db.busy_timeout(EPOCH_WAIT)?;
            db.pragma_update(None, "synchronous", "FULL")?;
            db.query_row(NEXT_EPOCH, [name], |row| row.get(0))
        })
        .await
        .map_err(|error| StoreError::Unavailable(error.to_string()))?
        .map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    /// Whether a newer run of the same node has begun.
    pub(crate) async fn is_over(&self, node_epoch: u64) -> Result<bool, StoreError> {
        let is_over = move |db: &Connection| {
            let mut statement = db.prepare_cached(IS_OVER)?;
            statement.query_row([node_epoch], |row| row.get(0))
        };
        let found = self.look(is_over).await;
        found.map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        let work = move |db: &Connection| work(db).map_err(unavailable);
        self.readers
            .call(work)
            .await
            .map_err(ReadError::Unavailable)?
    }

    async fn read(&self, what: Reads, parameters: Parameters) -> Result<Vec<Recorded>, ReadError> {
        self.readers
            .call(move |db| read_page(db, what, &parameters))
            .await
            .map_err(ReadError::Unavailable)?
    }
}

/// Position of the last event in the file.
pub(crate) fn head_of(db: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(max(global_position), 0) FROM events";
    db.query_row(sql, [], |row| row.get(0))
}

/// When the last event in the file was taken; long ago if there is none.
pub(crate) fn last_taken(db: &Connection) -> rusqlite::Result<i64> {
    let last = db.query_row(LAST_TAKEN, [], |row| row.get(0)).optional()?;
    Ok(last.unwrap_or(i64::MIN))
}

fn steps_of(db: &Connection) -> rusqlite::Result<Vec<Step>> {
    let mut statement = db.prepare_cached(STEPS)?;
    let steps = statement.query_map([], |row| {
        Ok(Step {
            position: Position(row.get(0)?),
            before: Timestamp::from_micros(row.get(1)?),
            after: Timestamp::from_micros(row.get(2)?),
        })
    })?;
    steps.collect()
}

fn taken_at(
    db: &Connection,
    position: Position,
) -> rusqlite::Result<Option<(Position, Timestamp)>> {
    let position = i64::try_from(position.0).unwrap_or(i64::MAX);
    db.prepare_cached(TAKEN_AT)?
        .query_row([position], |row| {
            let taken = Timestamp::from_micros(row.get(1)?);
            Ok((Position(row.get(0)?), taken))
        })
        .optional()
}

/// What a command has come to.
pub(crate) fn command_of(
    db: &Connection,
    command_id: CommandId,
) -> rusqlite::Result<Option<Answer>> {
    db.prepare_cached(FIND_COMMAND)?
        .query_row([command_id.0.as_bytes()], |row| {
            let written = Written {
                version: row.get(1)?,
                position: Position(row.get(2)?),
            };
            let refusal = row.get_ref(3)?.as_str_or_null()?;
            Answer::read(row.get_ref(0)?.as_str()?, written, refusal).map_err(|reason| {
                rusqlite::Error::FromSqlConversionFailure(
                    3,
                    rusqlite::types::Type::Text,
                    reason.into(),
                )
            })
        })
        .optional()
}

/// What is read of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// A stretch of one stream.
    StreamPage,
    /// A stretch of everything.
    All,
}

/// The values of a read: of which stream, after what, how many.
pub(crate) type Parameters = Vec<Box<dyn ToSql + Send>>;

pub(crate) fn parameters(stream: Option<&str>, after: u64, limit: usize) -> Parameters {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let stream = stream.map(|name| -> Box<dyn ToSql + Send> { Box::new(name.to_owned()) });
    let mut parameters: Parameters = stream.into_iter().collect();
    parameters.push(Box::new(after));
    parameters.push(Box::new(limit));
    parameters
}

pub(crate) fn read_page(
    db: &Connection,
    what: Reads,
    parameters: &Parameters,
) -> Result<Vec<Recorded>, ReadError> {
    /// Room made before the first row is seen.
    const EXPECTED: usize = 64;
    let sql = match what {
        Reads::StreamPage => READ_STREAM_PAGE,
        Reads::All => READ_ALL,
    };
    let mut statement = db.prepare_cached(sql).map_err(unavailable)?;
    let values = parameters.iter().map(|one| &**one as &dyn ToSql);
    let mut rows = statement
        .query(rusqlite::params_from_iter(values))
        .map_err(unavailable)?;
    let mut events = Vec::with_capacity(EXPECTED);
    let mut names = Names::default();
    while let Some(row) = rows.next().map_err(unavailable)? {
        events.push(row::decode(row, &mut names)?);
    }
    Ok(events)
}

pub(crate) fn unavailable(error: rusqlite::Error) -> ReadError {
    ReadError::Unavailable(error.to_string())
}

#[async_trait]
impl EventLog for SqliteLog {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        let count = batch.len();
        let (reply, answer) = oneshot::channel();
        let accepted = self.writer.send(Job::Append { batch, reply }).await;
        let answered = if accepted { answer.await.ok() } else { None };
        match answered {
            Some((outcomes, _batch)) => outcomes,
            None => {
                let stopped = AppendError::Unavailable("log writer has stopped".into());
                vec![Err(stopped); count]
            }
        }
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
        self.read(Reads::StreamPage, parameters).await
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        let head = *self.head.borrow();
        halves::read(after, limit, head, |after, limit| {
            self.read(Reads::All, parameters(None, after.0, limit))
        })
        .await
    }

    async fn taken(
        &self,
        from: Option<Timestamp>,
        before: Option<Timestamp>,
    ) -> Result<Vec<Stretch>, ReadError> {
        let head = *self.head.borrow();
        let steps = self.look(steps_of).await?;
        let at = |position| self.look(move |db| taken_at(db, position));
        steps::stretches(&steps, head, (from, before), at).await
    }

    async fn find_command(
        &self,
        command_id: CommandId,
    ) -> Result<Option<(StreamId, Written)>, ReadError> {
        self.readers
            .call(move |db| command_of(db, command_id).map_err(unavailable))
            .await
            .map_err(ReadError::Unavailable)?
            .map(|answer| answer.and_then(Answer::written))
    }

    async fn refuse(
        &self,
        node_epoch: u64,
        command_id: CommandId,
        refusal: Refusal,
    ) -> Result<(), AppendError> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Refuse {
            node_epoch,
            command_id,
            refusal,
            reply,
        };
        let stopped = || AppendError::Unavailable("log writer has stopped".into());
        if !self.writer.send(job).await {
            return Err(stopped());
        }
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    async fn find_refusal(&self, command_id: CommandId) -> Result<Option<Refusal>, ReadError> {
        self.readers
            .call(move |db| command_of(db, command_id).map_err(unavailable))
            .await
            .map_err(ReadError::Unavailable)?
            .map(|answer| answer.and_then(Answer::refusal))
    }

    async fn head(&self) -> Result<Position, ReadError> {
        // This process is the only writer, so what it committed last is the head.
        Ok(*self.head.borrow())
    }

    fn wakeups(&self) -> watch::Receiver<Position> {
        self.head.clone()
    }
}
