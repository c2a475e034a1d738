//! Queries over messages.

use super::row::{COLUMNS, Row, Status};
use crate::{
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    value::{text, word},
    views::{ViewError, Views},
};
use domain::id::{MailboxId, VoicemailId};

/// Which messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of one of these mailboxes; empty for any.
    pub mailboxes: Vec<MailboxId>,
    /// Of which that has become; empty for any.
    pub statuses: Vec<Status>,
}

impl Views {
    /// The message.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn voicemail(&self, message: VoicemailId) -> Result<Option<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "voicemails");
        query.and("voicemail_id = ?", [text(message)]);
        let (sql, parameters) = query.all("");
        Ok(self.rows(&sql, parameters, Row::read).await?.pop())
    }

    /// Messages, the latest first.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn voicemails(&self, filter: &Filter, page: &Page) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "voicemails");
        if !filter.mailboxes.is_empty() {
            query.and_in("mailbox_id", filter.mailboxes.iter().map(text).collect());
        }
        if !filter.statuses.is_empty() {
            query.and_in("status", filter.statuses.iter().map(word).collect());
        }
        let query = query.page("left_at", "voicemail_id", Order::Descending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        Ok(query.slice(rows, Row::read, cursor)?)
    }
}

/// Messages are sorted by when they were left.
fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Number(row.left_at.micros()),
        id: row.message.to_string(),
    }
}
