//! The read models on a node that does not lead: it writes nothing, and tells
//! its subscribers what the leader has committed.

use crate::{
    changed::{Changes, View},
    checkpoint,
    followed::Followed,
    registry,
    runner::{BATCH_MAX, RunError, Runner},
    slot::{Generation, SlotError},
    source::Source,
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
        let mut slots = Vec::with_capacity(views.len());
        for view in views {
            let part = registry::slot(*view, Generation::Live);
            let stored = checkpoint::read(read.as_ref(), part.checkpoint()).await?;
            // None yet: the leader has not begun.
            let (version, position) = stored.unwrap_or_default();
            slots.push(Followed::new(*view, part, position, version));
        }
        Ok(Self::over(source, read, vault, slots))
    }

    /// What the leader has committed since the last step; `None` when that is
    /// nothing. Rows are read as they are by now: they may know more than the
    /// events up to there, and say how much.
    pub(crate) async fn follow(
        &mut self,
        listens: impl Fn() -> bool,
    ) -> Result<Option<Changes>, RunError> {
        let mut rows = vec![];
        let mut has_moved = false;
        for slot in &mut self.slots {
            let stored = checkpoint::read(self.read.as_ref(), slot.part.checkpoint()).await?;
            let Some((version, committed)) = stored else {
                continue;
            };
            slot.version = version;
            if slot.position == committed {
                continue;
            }
            has_moved = true;
            while listens() && slot.position < committed {
                let left = usize::try_from(committed.0 - slot.position.0).unwrap_or(BATCH_MAX);
                let entries = self.source.read(slot.position, left.min(BATCH_MAX)).await?;
                let Some(last) = entries.last() else { break };
                let reached = last.recorded.position.min(committed);
                let facts: Vec<&Fact> = entries.iter().map(|entry| &entry.fact).collect();
                match slot.part.reread(self.read.as_ref(), &facts).await {
                    Ok(()) => slot.part.changes(&mut rows),
                    Err(SlotError::Store(error)) => return Err(error.into()),
                    // Whoever reads the tables hears what is wrong with them.
                    Err(SlotError::Corrupt(_) | SlotError::Bug(_)) => {}
                }
                slot.part.forget();
                slot.position = reached;
            }
            slot.position = committed;
        }
        let position = self.position();
        Ok(has_moved.then_some(Changes { position, rows }))
    }

    /// How far every view is: a leader's is never at the end of time.
    pub(crate) fn followed(&self) -> Position {
        let positions = self.slots.iter().map(|slot| slot.position);
        positions.min().unwrap_or_default()
    }
}
