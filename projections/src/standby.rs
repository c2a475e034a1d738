//! The read models on a node that does not lead: it writes nothing, and tells
//! its subscribers what the leader has committed.

use crate::{
    changed::{Changes, View},
    checkpoint, registry,
    runner::{Followed, RunError, Runner, Source},
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
            let part = registry::slot(*view);
            let stored = checkpoint::read(read.as_ref(), part.name()).await?;
            slots.push(Followed {
                view: *view,
                part,
                // None yet: the leader has not begun.
                position: stored.map_or_else(Position::default, |(_, position)| position),
            });
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
        let after = self.position();
        let committed = self.committed().await?;
        if committed <= after {
            return Ok(None);
        }
        let entries = self.source.read(after, self.batch_max).await?;
        let count = entries.partition_point(|entry| entry.recorded.position <= committed);
        let Some(last) = entries[..count].last() else {
            return Ok(None);
        };
        let reached = last.recorded.position;
        let mut rows = vec![];
        if listens() {
            let facts: Vec<&Fact> = entries[..count].iter().map(|entry| &entry.fact).collect();
            for slot in &mut self.slots {
                slot.part.reread(self.read.as_ref(), &facts).await?;
                slot.part.changes(&mut rows);
                slot.part.forget();
            }
        }
        for slot in &mut self.slots {
            slot.position = slot.position.max(reached);
        }
        Ok(Some(Changes {
            position: reached,
            rows,
        }))
    }

    /// How far every read model is committed.
    async fn committed(&mut self) -> Result<Position, RunError> {
        let mut committed = None;
        let names: Vec<&str> = self.slots.iter().map(|slot| slot.part.name()).collect();
        for name in names {
            let stored = checkpoint::read(self.read.as_ref(), name).await?;
            let position = stored.map_or_else(Position::default, |(_, position)| position);
            committed = Some(committed.map_or(position, |least: Position| least.min(position)));
        }
        Ok(committed.unwrap_or_default())
    }
}
