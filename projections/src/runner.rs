//! Runs the projections: feed -> rows and checkpoint in one transaction ->
//! what subscribers hear.

use crate::{
    changed::{Changes, View},
    checkpoint,
    past::{self, Past},
    projection::Input,
    registry,
    slot::{Part, SlotError},
    views::{Progress, Status, Views},
};
use commands::{
    feed::{Feed, understand},
    ports::{EventLog, Position, ReadError, ReadStore, StoreError, Vault, VaultError},
    roster::Roster,
    tail::Entry,
};
use domain::{
    agent,
    any::{AnyEvent, Fact},
    billing, call,
    sealed::{Party, Sealed},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast, oneshot, watch},
    task::JoinHandle,
    time::Instant,
};

/// Events folded in one transaction at most.
const BATCH_MAX: usize = 500;
/// At least this between two transactions: rows that change several times in
/// it are written once.
const PACE: Duration = Duration::from_millis(8);
/// Pause before a store that is down is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// How often a standby looks whether the leader has committed.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Commits that a slow subscriber may be behind.
const CHANGES_MAX: usize = 4_096;

/// What the projections work with.
#[derive(Clone)]
pub struct Means {
    /// Where events come from.
    pub feed: Feed,
    /// Where rows go.
    pub read: Arc<dyn ReadStore>,
    /// Opens personal data.
    pub vault: Arc<dyn Vault>,
}

impl std::fmt::Debug for Means {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Means")
    }
}

/// Why projections do not start, or a rebuild fails.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The read store can not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event can not be read; the error names its position.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A personal value can not be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A stored row can not be read.
    #[error(transparent)]
    Row(#[from] crate::value::Corrupt),
}

impl From<SlotError> for RunError {
    fn from(error: SlotError) -> Self {
        match error {
            SlotError::Store(error) => Self::Store(error),
            SlotError::Corrupt(error) => Self::Row(error),
        }
    }
}

impl RunError {
    /// Whether trying again can help.
    const fn is_passing(&self) -> bool {
        match self {
            Self::Store(StoreError::Unavailable(_))
            | Self::Read(ReadError::Unavailable(_))
            | Self::Vault(VaultError::Unavailable(_)) => true,
            Self::Store(StoreError::Fenced)
            | Self::Read(ReadError::Corrupt { .. })
            | Self::Vault(VaultError::Broken(_))
            | Self::Row(_) => false,
        }
    }
}

/// Where a runner reads.
pub(crate) enum Source {
    Feed(Feed),
    Log(Arc<dyn EventLog>),
}

impl Source {
    /// The next events. When one of them can not be read, those before it come
    /// first, so that the views stop exactly before it.
    pub(crate) async fn read(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Entry>>, ReadError> {
        let corrupt = match self.page(after, limit).await {
            Err(error @ ReadError::Corrupt { .. }) => error,
            other @ (Ok(_) | Err(ReadError::Unavailable(_))) => return other,
        };
        let ReadError::Corrupt { position, .. } = &corrupt else {
            return Err(corrupt);
        };
        let before = position.0.saturating_sub(after.0).saturating_sub(1);
        let before = usize::try_from(before).unwrap_or(limit).min(limit - 1);
        if before == 0 {
            return Err(corrupt);
        }
        self.page(after, before).await
    }

    async fn page(&self, after: Position, limit: usize) -> Result<Vec<Arc<Entry>>, ReadError> {
        match self {
            Self::Feed(feed) => feed.read(after, limit).await,
            Self::Log(log) => {
                let page = log.read_all(after, limit).await?;
                page.events
                    .into_iter()
                    .map(|stored| understand(stored).map(Arc::new))
                    .collect()
            }
        }
    }
}

pub(crate) struct Followed {
    pub(crate) view: View,
    pub(crate) part: Box<dyn Part>,
    pub(crate) position: Position,
}

pub(crate) struct Runner {
    pub(crate) source: Source,
    pub(crate) read: Arc<dyn ReadStore>,
    vault: Arc<dyn Vault>,
    pub(crate) slots: Vec<Followed>,
    /// Where a transaction brings the views to whose outcome nobody knows.
    doubt: Option<Position>,
    pub(crate) batch_max: usize,
}

impl Runner {
    pub(crate) async fn load(
        source: Source,
        read: Arc<dyn ReadStore>,
        vault: Arc<dyn Vault>,
        views: &[View],
    ) -> Result<Self, RunError> {
        let mut slots = Vec::with_capacity(views.len());
        for view in views {
            let part = registry::slot(*view);
            let stored = checkpoint::read(read.as_ref(), part.name()).await?;
            let position = match stored {
                Some((version, position)) if version == part.version() => position,
                // New, or made by other rules: from zero, with empty tables.
                Some(_) | None => {
                    let mut statements = part.clear();
                    statements.push(checkpoint::reset(part.name(), part.version()));
                    read.transact(statements).await?;
                    Position::default()
                }
            };
            slots.push(Followed {
                view: *view,
                part,
                position,
            });
        }
        Ok(Self::over(source, read, vault, slots))
    }

    pub(crate) const fn over(
        source: Source,
        read: Arc<dyn ReadStore>,
        vault: Arc<dyn Vault>,
        slots: Vec<Followed>,
    ) -> Self {
        Self {
            source,
            read,
            vault,
            slots,
            doubt: None,
            batch_max: BATCH_MAX,
        }
    }

    pub(crate) fn position(&self) -> Position {
        self.slots
            .iter()
            .map(|slot| slot.position)
            .min()
            .unwrap_or_default()
    }

    /// Folds the next batch; returns what has changed, or `None` at the head.
    /// Whether anybody `listens` is asked after the commit: who comes before it
    /// is told, and who comes later reads the rows themselves.
    pub(crate) async fn step(
        &mut self,
        listens: impl Fn() -> bool,
    ) -> Result<Option<Changes>, RunError> {
        if let Some(reached) = self.settle().await? {
            return Ok(Some(self.finish(reached, listens())));
        }
        match self.fold().await {
            Ok(Some(reached)) => Ok(Some(self.finish(reached, listens()))),
            Ok(None) => Ok(None),
            Err(error) => {
                if self.doubt.is_none() {
                    self.forget();
                }
                Err(error)
            }
        }
    }

    /// Folds the next batch and commits it; how far that is.
    async fn fold(&mut self) -> Result<Option<Position>, RunError> {
        let after = self.position();
        let entries = self.source.read(after, self.batch_max).await?;
        let Some(last) = entries.last() else {
            return Ok(None);
        };
        let reached = last.recorded.position;
        let mut parties = Vec::with_capacity(entries.len());
        for entry in &entries {
            parties.push(open(self.vault.as_ref(), &entry.fact).await?);
        }
        let mut statements = vec![];
        for slot in &mut self.slots {
            if slot.position >= reached {
                continue;
            }
            let start = entries.partition_point(|entry| entry.recorded.position <= slot.position);
            let facts: Vec<&Fact> = entries[start..].iter().map(|entry| &entry.fact).collect();
            slot.part.load(self.read.as_ref(), &facts).await?;
            for (fact, party) in facts.iter().zip(&parties[start..]) {
                slot.part.apply(&Input {
                    fact,
                    party: party.as_ref(),
                });
            }
            slot.part.collect(&mut statements);
            let advance = checkpoint::advance(slot.part.name(), slot.position, reached);
            statements.push(advance);
        }
        // An error may hide that it was committed.
        self.doubt = Some(reached);
        match self.read.transact(statements).await {
            Ok(()) => {}
            Err(error @ StoreError::Fenced) => {
                self.doubt = None;
                return Err(error.into());
            }
            Err(error @ StoreError::Unavailable(_)) => return Err(error.into()),
        }
        Ok(Some(reached))
    }

    /// Finds out what became of a transaction that ended with an error: where
    /// it brought the views to, if it was committed after all.
    async fn settle(&mut self) -> Result<Option<Position>, RunError> {
        let Some(reached) = self.doubt else {
            return Ok(None);
        };
        let moved = self.slots.iter().find(|slot| slot.position < reached);
        if let Some((name, before)) = moved.map(|slot| (slot.part.name(), slot.position)) {
            match checkpoint::read(self.read.as_ref(), name).await? {
                Some((_, stored)) if stored == reached => return Ok(Some(reached)),
                Some((_, stored)) if stored == before => {}
                Some(_) | None => return Err(StoreError::Fenced.into()),
            }
        }
        self.doubt = None;
        self.forget();
        Ok(None)
    }

    /// Everything up to there is committed.
    fn finish(&mut self, reached: Position, is_heard: bool) -> Changes {
        self.doubt = None;
        let mut rows = vec![];
        for slot in &mut self.slots {
            if is_heard {
                slot.part.changes(&mut rows);
            }
            slot.part.committed();
            slot.position = slot.position.max(reached);
        }
        Changes {
            position: reached,
            rows,
        }
    }

    fn forget(&mut self) {
        for slot in &mut self.slots {
            slot.part.forget();
        }
    }

    pub(crate) fn progress(&self, stopped: Option<&Arc<str>>) -> Progress {
        self.slots
            .iter()
            .map(|slot| Status {
                view: slot.view,
                version: slot.part.version(),
                position: slot.position,
                stopped: stopped.cloned(),
            })
            .collect()
    }
}

/// The personal value of an event, opened before it is folded.
async fn open(vault: &dyn Vault, fact: &Fact) -> Result<Option<Party>, VaultError> {
    match sealed(fact) {
        Some(sealed) => vault.open(sealed).await,
        None => Ok(None),
    }
}

pub(crate) fn sealed(fact: &Fact) -> Option<&Sealed<Party>> {
    match &fact.event {
        AnyEvent::Call(_, call::Event::Received { from, .. }) => Some(from),
        AnyEvent::Agent(
            _,
            agent::Event::Created { config, .. } | agent::Event::Configured { config, .. },
        ) => config.display_name.as_ref(),
        AnyEvent::Billing(event) => holder(event),
        AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..) => None,
    }
}

/// Name and address of who pays.
fn holder(event: &billing::Event) -> Option<&Sealed<Party>> {
    use billing::{account, invoice};
    match event {
        billing::Event::Account(
            _,
            account::Event::Opened { profile, .. } | account::Event::Configured { profile, .. },
        ) => profile.holder.as_ref(),
        billing::Event::Invoice(_, invoice::Event::Drafted { head, .. }) => {
            head.customer.holder.as_ref()
        }
        billing::Event::Seller(..)
        | billing::Event::Account(..)
        | billing::Event::Plan(..)
        | billing::Event::Deck(..)
        | billing::Event::Rating(..)
        | billing::Event::Usage(..)
        | billing::Event::Invoice(..)
        | billing::Event::CreditNote(..)
        | billing::Event::Series(..) => None,
    }
}

/// Projections that are being run.
pub struct Running {
    views: Views,
    stops: [oneshot::Sender<()>; 2],
    tasks: [JoinHandle<()>; 2],
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running")
            .field("progress", &self.views.progress())
            .finish_non_exhaustive()
    }
}

impl Running {
    /// The way to the read models.
    pub fn views(&self) -> Views {
        self.views.clone()
    }

    /// Stops after the transaction under way.
    pub async fn stop(self) {
        for stop in self.stops {
            // One that has stopped by itself does not listen any more.
            let _ = stop.send(());
        }
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "projections ended with a panic");
            }
        }
    }
}

/// Catches up with the feed, then follows it on a task of its own. Nobody else
/// may run them.
///
/// # Errors
/// When the read store can not be used or an event can not be read.
pub async fn start(means: Means) -> Result<Running, RunError> {
    start_on(means, Roster::alone("", 0)).await
}

/// The same on one of several nodes: the one that leads writes the rows, the
/// others tell their subscribers what it has committed, and stand by.
///
/// # Errors
/// When the read store can not be used or an event can not be read.
pub async fn start_on(means: Means, roster: Roster) -> Result<Running, RunError> {
    let Means { feed, read, vault } = means.clone();
    let past = Past::new(feed.log().clone(), read.clone(), vault);
    let (keeper, keeper_stopped) = oneshot::channel();
    let keeping = tokio::spawn(past::keep(feed, read.clone(), keeper_stopped));
    let mut runner = Runner::begin(&means, roster.leading().is_some()).await?;
    if roster.leading().is_some() {
        while runner.step(|| false).await?.is_some() {}
    }
    let (progress, progress_seen) = watch::channel(runner.progress(None));
    let (changes, _) = broadcast::channel(CHANGES_MAX);
    let views = Views::new(read, progress_seen, changes.clone(), past);
    let (stop, stopped) = oneshot::channel();
    let leads = roster.leading().is_some();
    let follower = Follower {
        runner,
        means,
        roster,
        leads,
        progress,
        changes,
    };
    let task = tokio::spawn(follower.run(stopped));
    Ok(Running {
        views,
        stops: [stop, keeper],
        tasks: [task, keeping],
    })
}

struct Follower {
    runner: Runner,
    means: Means,
    roster: Roster,
    /// It writes the rows.
    leads: bool,
    progress: watch::Sender<Progress>,
    changes: broadcast::Sender<Arc<Changes>>,
}

impl Runner {
    async fn begin(means: &Means, leads: bool) -> Result<Self, RunError> {
        let source = Source::Feed(means.feed.clone());
        let (read, vault) = (means.read.clone(), means.vault.clone());
        match leads {
            true => Self::load(source, read, vault, &View::ALL).await,
            false => Self::attach(source, read, vault, &View::ALL).await,
        }
    }
}

impl Follower {
    async fn run(mut self, mut stopped: oneshot::Receiver<()>) {
        loop {
            tokio::select! {
                () = self.means.feed.wait_beyond(self.runner.position()) => {}
                _ = &mut stopped => return,
            }
            let started = Instant::now();
            match self.step().await {
                Ok(Some(changed)) => {
                    let behind = self.means.feed.head().0;
                    let behind = behind.saturating_sub(changed.position.0);
                    metrics::gauge!("ringledger_projection_lag_events").set(behind as f64);
                    self.progress.send_replace(self.runner.progress(None));
                    // Nobody may be listening.
                    let _ = self.changes.send(Arc::new(changed));
                }
                Ok(None) if self.leads => {}
                // What has happened is not in the rows yet: the leader is at it.
                Ok(None) => tokio::time::sleep(LOOK_AGAIN).await,
                Err(error) if error.is_passing() => {
                    tracing::warn!(%error, "projections will try again");
                    tokio::time::sleep(RETRY).await;
                }
                Err(error) => {
                    let position = self.runner.position();
                    tracing::error!(%error, %position, "projections stopped: a person must look");
                    metrics::gauge!("ringledger_projection_stopped").set(1.0);
                    let reason: Arc<str> = error.to_string().into();
                    self.progress
                        .send_replace(self.runner.progress(Some(&reason)));
                    // The sender is kept, so that whoever watches sees the reason.
                    let _ = stopped.await;
                    return;
                }
            }
            tokio::time::sleep_until(started + PACE).await;
        }
    }

    async fn step(&mut self) -> Result<Option<Changes>, RunError> {
        let changes = &self.changes;
        let listens = || changes.receiver_count() > 0;
        if self.leads {
            return self.runner.step(listens).await;
        }
        if let Some(told) = self.runner.follow(listens).await? {
            return Ok(Some(told));
        }
        // Everything that the last leader has committed is told.
        if self.roster.leading().is_some() {
            self.runner = Runner::begin(&self.means, true).await?;
            self.leads = true;
            tracing::info!(position = %self.runner.position(), "this node runs the read models");
            return self.runner.step(listens).await;
        }
        Ok(None)
    }
}

/// Empties one read model and folds the whole log into it again. Returns the
/// position that it has reached. No runner may follow the same read store.
///
/// # Errors
/// When a store can not be used or an event can not be read; the model is then
/// as far as its checkpoint says, and goes on from there at the next start.
pub async fn rebuild(
    log: Arc<dyn EventLog>,
    read: Arc<dyn ReadStore>,
    vault: Arc<dyn Vault>,
    view: View,
) -> Result<Position, RunError> {
    let part = registry::slot(view);
    let mut statements = part.clear();
    statements.push(checkpoint::reset(part.name(), part.version()));
    read.transact(statements).await?;
    let mut runner = Runner::load(Source::Log(log), read, vault, &[view]).await?;
    while runner.step(|| false).await?.is_some() {}
    Ok(runner.position())
}
