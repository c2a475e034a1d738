//! Queries over calls in progress.

use super::row::{COLUMNS, Row, State};
use crate::{
    calls,
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    value::{text, time, word},
    views::{ViewError, Views},
};
use domain::id::{AgentId, CallId, QueueId};

/// Which calls in progress; an empty filter is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// In one of these queues; empty for any.
    pub queues: Vec<QueueId>,
    /// With or offered to one of these agents; empty for any.
    pub agents: Vec<AgentId>,
    /// In one of these states; empty for any.
    pub states: Vec<State>,
}

impl Filter {
    /// Whether the row is one of them: for changes that follow a snapshot.
    pub fn matches(&self, row: &Row) -> bool {
        let queue_matches =
            self.queues.is_empty() || row.queue.is_some_and(|queue| self.queues.contains(&queue));
        let agent_matches =
            self.agents.is_empty() || row.agent.is_some_and(|agent| self.agents.contains(&agent));
        let state_matches = self.states.is_empty() || self.states.contains(&row.state);
        queue_matches && agent_matches && state_matches
    }

    pub(crate) fn restrict(&self, query: &mut Query) {
        if !self.queues.is_empty() {
            query.and_in("queue_id", self.queues.iter().map(text).collect());
        }
        if !self.agents.is_empty() {
            query.and_in("agent_id", self.agents.iter().map(text).collect());
        }
        if !self.states.is_empty() {
            query.and_in("state", self.states.iter().map(word).collect());
        }
    }
}

impl Views {
    /// The call, while it is in progress.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn live_call(&self, call: CallId) -> Result<Option<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "live_calls");
        query.and("call_id = ?", [text(call)]);
        let (sql, parameters) = query.all("");
        Ok(self.rows(&sql, parameters, Row::read).await?.pop())
    }

    /// The call that is heard at that agent's phone, or that it was asked to hear.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn supervised_by(&self, agent: AgentId) -> Result<Option<CallId>, ViewError> {
        let mut query = Query::select(COLUMNS, "live_calls");
        query.and("supervision IS NOT NULL", []);
        let (sql, parameters) = query.all("");
        let rows = self.rows(&sql, parameters, Row::read).await?;
        let mut supervised = rows.into_iter().filter(|row| {
            let current = row.supervision.as_ref();
            current.is_some_and(|current| current.supervisor == agent)
        });
        Ok(supervised.next().map(|row| row.call))
    }

    /// Calls in progress, the one that came first before the others.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn live_calls(&self, filter: &Filter, page: &Page) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "live_calls");
        filter.restrict(&mut query);
        let query = query.page("received_at", "call_id", Order::Ascending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        Ok(query.slice(rows, Row::read, cursor)?)
    }

    /// Calls in progress as a part of the list of all calls, latest first.
    pub(crate) async fn live_calls_latest_first(
        &self,
        filter: &calls::Filter,
        page: &Page,
    ) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "live_calls");
        let live = Filter {
            queues: filter.queues.clone(),
            agents: filter.agents.clone(),
            states: filter.states.clone(),
        };
        live.restrict(&mut query);
        if let Some(subject) = filter.subject {
            // Who was forgotten is not found any more, by whoever guesses a number.
            query.and("subject = ? AND from_user IS NOT NULL", [text(subject)]);
        }
        if let Some(from) = filter.from {
            query.and("received_at >= ?", [time(from)]);
        }
        if let Some(until) = filter.until {
            query.and("received_at < ?", [time(until)]);
        }
        let query = query.page("received_at", "call_id", Order::Descending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        Ok(query.slice(rows, Row::read, cursor)?)
    }

    /// How many calls are in progress.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn live_calls_count(&self, filter: &Filter) -> Result<u64, ViewError> {
        let mut query = Query::select(&["COUNT(*)"], "live_calls");
        filter.restrict(&mut query);
        self.number(query).await
    }
}

/// Calls are sorted by when they came.
pub(crate) fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Number(row.received_at.micros()),
        id: row.call.to_string(),
    }
}
