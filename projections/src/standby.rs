//! The read models on a node that does not lead: it writes nothing, and tells
//! its subscribers what the leader has committed.

use crate::{
    changed::{Change, Changes, View},
    followed::Followed,
    registry,
    runner::{BATCH_MAX, RunError, Runner},
    slot::{Generation, SlotError},
    source::Source,
    standing::{self, standings},
};
use commands::ports::{Position, ReadStore, Vault};
use domain::any::Fact;
use std::sync::Arc;

impl Runner {
    /// A runner that stands where the leader's rows are now, and changes none.
    pub(crate) async fn attach(
        source: Source,
        read: Arc<dyn ReadStore>,
        vault: Arc<dyn Vault>,
        views: &[View],
    ) -> Result<Self, RunError> {
        let standings = standings(read.as_ref()).await?;
        let slots = views.iter().map(|view| {
            let part = registry::slot(*view, Generation::Live);
            // None yet: the leader has not begun.
            let stored = standings.get(part.checkpoint());
            let stored = stored.cloned().unwrap_or_default();
            Followed {
                switches: stored.switches,
                parked: stored.parked,
                beside: standing::next(&standings, part.checkpoint()),
                ..Followed::new(*view, part, stored.position, stored.version)
            }
        });
        let slots = slots.collect();
        Ok(Self::over(source, read, vault, slots))
    }

    /// What the leader has committed since the last step; `None` when that is
    /// nothing. Rows are read as they are by now: they may know more than the
    /// events up to there, and say how much. What is known when the store fails is
    /// told before the error is.
    pub(crate) async fn follow(
        &mut self,
        listens: impl Fn() -> bool,
    ) -> Result<Option<Changes>, RunError> {
        let mut rows = vec![];
        let (mut has_moved, mut is_switched) = (false, false);
        let standings = standings(self.read.as_ref()).await?;
        for slot in &mut self.slots {
            let Some(stored) = standings.get(slot.part.checkpoint()) else {
                continue;
            };
            let position = slot.position;
            // Versions differ also where nothing was switched: rows that were found to be
            // of mixed rules.
            is_switched |= (slot.version, slot.switches) != (stored.version, stored.switches);
            (slot.version, slot.switches) = (stored.version, stored.switches);
            slot.parked.clone_from(&stored.parked);
            slot.beside = standing::next(&standings, slot.part.checkpoint());
            let outcome = slot
                .follow(
                    stored.position,
                    &self.source,
                    self.read.as_ref(),
                    &listens,
                    &mut rows,
                )
                .await;
            has_moved |= slot.position != position;
            match outcome {
                Ok(()) => {}
                Err(error) if has_moved || is_switched => {
                    tracing::warn!(%error, "the leader's rows will be looked at again");
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if is_switched {
            // Whoever follows a board reads it again.
            rows.clear();
        }
        let position = self.followed();
        Ok((has_moved || is_switched).then_some(Changes { position, rows }))
    }

    /// How far every view is: a leader's is never at the end of time.
    pub(crate) fn followed(&self) -> Position {
        let positions = self.slots.iter().map(|slot| slot.position);
        positions.min().unwrap_or_default()
    }
}

impl Followed {
    /// Follows the leader's checkpoint as far as the events are here that tell which
    /// rows it has written: they may come after it.
    async fn follow(
        &mut self,
        committed: Position,
        source: &Source,
        read: &dyn ReadStore,
        listens: &impl Fn() -> bool,
        rows: &mut Vec<Change>,
    ) -> Result<(), RunError> {
        while self.position < committed {
            if !listens() {
                self.position = committed;
                break;
            }
            let left = usize::try_from(committed.0 - self.position.0).unwrap_or(BATCH_MAX);
            let entries = source.read(self.position, left.min(BATCH_MAX)).await?;
            let Some(last) = entries.last() else { break };
            let reached = last.recorded.position.min(committed);
            let facts: Vec<&Fact> = entries.iter().map(|entry| &entry.fact).collect();
            match self.part.reread(read, &facts).await {
                Ok(()) => self.part.changes(rows),
                Err(SlotError::Store(error)) => return Err(error.into()),
                // Whoever reads the tables hears what is wrong with them.
                Err(SlotError::Corrupt(_) | SlotError::Bug(_)) => {}
            }
            self.part.forget();
            self.position = reached;
        }
        // A switch to older rows, or the log of another database.
        self.position = self.position.min(committed);
        Ok(())
    }
}
