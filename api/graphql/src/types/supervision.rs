//! Somebody who hears a call besides, talks in it, or has taken it from its agent.

use super::{Agent, Moment, call::agent};
use crate::{auth::Scope, query::Needs, scalar::DateTime, types::words::SupervisionMode};
use async_graphql::{Context, Object, Result};
use projections::live_calls;

/// A supervision.
pub(crate) struct Supervision {
    row: live_calls::Supervision,
    /// When it was so; none for now.
    moment: Option<Moment>,
}

impl Supervision {
    pub(crate) const fn of(row: live_calls::Supervision, moment: Option<Moment>) -> Self {
        Self { row, moment }
    }
}

/// A supervision of a call in progress.
#[Object]
impl Supervision {
    /// At whose phone.
    #[graphql(guard = "Needs(Scope::AgentRead)")]
    async fn supervisor(&self, ctx: &Context<'_>) -> Result<Option<Agent>> {
        agent(ctx, Some(self.row.supervisor), self.moment).await
    }

    /// Who hears whom.
    async fn mode(&self) -> SupervisionMode {
        self.row.mode.into()
    }

    /// When it was asked for.
    async fn requested_at(&self) -> DateTime {
        DateTime(self.row.requested_at)
    }

    /// When the phone has answered; null while it rings.
    async fn started_at(&self) -> Option<DateTime> {
        self.row.started_at.map(DateTime)
    }
}
