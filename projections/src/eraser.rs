//! Carries erasures out: destroys keys, and cleans their file, and those of the read
//! models once every view has let go. The record says what is to be done, so a crash
//! at any point only delays it; so does a disk without room for a file twice, which
//! holds nobody up who destroys keys or follows the record.

use crate::{
    build,
    changed::View,
    erasures::{self, erasure},
    standing::checkpoints,
    views::{ViewError, Views},
};
use commands::{
    feed::Feed,
    ports::{Erasure, Position, ReadError, ReadStore, StoreError, Vault, VaultError},
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Pause before what failed is tried again.
const RETRY: Duration = Duration::from_millis(500);
/// After files were written anew, or that was tried, they are left alone for so many
/// times as long: a disk without room for a second file does not get it by being asked.
const SHARE: u32 = 20;
/// Events read at once.
const BATCH_MAX: usize = 500;
/// How long the views may take before it is looked at again.
const VIEWS_WAIT: Duration = Duration::from_secs(1);

/// What the eraser works with.
#[derive(Clone)]
pub struct Tools {
    /// Where erasures are read.
    pub feed: Feed,
    /// The keys.
    pub vault: Arc<dyn Vault>,
    /// The files that are cleaned.
    pub read: Arc<dyn ReadStore>,
    /// How far the views are.
    pub views: Views,
}

impl std::fmt::Debug for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tools")
    }
}

/// Why an erasure is not complete yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotYet {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    View(#[from] ViewError),
    #[error("a view has not let go yet")]
    Behind,
    #[error("the files were written anew not long ago")]
    Rests,
}

/// Files that are written anew together.
#[derive(Default)]
struct Files {
    /// Nothing of an erasure up to here is in them.
    clean: Position,
    /// They are not written anew before then.
    not_before: Option<Instant>,
}

impl Files {
    /// Writes them anew by that `work`, which leaves nothing of an erasure up to
    /// `through`. Whoever writes to them waits for that, so it takes a small part of the
    /// time, however many people are erased.
    async fn scrub<E>(
        &mut self,
        through: Position,
        work: impl Future<Output = Result<(), E>>,
    ) -> Result<(), NotYet>
    where
        NotYet: From<E>,
    {
        if self.not_before.is_some_and(|at| Instant::now() < at) {
            return Err(NotYet::Rests);
        }
        let started = Instant::now();
        let outcome = work.await;
        self.not_before = Some(Instant::now() + started.elapsed() * SHARE);
        outcome?;
        self.clean = through;
        Ok(())
    }
}

pub(crate) struct Eraser {
    tools: Tools,
    /// Every erasure up to here is carried out on the keys.
    shredded: Position,
    /// The latest erasure up to there.
    latest: Position,
    /// Erasures up to here are told to be complete.
    told: Position,
    /// Where the keys are.
    keys: Files,
    /// Those of the read models.
    rows: Files,
}

/// Carries out what an earlier run left undone, then follows the feed until it
/// is told to stop. Every node does: each has keys in memory to forget.
pub async fn run(tools: Tools, stop: impl Future<Output = ()>) {
    let work = async {
        let mut eraser = loop {
            match Eraser::resume(tools.clone()).await {
                Ok(eraser) => break eraser,
                Err(error) => wait(&error).await,
            }
        };
        loop {
            match eraser.step().await {
                Ok(()) => tools.feed.wait_beyond(eraser.shredded).await,
                // Keys are destroyed meanwhile: only the files wait.
                Err(error) => wait(&error).await,
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = stop => {}
    }
}

async fn wait(error: &NotYet) {
    metrics::gauge!("ringledger_erasure_pending").set(1.0);
    match error {
        NotYet::Behind | NotYet::Rests => {}
        NotYet::Vault(_) | NotYet::Read(_) | NotYet::Store(_) | NotYet::View(_) => {
            tracing::warn!(%error, "an erasure is not complete and will be tried again");
        }
    }
    tokio::time::sleep(RETRY).await;
}

impl Eraser {
    /// What the read model of erasures knows beyond what was carried out.
    pub(crate) async fn resume(tools: Tools) -> Result<Self, NotYet> {
        let known = tools
            .views
            .progress()
            .get(View::Erasures.index())
            .map_or_else(Position::default, |status| status.position);
        let mut done = tools.vault.shredded().await?;
        if done > known {
            // Keys that are newer than the record: what they have noted is of
            // another history.
            done = Position::default();
        }
        for row in tools.views.erasures_after(done).await? {
            let erasure = Erasure {
                subject: row.subject,
                keys_through: row.keys_through,
                position: Position(row.position),
            };
            tools.vault.shred(&erasure).await?;
        }
        let told = tools.views.clean_through().await?;
        let last = tools.views.erasures_after(told).await?.pop();
        Ok(Self {
            tools,
            shredded: known,
            latest: last.map_or(told, |row| Position(row.position)),
            told,
            // They are asked at every start: those of a backup may not be clean.
            keys: Files::default(),
            rows: Files {
                clean: told,
                not_before: None,
            },
        })
    }

    /// Reads on to the head, then cleans if there is anything to clean.
    pub(crate) async fn step(&mut self) -> Result<(), NotYet> {
        loop {
            let entries = self.tools.feed.read(self.shredded, BATCH_MAX).await?;
            let Some(last) = entries.last() else { break };
            for erasure in entries.iter().filter_map(|entry| erasure(&entry.fact)) {
                self.tools.vault.shred(&erasure).await?;
                self.latest = erasure.position;
                metrics::counter!("ringledger_erasures_total").increment(1);
            }
            self.shredded = last.recorded.position;
        }
        self.clean().await
    }

    /// Cleans the files of the keys, and those of the read models once every view has let
    /// go. Each for itself: where one has no room or is held up, the other is done.
    async fn clean(&mut self) -> Result<(), NotYet> {
        let keys = self.clean_keys().await;
        let rows = self.clean_rows().await;
        let through = self.keys.clean.min(self.rows.clean);
        if through > self.told {
            erasures::note_clean(self.tools.read.as_ref(), through).await?;
            self.told = through;
            tracing::info!(position = %through, "an erasure is complete");
        }
        keys.and(rows)?;
        metrics::gauge!("ringledger_erasure_pending").set(0.0);
        Ok(())
    }

    async fn clean_keys(&mut self) -> Result<(), NotYet> {
        if self.keys.clean >= self.latest {
            return Ok(());
        }
        self.keys.scrub(self.latest, self.tools.vault.scrub()).await
    }

    async fn clean_rows(&mut self) -> Result<(), NotYet> {
        let position = self.latest;
        if self.rows.clean >= position {
            return Ok(());
        }
        let views = &self.tools.views;
        let let_go = views.wait_for(&View::ALL, position, VIEWS_WAIT).await;
        let_go.map_err(|_| NotYet::Behind)?;
        // Rows that are being built, here or on the node that leads, may have
        // been given the person before the key was destroyed, and come to
        // the erasure later.
        let stored = checkpoints(self.tools.read.as_ref()).await?;
        for one in stored.iter().filter(|one| one.position < position) {
            match &one.parked {
                // They will not come there, and are begun anew in any case.
                Some(_) if one.is_next => {
                    build::abandon(self.tools.read.as_ref(), one.view).await?;
                }
                Some(_) | None => return Err(NotYet::Behind),
            }
        }
        self.rows.scrub(position, self.tools.read.scrub()).await
    }
}
