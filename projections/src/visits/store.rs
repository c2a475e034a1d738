//! Queries over stays.

use super::row::{COLUMNS, Row};
use crate::{
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    value::{number, text, time},
    views::{ViewError, Views},
};
use domain::{
    id::{CallId, QueueId},
    queue::SHORT_ABANDON_MS,
    time::Timestamp,
};

/// Which abandoned stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// In one of these queues; empty for any.
    pub queues: Vec<QueueId>,
    /// Closed at this instant or later.
    pub from: Option<Timestamp>,
    /// Closed before this instant.
    pub until: Option<Timestamp>,
    /// Short abandons too.
    pub with_short: bool,
}

impl Filter {
    fn restrict(&self, query: &mut Query) {
        query.and("result = ?", [text("abandoned")]);
        if !self.queues.is_empty() {
            query.and_in("queue_id", self.queues.iter().map(text).collect());
        }
        if let Some(from) = self.from {
            query.and("closed_at >= ?", [time(from)]);
        }
        if let Some(until) = self.until {
            query.and("closed_at < ?", [time(until)]);
        }
        if !self.with_short {
            let otherwise = number(SHORT_ABANDON_MS);
            query.and("wait_ms >= COALESCE(short_abandon_ms, ?)", [otherwise]);
        }
    }
}

impl Views {
    /// Stays whose caller left first, the latest first.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn abandoned(&self, filter: &Filter, page: &Page) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "visits");
        filter.restrict(&mut query);
        let query = query.page("closed_at", "visit_id", Order::Descending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        Ok(query.slice(rows, Row::read, cursor)?)
    }

    /// The stays of a call, the first first. A call is in each queue once, or as often as a
    /// person sends it there.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn visits_of(&self, call: CallId) -> Result<Vec<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "visits");
        query.and("call_id = ?", [text(call)]);
        let (sql, parameters) = query.all(" ORDER BY opened_at, visit_id");
        self.rows(&sql, parameters, Row::read).await
    }
}

/// Abandoned stays are sorted by when they ended.
fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Number(row.closed_at.map_or(0, Timestamp::micros)),
        id: row.visit.to_string(),
    }
}
