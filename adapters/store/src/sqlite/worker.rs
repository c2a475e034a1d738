//! One writer thread for a file: jobs that wait together share one commit.

use super::{connection::BUSY_TIMEOUT, folding::Nudge, thread::Owner};
use commands::ports::StoreError;
use rusqlite::Connection;
use std::{path::Path, time::Duration};
use tokio::sync::{mpsc, oneshot};

/// How many jobs may wait for the thread.
const JOBS_MAX: usize = 1024;
/// How many jobs share one commit.
const GROUP_MAX: usize = 256;
/// What must be free beside a file that is written anew.
const ROOM_LEFT_BYTES: u64 = 1024 * 1024;

/// What to do once it is known whether the group was committed.
type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Work inside the group's transaction; says whether to keep its changes.
type Work = Box<dyn FnOnce(&Connection) -> (bool, Finish) + Send>;

/// What the thread is asked for.
enum Job {
    /// To be committed together with others.
    Commit(Work),
    /// Write the whole file anew and empty the log of changes, without waiting longer
    /// than this for each reader who holds that back.
    Rewrite(Duration, oneshot::Sender<Result<(), StoreError>>),
}

/// The writer of one file.
#[derive(Debug)]
pub(crate) struct Worker(Owner<Job>);

impl Worker {
    /// Starts the thread, which owns the connection and `guard`. Who folds the
    /// log of changes is told of every commit.
    pub(crate) fn start<G: Send + 'static>(
        name: &str,
        db: Connection,
        folding: Option<Nudge>,
        guard: G,
    ) -> std::io::Result<Self> {
        Owner::start(name, JOBS_MAX, move |jobs| {
            serve(&db, folding.as_ref(), jobs);
            drop(db);
            drop(guard);
        })
        .map(Self)
    }

    /// Runs `work` in a transaction and returns what it returns, once it is
    /// committed. Its changes are undone when it fails, without touching the
    /// work of others that shares the commit.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |db| {
            let result = work(db);
            let keep = result.is_ok();
            let finish: Finish = Box::new(move |committed| {
                // Nobody waits any more: the work is done all the same.
                let _ = reply.send(result.and_then(|value| committed.map(|()| value)));
            });
            (keep, finish)
        });
        if !self.0.send(Job::Commit(work)).await {
            return Err(dropped());
        }
        answer.await.unwrap_or_else(|_| Err(dropped()))
    }

    /// Writes the file anew, so that nothing that was deleted or overwritten is
    /// left in it. Work that comes meanwhile waits, also for readers, which is at most
    /// twice `patience`; readers do not wait.
    pub(crate) async fn rewrite(&self, patience: Duration) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        if !self.0.send(Job::Rewrite(patience, reply)).await {
            return Err(dropped());
        }
        answer.await.unwrap_or_else(|_| Err(dropped()))
    }
}

fn dropped() -> StoreError {
    StoreError::Unavailable("writer did not come to it: it has no room or has stopped".into())
}

/// The error of a statement, as the port names it.
pub(crate) fn unavailable(error: rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

fn serve(db: &Connection, folding: Option<&Nudge>, mut jobs: mpsc::Receiver<Job>) {
    let mut group = Vec::with_capacity(GROUP_MAX);
    while jobs.blocking_recv_many(&mut group, GROUP_MAX) > 0 {
        let mut work = Vec::with_capacity(group.len());
        let mut rewrites = Vec::new();
        for job in group.drain(..) {
            match job {
                Job::Commit(one) => work.push(one),
                Job::Rewrite(patience, reply) => rewrites.push((patience, reply)),
            }
        }
        commit(db, work);
        if let Some(folding) = folding {
            folding.committed();
        }
        let Some(patience) = rewrites.iter().map(|(patience, _)| *patience).min() else {
            continue;
        };
        let held = folding.map(Nudge::hold);
        let rewritten = rewrite(db, patience);
        drop(held);
        for (_, reply) in rewrites {
            // Nobody waits any more: it is done all the same.
            let _ = reply.send(rewritten.clone());
        }
    }
}

/// `secure_delete` zeroes what is freed, but a page that was split keeps copies of
/// the rows that moved away in its free space: only a new file has none.
fn rewrite(db: &Connection, patience: Duration) -> Result<(), StoreError> {
    // Who waits for a reader lets everybody wait who writes.
    db.busy_timeout(patience).map_err(unavailable)?;
    let rewritten = rewrite_now(db);
    db.busy_timeout(BUSY_TIMEOUT).map_err(unavailable)?;
    rewritten
}

fn rewrite_now(db: &Connection) -> Result<(), StoreError> {
    // What a reader holds back grows by a whole file with each try, and a disk without
    // room for it gives what it has: neither is tried.
    fold(db)?;
    check_room(db)?;
    // The new file is as large as the old one: not in memory.
    let vacuum = "PRAGMA temp_store = FILE; VACUUM; PRAGMA temp_store = MEMORY";
    if let Err(error) = db.execute_batch(vacuum) {
        // A disk without room for a second file: what was written of it goes.
        let _ = db.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA wal_checkpoint(TRUNCATE)");
        return Err(unavailable(error));
    }
    fold(db)
}

/// Folds the whole log of changes back and cuts it to nothing.
fn fold(db: &Connection) -> Result<(), StoreError> {
    let is_busy: bool = db
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(unavailable)?;
    if is_busy {
        let reason = "a reader holds the log of changes back";
        return Err(StoreError::Unavailable(reason.into()));
    }
    Ok(())
}

/// Refuses where there is no room for the new file twice: as it is made, and in the log
/// of changes. Others, the log of events above all, need what there is.
fn check_room(db: &Connection) -> Result<(), StoreError> {
    let Some(path) = db.path().filter(|path| !path.is_empty()) else {
        return Ok(());
    };
    let pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let size: i64 = db
        .query_row(pages, [], |row| row.get(0))
        .map_err(unavailable)?;
    let needed = size
        .unsigned_abs()
        .saturating_mul(2)
        .saturating_add(ROOM_LEFT_BYTES);
    match super::room::free_bytes(Path::new(path)) {
        Some(free) if free < needed => {
            let reason = format!("{needed} bytes are needed to write {path} anew, {free} are free");
            Err(StoreError::Unavailable(reason))
        }
        Some(_) | None => Ok(()),
    }
}

fn commit(db: &Connection, group: Vec<Work>) {
    let mut finishes = Vec::with_capacity(group.len());
    let outcome = transact(db, group, &mut finishes).map_err(unavailable);
    if outcome.is_err() && !db.is_autocommit() {
        // Refused by the disk: the transaction is still open.
        let _ = db.execute_batch("ROLLBACK");
    }
    // Work that was not reached has dropped its reply, which says it.
    for finish in finishes {
        finish(outcome.clone());
    }
}

fn transact(db: &Connection, group: Vec<Work>, finishes: &mut Vec<Finish>) -> rusqlite::Result<()> {
    if group.is_empty() {
        return Ok(());
    }
    run(db, "BEGIN IMMEDIATE")?;
    for work in group {
        run(db, "SAVEPOINT job")?;
        let (keep, finish) = work(db);
        finishes.push(finish);
        if db.is_autocommit() {
            // A full disk makes SQLite undo the whole transaction by itself.
            return Err(lost());
        }
        if !keep {
            run(db, "ROLLBACK TO job")?;
        }
        run(db, "RELEASE job")?;
    }
    run(db, "COMMIT")
}

fn lost() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK),
        Some("transaction was undone: no room or a broken disk".into()),
    )
}

fn run(db: &Connection, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.raw_execute().map(|_| ())
}
