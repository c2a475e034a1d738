//! Queries over mailboxes.

use super::row::{COLUMNS, Row};
use crate::{
    page::Query,
    value::text,
    views::{ViewError, Views},
};
use domain::id::MailboxId;

impl Views {
    /// The mailbox.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn mailbox(&self, mailbox: MailboxId) -> Result<Option<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "mailboxes");
        query.and("mailbox_id = ?", [text(mailbox)]);
        let (sql, parameters) = query.all("");
        Ok(self.rows(&sql, parameters, Row::read).await?.pop())
    }

    /// All mailboxes, by name.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn mailboxes(&self) -> Result<Vec<Row>, ViewError> {
        let query = Query::select(COLUMNS, "mailboxes");
        let (sql, parameters) = query.all(" ORDER BY name, mailbox_id");
        self.rows(&sql, parameters, Row::read).await
    }
}
