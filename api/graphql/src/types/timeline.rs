//! One thing that happened.

use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{identity, services},
    scalar::{Cursor, DateTime, count},
};
use async_graphql::{Context, ID, Json, Object, Result};
use domain::{billing, sealed::Note};
use projections::timeline;

/// The only event with a note.
const WRAP_UP_ENDED: &str = "wrap_up_ended";

/// An event.
pub(crate) struct TimelineItem(pub(crate) timeline::Row);

/// One event of the record. It never changes.
#[Object]
impl TimelineItem {
    /// Its place in the one order of all events: a stream that is resumed
    /// `after` it goes on with the next.
    async fn cursor(&self) -> Cursor {
        Cursor(self.0.position)
    }

    /// Its id.
    async fn event_id(&self) -> ID {
        ID(self.0.event_id.to_string())
    }

    /// What kind of thing it happened to: `call`, `session`, `line`, `queue`,
    /// `agent`, `device`, `trunk`, or one of billing: `rating`, `account`, `usage`.
    async fn category(&self) -> &str {
        &self.0.category
    }

    /// What happened, for example `call_enqueued`.
    #[graphql(name = "type")]
    async fn event_type(&self) -> &str {
        &self.0.event_type
    }

    /// Its number in the history of that one thing, from 1.
    async fn version(&self) -> i32 {
        count(self.0.version)
    }

    /// When it happened.
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    /// The call that it belongs to.
    async fn call_id(&self) -> Option<ID> {
        self.0.call.map(Named::opaque)
    }

    /// The agent that it is about.
    async fn agent_id(&self) -> Option<ID> {
        self.0.agent.map(Named::opaque)
    }

    /// The queue that it names.
    async fn queue_id(&self) -> Option<ID> {
        self.0.queue.map(Named::opaque)
    }

    /// Its fields, without personal data. Those of what was rated and reserved, which
    /// are prices, only for those who have `billing:read`: null for others.
    async fn payload(&self, ctx: &Context<'_>) -> Result<Option<Json<serde_json::Value>>> {
        let is_of_money = billing::CATEGORIES.contains(&self.0.category.as_str());
        if is_of_money && !identity(ctx)?.may(Scope::BillingRead) {
            return Ok(None);
        }
        Ok(serde_json::from_str(&self.0.payload).ok().map(Json))
    }

    /// What the agent noted of the call, of a `wrap_up_ended`; null when it was nothing,
    /// or the caller was forgotten.
    async fn note(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        if self.0.event_type != WRAP_UP_ENDED {
            return Ok(None);
        }
        let note = services(ctx)?.views.past().note(self.0.position).await;
        Ok(note.map_err(Fault::from)?.map(|Note(text)| text))
    }
}
