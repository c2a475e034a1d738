//! A read model, for whoever runs the system.

use crate::scalar::{Cursor, count};
use async_graphql::{Object, SimpleObject};
use commands::ports::Position;
use projections::views::{Next, Parked, Status};

/// Why a read model does not go on.
#[derive(SimpleObject)]
pub(crate) struct ProjectionParked {
    /// The event that can not be applied.
    position: Cursor,
    /// Why.
    reason: String,
}

impl From<&Parked> for ProjectionParked {
    fn from(parked: &Parked) -> Self {
        Self {
            position: Cursor(parked.position),
            reason: parked.reason.clone(),
        }
    }
}

/// Rows that are built beside those that readers see.
#[derive(SimpleObject)]
pub(crate) struct ProjectionNext {
    /// Version of their rules.
    version: i32,
    /// They know every event up to here.
    position: Cursor,
    /// They follow beside the live rows: `switchProjection` puts them in their
    /// place.
    is_ready: bool,
    /// Why they do not go on.
    parked: Option<ProjectionParked>,
}

impl From<&Next> for ProjectionNext {
    fn from(next: &Next) -> Self {
        Self {
            version: count(next.version),
            position: next.position.into(),
            is_ready: next.is_ready,
            parked: next.parked.as_deref().map(Into::into),
        }
    }
}

/// A read model and how far it is.
pub(crate) struct ProjectionStatus {
    pub(crate) status: Status,
    pub(crate) head: Position,
}

/// A read model: rows that are derived from the record and can be built again.
#[Object]
impl ProjectionStatus {
    /// Its name.
    async fn name(&self) -> &str {
        self.status.view.name()
    }

    /// Version of the rules that its rows were made by; 0 for rows that are not
    /// whole yet.
    async fn version(&self) -> i32 {
        count(self.status.version)
    }

    /// It knows every event up to here.
    async fn position(&self) -> Cursor {
        self.status.position.into()
    }

    /// Events that it does not know yet.
    async fn lag_events(&self) -> i32 {
        count(self.head.0.saturating_sub(self.status.position.0))
    }

    /// Why it does not go on; null while it runs.
    async fn parked(&self) -> Option<ProjectionParked> {
        self.status.parked.as_deref().map(Into::into)
    }

    /// Rows that are built beside its own; null without any.
    async fn next(&self) -> Option<ProjectionNext> {
        self.status.next.as_ref().map(Into::into)
    }
}
