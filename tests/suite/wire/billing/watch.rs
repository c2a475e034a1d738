//! Looks at the record from beside whoever writes it, and kills them at a mark.

use super::{LOOK, PATIENCE, url};
use anyhow::{Context as _, ensure};
use commands::ports::{EventLog, Position};
use ringledger_tests::server::{Setup, binary};
use std::{collections::BTreeMap, process::Stdio, sync::Arc, time::Duration};
use tokio::process;

/// Pause between two counts: a mark is passed by little.
const COUNT: Duration = Duration::from_millis(2);
/// Events that are counted at once.
const PAGE: usize = 5_000;

/// How many events of each type the store's own log has.
pub(super) struct Watch {
    log: Arc<dyn EventLog>,
    position: Position,
    counts: BTreeMap<Arc<str>, u64>,
}

impl Watch {
    pub(super) async fn open(setup: &Setup) -> anyhow::Result<Self> {
        Ok(Self {
            log: store::look(&url(setup)).await?.log,
            position: Position::default(),
            counts: BTreeMap::new(),
        })
    }

    /// How many there are now of these types together.
    async fn count(&mut self, event_types: &[&str]) -> anyhow::Result<u64> {
        loop {
            let page = self.log.read_all(self.position, PAGE).await?;
            let is_last = page.events.len() < PAGE;
            self.position = page.next;
            for event in page.events {
                *self.counts.entry(event.event_type).or_default() += 1;
            }
            if is_last {
                return Ok(event_types.iter().map(|name| self.of(name)).sum());
            }
        }
    }

    /// How many there were of that type at the last count.
    fn of(&self, event_type: &str) -> u64 {
        self.counts.get(event_type).copied().unwrap_or_default()
    }

    async fn reaches(&mut self, event_types: &[&str], mark: u64) -> anyhow::Result<()> {
        while self.count(event_types).await? < mark {
            tokio::time::sleep(COUNT).await;
        }
        Ok(())
    }
}

/// Work that is killed again and again.
pub(super) struct Work<'a> {
    pub(super) setup: &'a Setup,
    /// What the binary is told to do.
    pub(super) arguments: &'a [&'a str],
    /// The events that each piece of work has, one of each, from the first to the last.
    pub(super) steps: &'static [&'static str],
    /// How many pieces there are.
    pub(super) pieces: u64,
}

/// What the kills hit.
#[derive(Debug, Default)]
pub(super) struct Kills {
    /// How many there were; none once all is done.
    pub(super) all: u64,
    /// Kills at which some of the work was done and some was not.
    pub(super) amid: u64,
    /// Of these, at which more was done than at the kill before.
    pub(super) with_progress: u64,
    /// Pieces that were begun and not done, at all kills together.
    pub(super) torn: u64,
}

impl Work<'_> {
    /// Kills it at each of so many marks, which are spread over all of the work.
    pub(super) async fn kill_at_marks(
        &self,
        watch: &mut Watch,
        rounds: u64,
    ) -> anyhow::Result<Kills> {
        let mut kills = Kills::default();
        let mut before = watch.count(self.steps).await?;
        ensure!(before == 0, "{before} steps before any kill");
        let all = self.pieces * u64::try_from(self.steps.len())?;
        let mut marks = vec![];
        for round in 1..=rounds {
            if before >= all {
                break;
            }
            let mark = (all * round / (rounds + 1)).max(before + 1);
            self.kill_at(watch, mark).await?;
            let done = watch.count(self.steps).await?;
            kills.all += 1;
            kills.amid += u64::from(0 < done && done < all);
            kills.with_progress += u64::from(before < done && done < all);
            let (begun, ended) = (self.steps.first(), self.steps.last());
            let of = |step: Option<&&str>| step.map_or(0, |name| watch.of(name));
            kills.torn += of(begun).saturating_sub(of(ended));
            before = done;
            marks.push(done);
        }
        eprintln!("{} pieces, {all} steps {:?}", self.pieces, self.steps);
        eprintln!("killed after {marks:?}: {kills:?}");
        Ok(kills)
    }

    /// Lets it run until so much is done, also where it has not yet said that it is
    /// ready, and ends it there as a power cut would.
    async fn kill_at(&self, watch: &mut Watch, mark: u64) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let mut child = self.spawn()?;
            let ended = tokio::select! {
                reached = watch.reaches(self.steps, mark) => {
                    reached?;
                    child.kill().await?;
                    return Ok(());
                }
                ended = child.wait() => ended?,
                () = tokio::time::sleep_until(deadline) => {
                    child.kill().await?;
                    anyhow::bail!("{mark} of {:?} are not reached", self.steps);
                }
            };
            if ended.success() {
                // It was done before anybody looked again.
                let done = watch.count(self.steps).await?;
                ensure!(done >= mark, "it ended by itself after {done}");
                return Ok(());
            }
            // Whoever was killed may hold the store for a moment more.
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Starts it.
    pub(super) fn spawn(&self) -> anyhow::Result<process::Child> {
        process::Command::new(binary())
            .args(self.arguments)
            .arg("--config")
            .arg(self.setup.write()?)
            .arg("--data")
            .arg(self.setup.data())
            .env("RINGLEDGER__LOG__FILTER", "warn,rsipstack=error")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("the binary can not be started")
    }
}
