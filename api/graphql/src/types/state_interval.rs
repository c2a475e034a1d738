//! What an agent did, interval after interval.

use crate::{
    id::Named,
    scalar::DateTime,
    types::{
        NotReadyWord,
        words::{LoggedState, NotReadyReason},
    },
};
use async_graphql::{ID, Object};
use projections::agent_log;

/// A time that an agent spent in one state.
pub(crate) struct StateInterval(pub(crate) agent_log::Interval);

/// A time in one state.
#[Object]
impl StateInterval {
    /// Who.
    async fn agent_id(&self) -> ID {
        self.0.agent.opaque()
    }

    /// What.
    async fn state(&self) -> LoggedState {
        self.0.state.into()
    }

    /// Why no calls were taken.
    async fn reason(&self) -> Option<NotReadyReason> {
        self.0.reason.map(Into::into)
    }

    /// In a word of the settings.
    async fn code(&self) -> Option<NotReadyWord> {
        self.0.code.as_ref().map(Into::into)
    }

    /// Since when.
    async fn start(&self) -> DateTime {
        DateTime(self.0.start)
    }

    /// Until when; null while it lasts.
    async fn end(&self) -> Option<DateTime> {
        self.0.end.map(DateTime)
    }

    /// Which call.
    async fn call_id(&self) -> Option<ID> {
        self.0.call.map(|call| call.opaque())
    }

    /// Which queue.
    async fn queue_id(&self) -> Option<ID> {
        self.0.queue.map(|queue| queue.opaque())
    }
}
