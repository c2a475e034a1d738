//! Queries over refused calls that are summed up.

use super::row::{COLUMNS, Row};
use crate::{
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    value::time,
    views::{ViewError, Views},
};
use domain::time::Timestamp;

/// Which sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filter {
    /// Summed up at this instant or later.
    pub from: Option<Timestamp>,
    /// Summed up before this instant.
    pub until: Option<Timestamp>,
}

impl Filter {
    fn restrict(self, query: &mut Query) {
        if let Some(from) = self.from {
            query.and("until_at >= ?", [time(from)]);
        }
        if let Some(until) = self.until {
            query.and("until_at < ?", [time(until)]);
        }
    }
}

impl Views {
    /// Sums of refused calls, the latest first.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn refusal_sums(&self, filter: Filter, page: &Page) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "refusal_sums");
        filter.restrict(&mut query);
        let query = query.page("until_at", "refusals_id", Order::Descending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        Ok(query.slice(rows, Row::read, cursor)?)
    }

    /// How many calls they are together.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn refused_calls_count(&self, filter: Filter) -> Result<u64, ViewError> {
        let sum = "CAST(COALESCE(SUM(calls_count), 0) AS BIGINT)";
        let mut query = Query::select(&[sum], "refusal_sums");
        filter.restrict(&mut query);
        self.number(query).await
    }
}

/// The latest sum first.
fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Number(row.until.micros()),
        id: row.refusals.to_string(),
    }
}
