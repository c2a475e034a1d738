//! Queries over callbacks.

use super::row::{COLUMNS, Row, State};
use crate::{
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    value::{text, word},
    views::{ViewError, Views},
};
use domain::id::{CallbackId, QueueId};

/// Which callbacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of one of these queues; empty for any.
    pub queues: Vec<QueueId>,
    /// In one of these states; empty for any.
    pub states: Vec<State>,
}

impl Views {
    /// The callback.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn callback(&self, callback: CallbackId) -> Result<Option<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "callbacks");
        query.and("callback_id = ?", [text(callback)]);
        let (sql, parameters) = query.all("");
        Ok(self.rows(&sql, parameters, Row::read).await?.pop())
    }

    /// Callbacks, whoever asked first before the others.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn callbacks(&self, filter: &Filter, page: &Page) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "callbacks");
        if !filter.queues.is_empty() {
            query.and_in("queue_id", filter.queues.iter().map(text).collect());
        }
        if !filter.states.is_empty() {
            query.and_in("state", filter.states.iter().map(word).collect());
        }
        let query = query.page("requested_at", "callback_id", Order::Ascending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        Ok(query.slice(rows, Row::read, cursor)?)
    }
}

/// Callbacks are sorted by when they were asked for.
fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Number(row.requested_at.micros()),
        id: row.callback.to_string(),
    }
}
