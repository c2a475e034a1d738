//! Folds a file's log of changes back into it, beside the writer. Left to itself
//! SQLite does that inside a commit, and whoever waits for that commit waits for
//! two syncs and every page more.

use super::connection::{Folder, open_for_folding};
use crate::open::OpenError;
use rusqlite::Connection;
use std::{
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

/// At least this between two times. What came meanwhile is folded at once, so
/// it must not be long: the longer the log of changes, the longer a commit of
/// the writer, should it have to fold the rest itself.
const EVERY: Duration = Duration::from_millis(100);

#[derive(Debug, Default)]
struct Asked {
    /// Something was committed that is not folded.
    committed: bool,
    stopped: bool,
}

#[derive(Debug, Default)]
struct Shared {
    asked: Mutex<Asked>,
    changed: Condvar,
    /// Held while it folds: SQLite refuses a second one at the same time.
    at_work: Mutex<()>,
}

impl Shared {
    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something was committed, then a little for more; false when
    /// it is to stop.
    fn wait(&self) -> bool {
        let idle = |asked: &mut Asked| !asked.committed && !asked.stopped;
        let woken = self.changed.wait_while(self.asked(), idle);
        let woken = woken.unwrap_or_else(PoisonError::into_inner);
        let going = |asked: &mut Asked| !asked.stopped;
        let later = self.changed.wait_timeout_while(woken, EVERY, going);
        let (mut asked, _) = later.unwrap_or_else(PoisonError::into_inner);
        asked.committed = false;
        !asked.stopped
    }
}

/// The thread that folds. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Folding {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A writer's way to it.
#[derive(Debug, Clone)]
pub(crate) struct Nudge(Arc<Shared>);

impl Folding {
    /// Starts the thread, which has a connection of its own to a file that its
    /// writer has opened before.
    ///
    /// # Errors
    /// When the file can not be opened or there is no thread.
    pub(crate) fn start(name: &str, path: &Path, folder: Arc<Folder>) -> Result<Self, OpenError> {
        let db = open_for_folding(path)?;
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                while of_thread.wait() {
                    fold(&db, &of_thread.at_work);
                }
                drop(db);
                drop(folder);
            })
            .map_err(|error| OpenError::thread(&error))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    pub(crate) fn nudge(&self) -> Nudge {
        Nudge(Arc::clone(&self.shared))
    }
}

impl Drop for Folding {
    fn drop(&mut self) {
        self.shared.asked().stopped = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("folding thread has panicked");
        }
    }
}

impl Nudge {
    /// Something was committed.
    pub(crate) fn committed(&self) {
        let mut asked = self.0.asked();
        if !asked.committed {
            asked.committed = true;
            self.0.changed.notify_all();
        }
    }

    /// Nothing is folded while this is held.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        let at_work = self.0.at_work.lock();
        at_work.unwrap_or_else(PoisonError::into_inner)
    }
}

/// As far as readers let it; neither they nor the writer wait for it.
fn fold(db: &Connection, at_work: &Mutex<()>) {
    let _held = at_work.lock().unwrap_or_else(PoisonError::into_inner);
    let folded = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    if let Err(error) = folded {
        // No room, most likely. The writer does it then, and says what is wrong.
        tracing::debug!(%error, "log of changes was not folded back");
    }
}
