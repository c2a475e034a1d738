//! The one writer of a node: drains its queue and commits in groups.

use super::{
    batch::{self, Outcomes},
    connect::{Database, silent},
    listen::tell,
    next, reason,
};
use crate::{admission, versions::Versions};
use commands::{
    group::gather,
    ports::{Append, AppendError, Position},
};
use sqlx::PgConnection;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// How many batches may wait for the writer.
pub(crate) const JOBS_MAX: usize = 4096;
/// A database that does not answer a commit for so long is taken to be away.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Batches that are committed together, most.
const GROUP_MAX: usize = 1024;

/// One batch and who waits for it.
pub(crate) struct Job {
    pub(crate) batch: Vec<Append>,
    pub(crate) reply: oneshot::Sender<Outcomes>,
}

/// Writes what comes in until every handle is gone.
pub(crate) struct Writer {
    database: Database,
    connection: Option<PgConnection>,
    wake: watch::Sender<Position>,
    /// Of the streams that this writer has written last. Another node may have
    /// written since: the database has the last word.
    versions: Versions,
}

impl Writer {
    pub(crate) fn new(
        database: Database,
        connection: PgConnection,
        wake: watch::Sender<Position>,
    ) -> Self {
        Self {
            database,
            connection: Some(connection),
            wake,
            versions: Versions::default(),
        }
    }

    /// Serves until every handle is gone and everything accepted is answered.
    pub(crate) async fn serve(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut group = Vec::with_capacity(GROUP_MAX);
        while jobs.recv_many(&mut group, GROUP_MAX).await > 0 {
            gather(&mut jobs, &mut group, GROUP_MAX).await;
            let mut outcomes = self.write(&group).await.into_iter();
            for job in group.drain(..) {
                let of_job = outcomes.by_ref().take(job.batch.len()).collect();
                // Nobody waits any more: what was stored is stored all the same.
                let _ = job.reply.send(of_job);
            }
        }
    }

    async fn write(&mut self, group: &[Job]) -> Outcomes {
        let all: Vec<&Append> = group.iter().flat_map(|job| &job.batch).collect();
        let admitted: Vec<_> = all.iter().map(|append| admission::check(append)).collect();
        let good: Vec<&Append> = all
            .iter()
            .zip(&admitted)
            .filter(|(_, admitted)| admitted.is_ok())
            .map(|(append, _)| *append)
            .collect();
        let mut outcomes = self.commit(&good).await.into_iter();
        let missing = || AppendError::Unavailable("log gave no answer".into());
        admitted
            .into_iter()
            .map(|admitted| {
                admitted.and_then(|()| outcomes.next().unwrap_or_else(|| Err(missing())))
            })
            .collect()
    }

    async fn commit(&mut self, batch: &[&Append]) -> Outcomes {
        match self.call(batch).await {
            Ok(outcomes) => outcomes,
            // The database refused the batch for what is in it: nothing was
            // stored, and one append may not take the others with it.
            Err(sqlx::Error::Database(refusal)) if batch.len() > 1 && self.is_connected() => {
                let reason = refusal.message().to_owned();
                tracing::warn!(reason, "appends are written one by one");
                self.commit_one_by_one(batch).await
            }
            Err(error) => {
                tracing::warn!(reason = reason(&error), "event log can not write");
                refuse(&error, batch.len())
            }
        }
    }

    /// Until the connection is lost: a database that is away would be waited for once more
    /// for each append.
    async fn commit_one_by_one(&mut self, batch: &[&Append]) -> Outcomes {
        let mut outcomes = Vec::with_capacity(batch.len());
        for (index, append) in batch.iter().enumerate() {
            match self.call(&[append]).await {
                Ok(of_one) => outcomes.extend(of_one),
                Err(error) if self.is_connected() => outcomes.extend(refuse(&error, 1)),
                Err(error) => {
                    outcomes.extend(refuse(&error, batch.len() - index));
                    break;
                }
            }
        }
        outcomes
    }

    /// Whether the connection can be used, as far as is known.
    const fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Appends without a look where that will do, and finds out one by one what
    /// can be stored where it does not.
    async fn append(
        &mut self,
        connection: &mut PgConnection,
        batch: &[&Append],
    ) -> Result<Outcomes, sqlx::Error> {
        if next::is_next(batch, &mut self.versions) {
            match next::append(connection, batch).await {
                Ok(Some(outcomes)) => return Ok(outcomes),
                Ok(None) => {}
                Err(error) if is_taken(&error) => self.versions.forget(),
                Err(error) => return Err(error),
            }
        }
        batch::append(connection, batch).await
    }

    async fn call(&mut self, batch: &[&Append]) -> Result<Outcomes, sqlx::Error> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.database.connect().await?,
        };
        // A host that is gone says nothing more, and what was sent and acknowledged is
        // waited for without end: then it may have been stored, which a retry finds out.
        let answered = tokio::time::timeout(ANSWER_MAX, self.append(&mut connection, batch)).await;
        let outcomes = answered.unwrap_or_else(|_| Err(silent(ANSWER_MAX)));
        let usable = match &outcomes {
            Ok(_) => true,
            // A server that shuts down or ends the session says so as a refusal.
            Err(sqlx::Error::Database(refusal)) => {
                !refusal.code().is_some_and(|code| code.starts_with("57P"))
            }
            // Anything else is the connection's own trouble.
            Err(_) => false,
        };
        if usable {
            self.connection = Some(connection);
        }
        let outcomes = outcomes.inspect_err(|_| self.versions.forget())?;
        next::learn(batch, &outcomes, &mut self.versions);
        let last = outcomes
            .iter()
            .filter_map(|outcome| outcome.as_ref().ok()?.changes.last())
            .map(|written| written.position.0)
            .max();
        if let Some(last) = last {
            tell(&self.wake, last);
        }
        Ok(outcomes)
    }
}

/// A row with that key is there already.
fn is_taken(error: &sqlx::Error) -> bool {
    let refusal = error.as_database_error();
    refusal.is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

fn refuse(error: &sqlx::Error, count: usize) -> Outcomes {
    vec![Err(AppendError::Unavailable(reason(error))); count]
}
