//! The one thread that writes the log. Batches that wait together share one
//! transaction, and so one wait for the disk.

use super::{
    event_log::{IS_OVER, command_of, head_of, last_taken},
    folding::Nudge,
};
use crate::{
    admission,
    answers::{self, Answer},
    versions::Versions,
};
use commands::ports::{
    Append, AppendError, Appended, Change, NewEvent, Position, Refusal, StreamId, Written,
};
use domain::id::CommandId;
use rusqlite::{Connection, Statement, params};
use tokio::sync::{mpsc, oneshot, watch};

/// What the writer is asked for, and whom to answer.
pub(crate) enum Job {
    /// Store a batch. It comes back with the answer: who made it frees it.
    Append {
        batch: Vec<Append>,
        reply: oneshot::Sender<(Outcomes, Vec<Append>)>,
    },
    /// Note that a command was refused.
    Refuse {
        node_epoch: u64,
        command_id: CommandId,
        refusal: Refusal,
        reply: oneshot::Sender<Result<(), AppendError>>,
    },
}

type Outcomes = Vec<Result<Appended, AppendError>>;
/// A group, and what came of each of its jobs.
pub(crate) type Answered = Vec<(Job, Outcome)>;

/// Answers whoever waits, until the writer has ended.
pub(crate) async fn pass_on(mut answers: mpsc::UnboundedReceiver<Answered>) {
    while let Some(group) = answers.recv().await {
        for (job, outcome) in group {
            job.answer(outcome);
        }
    }
}

/// What came of a job.
pub(crate) enum Outcome {
    Appended(Outcomes),
    Noted(Result<(), AppendError>),
}

impl Job {
    /// Nobody waits any more: what was stored is stored all the same.
    pub(crate) fn answer(self, outcome: Outcome) {
        match (self, outcome) {
            (Self::Append { batch, reply }, Outcome::Appended(outcomes)) => {
                drop(reply.send((outcomes, batch)));
            }
            (Self::Refuse { reply, .. }, Outcome::Noted(outcome)) => drop(reply.send(outcome)),
            // Each job has an outcome of its own kind; dropped, it says "stopped".
            (Self::Append { .. }, Outcome::Noted(_))
            | (Self::Refuse { .. }, Outcome::Appended(_)) => {}
        }
    }

    fn failed(&self, reason: &str) -> Outcome {
        let error = || AppendError::Unavailable(reason.to_owned());
        match self {
            Self::Append { batch, .. } => Outcome::Appended(vec![Err(error()); batch.len()]),
            Self::Refuse { .. } => Outcome::Noted(Err(error())),
        }
    }
}

/// How many batches share one commit.
const GROUP_MAX: usize = 1024;

const INSERT_EVENT: &str = "INSERT INTO events (global_position, aggregate_type, aggregate_id, \
     sequence, event_type, event_version, payload, event_id, command_id, tenant, correlation_id, \
     causation_id, actor, node_epoch, recorded_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
const INSERT_COMMAND: &str = "INSERT INTO es_commands (command_id, stream, version, position) \
     VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
const INSERT_REFUSAL: &str = "INSERT INTO es_commands (command_id, stream, version, position, \
     refusal) VALUES (?1, ?2, ?3, 0, ?4) ON CONFLICT DO NOTHING";
/// The clock was set back before this event was taken.
const NOTE_STEP: &str = "INSERT INTO es_clock_steps (position, recorded_before, recorded_at) \
     VALUES (?1, ?2, ?3)";
const REMOVE_COMMAND: &str = "DELETE FROM es_commands WHERE command_id = ?1";
const VERSION: &str = "SELECT coalesce(max(sequence), 0) FROM events WHERE aggregate_id = ?1";
/// The database's own clock, in microseconds since 1970, to the millisecond.
const NOW: &str = "SELECT CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000";

/// Becomes another number when another connection has committed something.
const OTHERS: &str = "PRAGMA data_version";

/// The statements of every commit, prepared once.
struct Statements<'db> {
    begin: Statement<'db>,
    commit: Statement<'db>,
    now: Statement<'db>,
    others: Statement<'db>,
    is_over: Statement<'db>,
    version: Statement<'db>,
    event: Statement<'db>,
    command: Statement<'db>,
}

impl<'db> Statements<'db> {
    fn prepare(db: &'db Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            begin: db.prepare("BEGIN IMMEDIATE")?,
            commit: db.prepare("COMMIT")?,
            now: db.prepare(NOW)?,
            others: db.prepare(OTHERS)?,
            is_over: db.prepare(IS_OVER)?,
            version: db.prepare(VERSION)?,
            event: db.prepare(INSERT_EVENT)?,
            command: db.prepare(INSERT_COMMAND)?,
        })
    }
}

/// The writer and what it knows by being the only one.
pub(crate) struct Writer<'db> {
    db: &'db Connection,
    statements: Statements<'db>,
    wake: watch::Sender<Position>,
    answers: mpsc::UnboundedSender<Answered>,
    folding: Nudge,
    /// Position of the last event, committed or in the open transaction.
    head: u64,
    versions: Versions,
    /// What [`OTHERS`] said last.
    others: i64,
    /// The last run that was asked about, and whether it is over, as of [`OTHERS`].
    run: Option<(u64, bool)>,
    recorded_at: i64,
    /// When the last event was taken, committed or in the open transaction.
    last_taken: i64,
}

impl<'db> Writer<'db> {
    /// A writer that tells every new head to `wake`, which holds the first one,
    /// and hands what came of each group to `answers`: one message wakes one
    /// task, which wakes all who wait. `folding` is told of each group.
    ///
    /// # Errors
    /// When the file does not have the tables.
    pub(crate) fn new(
        db: &'db Connection,
        wake: watch::Sender<Position>,
        answers: mpsc::UnboundedSender<Answered>,
        folding: Nudge,
    ) -> rusqlite::Result<Self> {
        let head = wake.borrow().0;
        Ok(Self {
            db,
            statements: Statements::prepare(db)?,
            wake,
            answers,
            folding,
            head,
            versions: Versions::default(),
            // What was there before is read with the first commit.
            others: 0,
            run: None,
            recorded_at: 0,
            last_taken: last_taken(db)?,
        })
    }

    /// Serves until every handle is gone and everything accepted is answered.
    pub(crate) fn serve(&mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut group = Vec::with_capacity(GROUP_MAX);
        while jobs.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
            let outcomes = self.commit(&group).unwrap_or_else(|error| {
                let reason = error.to_string();
                tracing::warn!(reason, "event log can not write");
                self.undo();
                group.iter().map(|job| job.failed(&reason)).collect()
            });
            let answered = group.drain(..).zip(outcomes).collect();
            // Nobody passes it on any more: nobody waits for it either.
            let _ = self.answers.send(answered);
            self.folding.committed();
        }
    }

    fn commit(&mut self, group: &[Job]) -> rusqlite::Result<Vec<Outcome>> {
        let before = self.head;
        self.statements.begin.raw_execute()?;
        self.hear_others()?;
        self.recorded_at = self.statements.now.query_row([], |row| row.get(0))?;
        let mut outcomes = Vec::with_capacity(group.len());
        for job in group {
            outcomes.push(match job {
                Job::Append { batch, .. } => {
                    let of_job: rusqlite::Result<_> =
                        batch.iter().map(|append| self.append(append)).collect();
                    Outcome::Appended(of_job?)
                }
                Job::Refuse {
                    node_epoch,
                    command_id,
                    refusal,
                    ..
                } => Outcome::Noted(self.refuse(*node_epoch, *command_id, refusal)?),
            });
        }
        self.statements.commit.raw_execute()?;
        if self.head > before {
            self.wake.send_replace(Position(self.head));
        }
        Ok(outcomes)
    }

    /// Reads again what this writer knows by being the only one, when it was not: a
    /// start notes its run by itself, and a lock can be lost.
    fn hear_others(&mut self) -> rusqlite::Result<()> {
        let others = self.statements.others.query_row([], |row| row.get(0))?;
        if others != self.others {
            self.head = head_of(self.db)?;
            self.last_taken = last_taken(self.db)?;
            self.versions.forget();
            self.run = None;
            self.others = others;
        }
        Ok(())
    }

    /// Whether another run has replaced this one. Nobody begins one meanwhile: the
    /// transaction is open.
    fn is_over(&mut self, node_epoch: u64) -> rusqlite::Result<bool> {
        if let Some((known, is_over)) = self.run
            && known == node_epoch
        {
            return Ok(is_over);
        }
        let asked = &mut self.statements.is_over;
        let is_over = asked.query_row([node_epoch], |row| row.get(0))?;
        self.run = Some((node_epoch, is_over));
        Ok(is_over)
    }

    /// Back to what the file says.
    fn undo(&mut self) {
        if !self.db.is_autocommit()
            && let Err(error) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "event log can not undo a transaction");
        }
        self.versions.forget();
        self.run = None;
        let found = head_of(self.db).and_then(|head| Ok((head, last_taken(self.db)?)));
        match found {
            // A commit that failed after the disk had it is in the file.
            Ok((head, taken)) => {
                (self.head, self.last_taken) = (head, taken);
                self.wake.send_if_modified(|known| {
                    let grown = head > known.0;
                    *known = Position(head);
                    grown
                });
            }
            Err(_) => self.head = self.wake.borrow().0,
        }
    }

    /// The outer error is the disk's and undoes the group; the inner one is
    /// this append's alone.
    fn append(&mut self, append: &Append) -> rusqlite::Result<Result<Appended, AppendError>> {
        if let Err(refusal) = admission::check(append) {
            return Ok(Err(refusal));
        }
        for change in &append.changes {
            if self.is_over(change.metadata.node_epoch)? {
                return Ok(Err(AppendError::Fenced));
            }
        }
        let actual = self.version(&append.stream)?;
        if actual != append.expected {
            return self.conflict(append, actual).map(Err);
        }
        let before = self.head;
        let changes = match self.claim(append)? {
            Ok(changes) => changes,
            Err(duplicate) => return Ok(Err(duplicate)),
        };
        let mut version = append.expected;
        for change in &append.changes {
            for event in &change.events {
                version += 1;
                self.head += 1;
                self.insert(append, change, event, version)?;
            }
        }
        self.versions.set(&append.stream, version);
        Ok(Ok(Appended {
            changes,
            first: Position(before + 1),
            previous_head: Position(before),
        }))
    }

    fn version(&mut self, stream: &StreamId) -> rusqlite::Result<u64> {
        if let Some(version) = self.versions.get(stream) {
            return Ok(version);
        }
        let version = self
            .statements
            .version
            .query_row([stream.as_str()], |row| row.get(0))?;
        self.versions.set(stream, version);
        Ok(version)
    }

    /// A retry whose first try went through looks like a conflict, so the
    /// commands are looked up before it is called one.
    fn conflict(&self, append: &Append, actual: u64) -> rusqlite::Result<AppendError> {
        for change in &append.changes {
            if let Some(answer) = command_of(self.db, change.command_id)? {
                return Ok(answer.error(change.command_id));
            }
        }
        Ok(AppendError::Conflict {
            expected: append.expected,
            actual,
        })
    }

    /// Notes the append's commands, or leaves no trace if one was there before.
    fn claim(&mut self, append: &Append) -> rusqlite::Result<Result<Vec<Written>, AppendError>> {
        let mut claimed = Vec::with_capacity(append.changes.len());
        let mut version = append.expected;
        let mut position = self.head;
        for change in &append.changes {
            version += change.events.len() as u64;
            position += change.events.len() as u64;
            let id = change.command_id.0.as_bytes();
            let stream = append.stream.as_str();
            let insert = &mut self.statements.command;
            let new = insert.execute(params![id, stream, version, position])?;
            if new == 0 {
                for earlier in append.changes.iter().take(claimed.len()) {
                    let id = earlier.command_id.0.as_bytes();
                    self.db.prepare_cached(REMOVE_COMMAND)?.execute([id])?;
                }
                return self.first_result(change).map(Err);
            }
            claimed.push(Written {
                version,
                position: Position(position),
            });
        }
        Ok(Ok(claimed))
    }

    fn first_result(&self, change: &Change) -> rusqlite::Result<AppendError> {
        let answer =
            command_of(self.db, change.command_id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok(answer.error(change.command_id))
    }

    /// Notes a refusal, unless the command was answered before or the run is over.
    fn refuse(
        &mut self,
        node_epoch: u64,
        command_id: CommandId,
        refusal: &Refusal,
    ) -> rusqlite::Result<Result<(), AppendError>> {
        if self.is_over(node_epoch)? {
            let answer = command_of(self.db, command_id)?;
            let fenced = AppendError::Fenced;
            return Ok(Err(answer.map_or(fenced, |answer| answer.error(command_id))));
        }
        let new = self.db.prepare_cached(INSERT_REFUSAL)?.execute(params![
            command_id.0.as_bytes(),
            refusal.stream.as_str(),
            refusal.version,
            answers::text(refusal),
        ])?;
        if new == 1 {
            return Ok(Ok(()));
        }
        let answer: Option<Answer> = command_of(self.db, command_id)?;
        let answer = answer.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok(Err(answer.error(command_id)))
    }

    fn insert(
        &mut self,
        append: &Append,
        change: &Change,
        event: &NewEvent,
        version: u64,
    ) -> rusqlite::Result<()> {
        if self.recorded_at < self.last_taken {
            let step = params![self.head, self.last_taken, self.recorded_at];
            self.db.prepare_cached(NOTE_STEP)?.execute(step)?;
        }
        self.last_taken = self.recorded_at;
        let metadata = &change.metadata;
        self.statements.event.execute(params![
            self.head,
            append.aggregate_type,
            append.stream.as_str(),
            version,
            event.event_type,
            event.event_version.to_string(),
            &*event.payload,
            event.event_id.0.as_bytes(),
            change.command_id.0.as_bytes(),
            metadata.tenant.0.as_bytes(),
            metadata.correlation_id.as_bytes(),
            metadata.causation_id.as_bytes(),
            metadata.actor,
            metadata.node_epoch,
            self.recorded_at,
        ])?;
        Ok(())
    }
}
