//! An event of the record as it is stored, for whoever audits it.

use crate::{
    auth::Scope,
    query::identity,
    scalar::{Cursor, DateTime, count},
};
use async_graphql::{Context, ID, Json, Object, Result, SimpleObject};
use commands::ports::Recorded;
use domain::billing;

/// An event as it is stored.
pub(crate) struct EventRecord(pub(crate) Recorded);

/// How far the record was looked through for a page.
#[derive(SimpleObject)]
pub(crate) struct Scan {
    /// Everything up to here was looked at. A page that has fewer events than
    /// were asked for, and a next page, goes on after this.
    pub(crate) scanned_to: Cursor,
}

impl EventRecord {
    fn stored(&self) -> serde_json::Value {
        serde_json::from_str(&self.0.payload).unwrap_or_default()
    }

    fn fields(&self) -> Option<serde_json::Value> {
        let stored = self.stored();
        let event = stored.get("event")?.as_object()?;
        event.values().next().cloned()
    }
}

/// One event with who caused it and why. Personal data in it is sealed.
#[Object]
impl EventRecord {
    /// Its place in the one order of all events.
    async fn cursor(&self) -> Cursor {
        self.0.position.into()
    }

    /// Its id.
    async fn event_id(&self) -> ID {
        ID(self.0.event_id.to_string())
    }

    /// The stream: what it happened to.
    async fn stream(&self) -> &str {
        self.0.stream.as_str()
    }

    /// Its number in the stream, from 1.
    async fn version(&self) -> i32 {
        count(self.0.version)
    }

    /// What happened, for example `call_enqueued`.
    #[graphql(name = "type")]
    async fn event_type(&self) -> &str {
        &self.0.event_type
    }

    /// Version of the payload's schema.
    async fn schema_version(&self) -> i32 {
        count(self.0.event_version)
    }

    /// When it happened.
    async fn at(&self) -> Option<DateTime> {
        let at = self.stored().get("at").cloned()?;
        serde_json::from_value(at).ok().map(DateTime)
    }

    /// When the store took it.
    async fn recorded_at(&self) -> DateTime {
        DateTime(self.0.recorded_at)
    }

    /// The command that caused it.
    async fn command_id(&self) -> ID {
        ID(self.0.command_id.to_string())
    }

    /// What belongs together: the call's id where there is a call.
    async fn correlation_id(&self) -> ID {
        ID(self.0.metadata.correlation_id.to_string())
    }

    /// The event or request that caused the command.
    async fn causation_id(&self) -> ID {
        ID(self.0.metadata.causation_id.to_string())
    }

    /// Who asked: `process:routing`, `adapter:sip`, `token:dashboard`, `config`.
    async fn actor(&self) -> &str {
        &self.0.metadata.actor
    }

    /// Run number of the node that wrote it.
    async fn node_epoch(&self) -> i32 {
        count(self.0.metadata.node_epoch)
    }

    /// The tenant that it belongs to.
    async fn tenant_id(&self) -> ID {
        ID(self.0.metadata.tenant.to_string())
    }

    /// Its fields as they are stored: personal data is ciphertext. Those of what is of
    /// money only for those who have `billing:read`: null for others.
    async fn payload(&self, ctx: &Context<'_>) -> Result<Option<Json<serde_json::Value>>> {
        let is_of_money = billing::CATEGORIES.contains(&self.0.stream.category());
        if is_of_money && !identity(ctx)?.may(Scope::BillingRead) {
            return Ok(None);
        }
        Ok(self.fields().map(Json))
    }
}
