//! A moment of the past: everything below a board or a call that was is read as
//! it was too, never as it is now.

use crate::{error::Fault, query::views};
use async_graphql::{Context, Result};
use commands::ports::Position;
use domain::time::Timestamp;
use projections::past;
use std::sync::Arc;

/// A place in the record and the instant that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// After this event.
    pub(crate) position: u64,
    /// The instant.
    pub(crate) at: Timestamp,
}

impl Moment {
    pub(crate) const fn position(self) -> Position {
        Position(self.position)
    }

    /// The board of that moment.
    pub(crate) async fn board(self, ctx: &Context<'_>) -> Result<Arc<past::Board>> {
        let board = views(ctx)?.past().board(self.position()).await;
        Ok(board.map_err(Fault::from)?)
    }
}
