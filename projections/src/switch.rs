//! Rows that were built take the place of the live ones.

use crate::{
    changed::View,
    checkpoint, registry,
    runner::{RunError, Runner},
    slot::Generation,
};
use commands::ports::StoreError;

impl Runner {
    /// Takes away rows that are built; not while nobody knows what became of a
    /// transaction.
    pub(crate) fn drop_next(&mut self, view: View) -> bool {
        match self.find(view, Generation::Next) {
            Some(_) if self.doubt.is_some() || self.doubtful_switch == Some(view) => false,
            Some(index) => {
                self.slots.remove(index);
                true
            }
            None => true,
        }
    }

    /// Whether the rows that were built are as far as the live ones.
    pub(crate) fn is_level(&self, view: View) -> bool {
        let live = self.find(view, Generation::Live);
        let next = self.find(view, Generation::Next);
        let (Some(live), Some(next)) = (live, next) else {
            return false;
        };
        let (live, next) = (&self.slots[live], &self.slots[next]);
        self.doubt.is_none() && next.parked.is_none() && next.position >= live.position
    }

    /// Puts the rows that were built in the place of the live ones, in one
    /// transaction: a reader sees the one or the other, each complete.
    pub(crate) async fn switch(&mut self, view: View) -> Result<(), RunError> {
        let live = self.find(view, Generation::Live);
        let next = self.find(view, Generation::Next);
        let (Some(live), Some(next)) = (live, next) else {
            return Ok(());
        };
        let statements = {
            let (live, next) = (&self.slots[live], &self.slots[next]);
            let mut statements = next.part.replace();
            statements.push(checkpoint::forget(next.part.checkpoint(), next.position));
            let name = live.part.checkpoint();
            let (version, position) = (next.version, next.position);
            statements.push(checkpoint::replace(name, live.position, version, position));
            statements
        };
        self.doubtful_switch = Some(view);
        match self.read.transact(statements).await {
            Ok(()) => self.switched(view),
            // An error may hide that it was committed.
            Err(error @ StoreError::Unavailable(_)) => return Err(error.into()),
            Err(error @ (StoreError::Fenced | StoreError::Refused(_))) => {
                self.doubtful_switch = None;
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Finds out what became of a switch that ended with an error: the rows that were
    /// built have a checkpoint as long as they stand beside the live ones. Asked until
    /// it is known, for a commit may be seen late.
    pub(crate) async fn settle_switch(&mut self) -> Result<(), RunError> {
        let Some(view) = self.doubtful_switch else {
            return Ok(());
        };
        let name = registry::slot(view, Generation::Next).checkpoint();
        if checkpoint::read(self.read.as_ref(), name).await?.is_none() {
            self.switched(view);
        }
        Ok(())
    }

    /// The rows that were built are those that readers see.
    fn switched(&mut self, view: View) {
        self.doubtful_switch = None;
        let live = self.find(view, Generation::Live);
        let next = self.find(view, Generation::Next);
        let (Some(live), Some(next)) = (live, next) else {
            return;
        };
        let (name, position) = (
            self.slots[live].part.checkpoint(),
            self.slots[next].position,
        );
        self.slots[next].part.become_live();
        self.slots.swap(live, next);
        self.slots.remove(next);
        metrics::gauge!("ringledger_projection_parked", "projection" => name).set(0.0);
        tracing::info!(projection = name, %position, "projection was switched to the rows that were built");
    }
}
