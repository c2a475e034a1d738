//! Whether somebody who was not served was served later.

use super::row::{COLUMNS, Direction, Row};
use crate::{
    page::Query,
    value::{text, time, word},
    views::{ViewError, Views},
};
use domain::id::CallId;

impl Views {
    /// The first call of the same person after that one in which an agent was reached,
    /// whoever called whom. None for a call that shows no number, and of a person who was
    /// forgotten: nobody can say who that was.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn answered_later(&self, call: CallId) -> Result<Option<Row>, ViewError> {
        let Some(missed) = self.cdr(call).await? else {
            return Ok(None);
        };
        let party = missed.caller.party.as_ref();
        if party.is_none_or(|party| party.is_withheld()) {
            return Ok(None);
        }
        let mut query = Query::select(COLUMNS, "cdr");
        query.and("subject = ?", [text(missed.caller.subject)]);
        query.and("started_at > ?", [time(missed.started_at)]);
        query.and("agent_connected_at IS NOT NULL", []);
        // In a call of ours the agent is there before the person is dialled.
        query.and(
            "(direction = ? OR answered_at IS NOT NULL)",
            [word(&Direction::Inbound)],
        );
        let (sql, parameters) = query.all(" ORDER BY started_at, call_id LIMIT 1");
        Ok(self.rows(&sql, parameters, Row::read).await?.pop())
    }
}
