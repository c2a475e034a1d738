//! A webhook, for whoever runs the system.

use crate::{
    error::Fault,
    query::services,
    scalar::{Cursor, DateTime, count},
    services::Webhook as Configured,
};
use async_graphql::{Context, ID, Object, Result, SimpleObject};
use commands::outbox::{Letter, Standing};

/// Dead letters that are shown at most; more are more of the same.
const DEAD_MAX: usize = 100;

/// An event that a receiver did not take, and that is not sent any more.
#[derive(SimpleObject)]
pub(crate) struct DeadLetter {
    /// The event.
    event_id: ID,
    /// Where it is in the record.
    position: Cursor,
    /// What it happened to.
    stream: String,
    /// Times that it was sent.
    attempts_count: i32,
    /// What the last one came to.
    error: Option<String>,
}

impl From<Letter> for DeadLetter {
    fn from(letter: Letter) -> Self {
        Self {
            event_id: ID(letter.event_id),
            position: letter.position.into(),
            stream: letter.stream,
            attempts_count: count(letter.attempts),
            error: letter.error,
        }
    }
}

/// A webhook and how it is getting on.
pub(crate) struct Webhook {
    configured: Configured,
    standing: Standing,
}

impl Webhook {
    pub(crate) async fn of(ctx: &Context<'_>, configured: &Configured) -> Result<Self> {
        let standing = services(ctx)?.outbox.standing(&configured.name).await;
        Ok(Self {
            configured: configured.clone(),
            standing: standing.map_err(Fault::from)?,
        })
    }
}

/// A system outside that is told of events.
#[Object]
impl Webhook {
    /// Its name.
    async fn name(&self) -> &str {
        &self.configured.name
    }

    /// Where letters go.
    async fn url(&self) -> &str {
        &self.configured.url
    }

    /// Types of events that it is told of; empty for all.
    async fn event_types(&self) -> &[String] {
        &self.configured.events
    }

    /// It has read the record up to here; null before it began.
    async fn position(&self) -> Option<Cursor> {
        self.standing.position.map(Into::into)
    }

    /// Letters that were taken.
    async fn delivered_count(&self) -> i32 {
        count(self.standing.delivered)
    }

    /// When the last one was.
    async fn delivered_at(&self) -> Option<DateTime> {
        self.standing.delivered_at.map(DateTime)
    }

    /// Letters that are under way.
    async fn waiting_count(&self) -> i32 {
        count(self.standing.waiting)
    }

    /// Letters that were given up.
    async fn dead_count(&self) -> i32 {
        count(self.standing.dead)
    }

    /// The first hundred of those that were given up.
    async fn dead_letters(&self, ctx: &Context<'_>) -> Result<Vec<DeadLetter>> {
        let outbox = &services(ctx)?.outbox;
        let dead = outbox.dead(&self.configured.name, DEAD_MAX).await;
        Ok(dead
            .map_err(Fault::from)?
            .into_iter()
            .map(Into::into)
            .collect())
    }
}
