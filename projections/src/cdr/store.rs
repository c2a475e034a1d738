//! Queries over the records of ended calls.

use super::row::{COLUMNS, Row};
use crate::{
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    value::{text, time, word},
    views::{ViewError, Views},
};
use domain::{
    cause::Disposition,
    id::{AgentId, CallId, QueueId, SubjectId, TrunkId},
    time::Timestamp,
};

/// Which records; an empty filter is all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Routed to one of these queues; empty for any.
    pub queues: Vec<QueueId>,
    /// Connected to one of these agents; empty for any.
    pub agents: Vec<AgentId>,
    /// Let in by one of these trunks; empty for any.
    pub trunks: Vec<TrunkId>,
    /// With one of these outcomes; empty for any.
    pub dispositions: Vec<Disposition>,
    /// From this caller: `Vault::subject_of` a number finds it exactly.
    pub subject: Option<SubjectId>,
    /// Started at this instant or later.
    pub from: Option<Timestamp>,
    /// Started before this instant.
    pub until: Option<Timestamp>,
}

impl Filter {
    pub(crate) fn restrict(&self, query: &mut Query) {
        if !self.queues.is_empty() {
            query.and_in("queue_id", self.queues.iter().map(text).collect());
        }
        if !self.agents.is_empty() {
            query.and_in("agent_id", self.agents.iter().map(text).collect());
        }
        if !self.trunks.is_empty() {
            query.and_in("trunk_id", self.trunks.iter().map(text).collect());
        }
        if !self.dispositions.is_empty() {
            query.and_in("disposition", self.dispositions.iter().map(word).collect());
        }
        if let Some(subject) = self.subject {
            query.and("subject = ?", [text(subject)]);
        }
        if let Some(from) = self.from {
            query.and("started_at >= ?", [time(from)]);
        }
        if let Some(until) = self.until {
            query.and("started_at < ?", [time(until)]);
        }
    }
}

impl Views {
    /// The record of an ended call.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn cdr(&self, call: CallId) -> Result<Option<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "cdr");
        query.and("call_id = ?", [text(call)]);
        let (sql, parameters) = query.all("");
        Ok(self.rows(&sql, parameters, Row::read).await?.pop())
    }

    /// Records of ended calls, the latest start first.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn cdrs(&self, filter: &Filter, page: &Page) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "cdr");
        filter.restrict(&mut query);
        let query = query.page("started_at", "call_id", Order::Descending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        Ok(query.slice(rows, Row::read, cursor)?)
    }

    /// How many records there are.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn cdrs_count(&self, filter: &Filter) -> Result<u64, ViewError> {
        let mut query = Query::select(&["COUNT(*)"], "cdr");
        filter.restrict(&mut query);
        let (sql, parameters) = query.all("");
        let counts = self
            .rows(&sql, parameters, |columns| columns.number())
            .await?;
        Ok(counts.into_iter().next().unwrap_or(0))
    }
}

/// Records are sorted by when the call started.
pub(crate) fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Number(row.started_at.micros()),
        id: row.call.to_string(),
    }
}
