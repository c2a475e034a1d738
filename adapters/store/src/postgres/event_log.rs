//! The event log on PostgreSQL.

use super::{
    connect::{Database, unreachable},
    hold::Hold,
    listen::{self, head},
    pool::Pool,
    reason,
    row::{self, Names, columns},
    writer::{JOBS_MAX, Job, Writer},
};
use crate::{
    answers::{self, Answer},
    halves,
    open::OpenError,
    steps::{self, Step},
};
use async_trait::async_trait;
use commands::ports::{
    Append, AppendError, Appended, EventLog, Page, Position, ReadError, Recorded, Refusal,
    StoreError, StreamId, Stretch, Written,
};
use domain::{id::CommandId, time::Timestamp};
use sqlx::{Connection as _, postgres::PgRow};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::AbortHandle,
};

/// Connections for reading: also for keys, credentials and the ear.
pub(crate) const READERS_MAX: u32 = 6;

const READ_STREAM: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM public.events WHERE aggregate_id = $1 AND sequence > $2 ORDER BY sequence"
);
const READ_STREAM_PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM public.events WHERE aggregate_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3"
);
const READ_ALL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM public.events WHERE global_position > $1 ORDER BY global_position LIMIT $2"
);
const STEPS: &str = "SELECT position, \
     (extract(epoch FROM recorded_before) * 1000000)::bigint, \
     (extract(epoch FROM recorded_at) * 1000000)::bigint \
     FROM public.es_clock_steps ORDER BY position";
const TAKEN_AT: &str = "SELECT global_position, \
     (extract(epoch FROM recorded_at) * 1000000)::bigint FROM public.events \
     WHERE global_position >= $1 ORDER BY global_position LIMIT 1";
const FIND_COMMAND: &str =
    "SELECT stream, version, position, refusal FROM public.es_commands WHERE command_id = $1";
/// One statement is one transaction: it is durable when it is answered. Nothing is
/// kept of a run that another of its name has replaced or that was fenced.
const REFUSE: &str = "INSERT INTO public.es_commands (command_id, stream, version, position, \
     refusal) SELECT $1, $2, $3, 0, $4 WHERE NOT EXISTS ( \
       SELECT 1 FROM public.es_nodes own JOIN public.es_nodes newer ON newer.name = own.name \
       WHERE own.epoch = $5 AND newer.epoch > own.epoch) \
     ON CONFLICT DO NOTHING";
/// The lock of appends: an older run is refused from the commit on.
const LOCK: &str = "SELECT pg_advisory_xact_lock(731087090301)";
const NEXT_EPOCH: &str = "INSERT INTO public.es_nodes (epoch, name) \
     SELECT coalesce(max(epoch), 0) + 1, $1 FROM public.es_nodes RETURNING epoch";

/// The event log on PostgreSQL.
#[derive(Debug)]
pub struct PostgresLog {
    jobs: mpsc::Sender<Job>,
    pool: Pool,
    head: watch::Receiver<Position>,
    tasks: [AbortHandle; 2],
    _hold: Option<Hold>,
}

impl Drop for PostgresLog {
    fn drop(&mut self) {
        // The writer ends by itself when everything accepted is answered.
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl PostgresLog {
    /// Starts this node's writer and ear. The schema is up to date. Without a
    /// hold it is one of several nodes on the database.
    pub(crate) async fn start(
        database: &Database,
        pool: Pool,
        hold: Option<Hold>,
    ) -> Result<Self, OpenError> {
        let connection = database.connect().await.map_err(|e| unreachable(&e))?;
        let first = head(&pool).await.map_err(|error| unreachable(&error))?;
        let (wake, head) = watch::channel(Position(first));
        let (jobs, queue) = mpsc::channel(JOBS_MAX);
        let writer = Writer::new(database.clone(), connection, wake.clone());
        tokio::spawn(writer.serve(queue));
        let ear = tokio::spawn(listen::listen(pool.clone(), wake.clone()));
        let look = tokio::spawn(listen::look(pool.clone(), wake));
        Ok(Self {
            jobs,
            pool,
            head,
            tasks: [ear.abort_handle(), look.abort_handle()],
            _hold: hold,
        })
    }

    /// Notes a start of the node of that name and returns its run number.
    pub(crate) async fn next_epoch(&self, name: &str) -> Result<u64, StoreError> {
        let name = name.to_owned();
        let next = self.pool.with(|connection| {
            Box::pin(async move {
                let mut transaction = connection.begin().await?;
                sqlx::query(LOCK).execute(&mut *transaction).await?;
                let epoch: i64 = sqlx::query_scalar(NEXT_EPOCH)
                    .bind(name)
                    .fetch_one(&mut *transaction)
                    .await?;
                transaction.commit().await?;
                Ok(epoch.unsigned_abs())
            })
        });
        next.await.map_err(super::unavailable)
    }
}

impl PostgresLog {
    async fn steps(&self) -> Result<Vec<Step>, sqlx::Error> {
        let rows: Vec<(i64, i64, i64)> = sqlx::query_as(STEPS).fetch_all(&self.pool).await?;
        let step = |(position, before, after): (i64, i64, i64)| Step {
            position: Position(position.unsigned_abs()),
            before: Timestamp::from_micros(before),
            after: Timestamp::from_micros(after),
        };
        Ok(rows.into_iter().map(step).collect())
    }

    /// Where the first event at a position or after it is, and when it was taken.
    async fn taken_at(
        &self,
        position: Position,
    ) -> Result<Option<(Position, Timestamp)>, sqlx::Error> {
        let row: Option<(i64, i64)> = sqlx::query_as(TAKEN_AT)
            .bind(i64::try_from(position.0).unwrap_or(i64::MAX))
            .fetch_optional(&self.pool)
            .await?;
        let known = |(position, taken): (i64, i64)| {
            let taken = Timestamp::from_micros(taken);
            (Position(position.unsigned_abs()), taken)
        };
        Ok(row.map(known))
    }

    /// What a command has come to.
    async fn answer(&self, command_id: CommandId) -> Result<Option<Answer>, sqlx::Error> {
        let row: Option<(String, i64, i64, Option<String>)> = sqlx::query_as(FIND_COMMAND)
            .bind(command_id.0)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|(stream, version, position, refusal)| {
            let written = Written {
                version: version.unsigned_abs(),
                position: Position(position.unsigned_abs()),
            };
            Answer::read(&stream, written, refusal.as_deref())
        })
        .transpose()
        .map_err(sqlx::Error::Protocol)
    }
}

fn unavailable(error: sqlx::Error) -> ReadError {
    ReadError::Unavailable(reason(&error))
}

fn decode(rows: &[PgRow]) -> Result<Vec<Recorded>, ReadError> {
    let mut names = Names::default();
    rows.iter()
        .map(|row| row::decode(row, &mut names))
        .collect()
}

#[async_trait]
impl EventLog for PostgresLog {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        let count = batch.len();
        let (reply, answer) = oneshot::channel();
        let accepted = self.jobs.send(Job { batch, reply }).await.is_ok();
        let answered = if accepted { answer.await.ok() } else { None };
        answered.unwrap_or_else(|| {
            let stopped = AppendError::Unavailable("log writer has stopped".into());
            vec![Err(stopped); count]
        })
    }

    async fn read_stream(&self, stream: &StreamId, after: u64) -> Result<Vec<Recorded>, ReadError> {
        let rows = sqlx::query(READ_STREAM)
            .bind(stream.as_str())
            .bind(i64::try_from(after).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        decode(&rows)
    }

    async fn read_stream_page(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let rows = sqlx::query(READ_STREAM_PAGE)
            .bind(stream.as_str())
            .bind(i64::try_from(after).unwrap_or(i64::MAX))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(unavailable)?;
        decode(&rows)
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        let head = *self.head.borrow();
        halves::read(after, limit, head, |after, limit| async move {
            let rows = sqlx::query(READ_ALL)
                .bind(i64::try_from(after.0).unwrap_or(i64::MAX))
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .fetch_all(&self.pool)
                .await
                .map_err(unavailable)?;
            decode(&rows)
        })
        .await
    }

    async fn taken(
        &self,
        from: Option<Timestamp>,
        before: Option<Timestamp>,
    ) -> Result<Vec<Stretch>, ReadError> {
        let head = self.head().await?;
        let steps = self.steps().await.map_err(unavailable)?;
        let at = async |position| self.taken_at(position).await.map_err(unavailable);
        steps::stretches(&steps, head, (from, before), at).await
    }

    async fn find_command(
        &self,
        command_id: CommandId,
    ) -> Result<Option<(StreamId, Written)>, ReadError> {
        let answer = self.answer(command_id).await.map_err(unavailable)?;
        Ok(answer.and_then(Answer::written))
    }

    async fn refuse(
        &self,
        node_epoch: u64,
        command_id: CommandId,
        refusal: Refusal,
    ) -> Result<(), AppendError> {
        let failed = |error| AppendError::Unavailable(reason(&error));
        let done = sqlx::query(REFUSE)
            .bind(command_id.0)
            .bind(refusal.stream.as_str())
            .bind(i64::try_from(refusal.version).unwrap_or(i64::MAX))
            .bind(answers::text(&refusal))
            .bind(i64::try_from(node_epoch).unwrap_or(i64::MAX))
            .execute(&self.pool)
            .await
            .map_err(failed)?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        let answer = self.answer(command_id).await.map_err(failed)?;
        // Nobody has answered it, and it was not kept: the run is over.
        Err(answer.map_or(AppendError::Fenced, |answer| answer.error(command_id)))
    }

    async fn find_refusal(&self, command_id: CommandId) -> Result<Option<Refusal>, ReadError> {
        let answer = self.answer(command_id).await.map_err(unavailable)?;
        Ok(answer.and_then(Answer::refusal))
    }

    async fn head(&self) -> Result<Position, ReadError> {
        // Another node may have written, so the database is asked.
        head(&self.pool).await.map(Position).map_err(unavailable)
    }

    fn wakeups(&self) -> watch::Receiver<Position> {
        self.head.clone()
    }

    fn is_shared(&self) -> bool {
        true
    }
}
