//! Builds the rows of one view anew, in tables and with a checkpoint of its
//! own, beside the live ones and at its own pace. A build that was cut off goes
//! on where it was.

use crate::{
    changed::View,
    checkpoint,
    followed::Followed,
    orders::{Order, Orders},
    registry,
    runner::{BATCH_MAX, RunError, Runner},
    running::Means,
    slot::Generation,
    source::Source,
    standing::{standings, will_switch},
    views::{Next, Parked},
};
use commands::ports::{EventLog, Position, ReadStore, StoreError, Vault};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{task::AbortHandle, time::Instant};

/// So near to the head the live runner takes over.
const NEAR: u64 = 2 * BATCH_MAX as u64;
/// At least this between two transactions: the live rows come first.
const PACE: Duration = Duration::from_millis(8);
/// Pause before a store that is away is tried again.
const RETRY: Duration = Duration::from_millis(500);

/// A build under way; it ends when this is dropped.
pub(crate) struct Build {
    task: AbortHandle,
    version: u32,
    position: Arc<AtomicU64>,
    parked: Arc<Mutex<Option<Arc<Parked>>>>,
}

/// Where a build begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    /// Where the last one of this version was cut off, as it was ordered.
    GoOn,
    /// At the first event.
    Anew {
        /// The rows take the place of the live ones as soon as they are as far.
        then_switch: bool,
    },
}

impl Drop for Build {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Build {
    /// Starts it.
    pub(crate) fn start(means: &Means, view: View, how: How, orders: Orders) -> Self {
        let position = Arc::new(AtomicU64::default());
        let parked = Arc::new(Mutex::default());
        let work = Work {
            means: means.clone(),
            view,
            position: Arc::clone(&position),
            parked: Arc::clone(&parked),
            orders,
        };
        Self {
            version: registry::slot(view, Generation::Next).version(),
            position,
            parked,
            task: tokio::spawn(work.run(how)).abort_handle(),
        }
    }

    pub(crate) fn status(&self) -> Next {
        let parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        Next {
            version: self.version,
            position: Position(self.position.load(Ordering::Relaxed)),
            is_ready: false,
            parked: parked.clone(),
        }
    }
}

/// Takes away what was built of a view beside the live rows.
pub(crate) async fn abandon(read: &dyn ReadStore, view: View) -> Result<(), StoreError> {
    let part = registry::slot(view, Generation::Next);
    let mut statements = vec![checkpoint::clear(part.checkpoint())];
    statements.extend(part.drop_twins());
    read.transact(statements).await
}

struct Work {
    means: Means,
    view: View,
    position: Arc<AtomicU64>,
    parked: Arc<Mutex<Option<Arc<Parked>>>>,
    orders: Orders,
}

impl Work {
    async fn run(self, how: How) {
        let (mut is_anew, then_switch) = match how {
            How::GoOn => (false, false),
            How::Anew { then_switch } => (true, then_switch),
        };
        let projection = registry::slot(self.view, Generation::Next).checkpoint();
        loop {
            match self.build(is_anew, then_switch).await {
                Ok(slot) => {
                    // Nobody takes it any more: the next start goes on with it.
                    let _ = self.orders.send(Order::Arrived(Box::new(slot))).await;
                    return;
                }
                Err(error) if error.is_passing() => {
                    tracing::warn!(projection, %error, "rows will be built later");
                    is_anew = false;
                    tokio::time::sleep(RETRY).await;
                }
                Err(error) => {
                    tracing::error!(projection, %error, "rows can not be built");
                    let position = self.position.load(Ordering::Relaxed);
                    let reason = error.to_string();
                    let parked = Arc::new(Parked { position, reason });
                    let mut slot = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
                    *slot = Some(parked);
                    return;
                }
            }
        }
    }

    async fn build(&self, is_anew: bool, then_switch: bool) -> Result<Followed, RunError> {
        let Means { feed, read, vault } = self.means.clone();
        let part = registry::slot(self.view, Generation::Next);
        let name = part.checkpoint();
        let stored = match is_anew {
            true => None,
            false => standings(read.as_ref()).await?.remove(name),
        };
        let position = match stored {
            Some(stored) if stored.version == part.version() => stored.position,
            stored => {
                let then_switch = then_switch || stored.is_some_and(|stored| stored.then_switch);
                // What is left of an older build goes with its checkpoint: whoever
                // cleans up after a person looks only at rows that have one.
                abandon(read.as_ref(), self.view).await?;
                for (table, twin) in part.twins() {
                    read.twin(table, twin).await?;
                }
                let start = Position::default();
                let mut set = vec![checkpoint::set(name, part.version(), start)];
                set.extend(then_switch.then(|| will_switch(name)));
                read.transact(set).await?;
                start
            }
        };
        let version = part.version();
        let slots = vec![Followed::new(self.view, part, position, version)];
        let mut runner = Runner::over(Source::Feed(feed.clone()), read, vault, slots);
        loop {
            let started = Instant::now();
            let is_at_head = runner.step(|| false).await?.is_none();
            let slot = &runner.slots[0];
            self.position.store(slot.position.0, Ordering::Relaxed);
            if let Some(parked) = &slot.parked {
                return Err(RunError::Parked(Arc::clone(parked)));
            }
            if is_at_head || slot.position.0 + NEAR >= feed.head().0 {
                return Ok(runner.slots.remove(0));
            }
            tokio::time::sleep_until(started + PACE).await;
        }
    }
}

/// Empties one read model and folds the whole log into it again. Returns the
/// position that it has reached. No runner may follow the same read store.
///
/// # Errors
/// When a store can not be used or an event can not be applied; the model is
/// then as far as its checkpoint says, and goes on from there at the next start.
pub async fn rebuild(
    log: Arc<dyn EventLog>,
    read: Arc<dyn ReadStore>,
    vault: Arc<dyn Vault>,
    view: View,
) -> Result<Position, RunError> {
    let part = registry::slot(view, Generation::Live);
    let version = part.version();
    let mut statements = part.clear();
    let start = Position::default();
    statements.push(checkpoint::set(part.checkpoint(), version, start));
    read.transact(statements).await?;
    let slots = vec![Followed::new(view, part, start, version)];
    let mut runner = Runner::over(Source::Log(log), read, vault, slots);
    while runner.step(|| false).await?.is_some() {}
    match runner.slots.pop() {
        Some(Followed {
            parked: Some(parked),
            ..
        }) => Err(RunError::Parked(parked)),
        Some(slot) => Ok(slot.position),
        None => Ok(start),
    }
}
