//! Queries over everything that happened.

use super::row::{COLUMNS, Row};
use crate::{
    page::Query,
    value::{number, text},
    views::{ViewError, Views},
};
use domain::id::{AgentId, CallId, QueueId};

/// Events read at once at most.
pub const EVENTS_MAX: usize = 1000;

/// Which events; an empty filter is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of streams of these categories; empty for any.
    pub categories: Vec<String>,
    /// Of these types; empty for any.
    pub types: Vec<String>,
    /// Of this call.
    pub call: Option<CallId>,
    /// About this agent.
    pub agent: Option<AgentId>,
    /// Naming this queue.
    pub queue: Option<QueueId>,
}

impl Filter {
    /// Whether the event is one of them: for changes that follow a snapshot.
    pub fn matches(&self, row: &Row) -> bool {
        (self.categories.is_empty() || self.categories.contains(&row.category))
            && (self.types.is_empty() || self.types.contains(&row.event_type))
            && (self.call.is_none() || self.call == row.call)
            && (self.agent.is_none() || self.agent == row.agent)
            && (self.queue.is_none() || self.queue == row.queue)
    }

    fn restrict(&self, query: &mut Query) {
        if !self.categories.is_empty() {
            query.and_in("category", self.categories.iter().map(text).collect());
        }
        if !self.types.is_empty() {
            query.and_in("event_type", self.types.iter().map(text).collect());
        }
        if let Some(call) = self.call {
            query.and("call_id = ?", [text(call)]);
        }
        if let Some(agent) = self.agent {
            query.and("agent_id = ?", [text(agent)]);
        }
        if let Some(queue) = self.queue {
            query.and("queue_id = ?", [text(queue)]);
        }
    }
}

impl Views {
    /// Up to `limit` events after the position, in order: exclusive, so that a
    /// reader who goes on from the last one it saw misses nothing and sees
    /// nothing twice.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn events(
        &self,
        filter: &Filter,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "timeline");
        filter.restrict(&mut query);
        query.and("position > ?", [number(after)]);
        let limit = limit.clamp(1, EVENTS_MAX);
        let (sql, parameters) = query.all(&format!(" ORDER BY position LIMIT {limit}"));
        self.rows(&sql, parameters, Row::read).await
    }

    /// Everything that happened to one call, the events of its agent and queue
    /// that name it too.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn timeline(
        &self,
        call: CallId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Row>, ViewError> {
        let filter = Filter {
            call: Some(call),
            ..Filter::default()
        };
        self.events(&filter, after, limit).await
    }
}
