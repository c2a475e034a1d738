//! Queries over trunks.

use super::row::{COLUMNS, Row};
use crate::{
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    value::text,
    views::{ViewError, Views},
};
use domain::id::TrunkId;

impl Views {
    /// The trunk.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn trunk(&self, trunk: TrunkId) -> Result<Option<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "trunks");
        query.and("trunk_id = ?", [text(trunk)]);
        let (sql, parameters) = query.all("");
        Ok(self.rows(&sql, parameters, Row::read).await?.pop())
    }

    /// These trunks, those that there are, by name.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn trunks_by_id(&self, trunks: &[TrunkId]) -> Result<Vec<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "trunks");
        query.and_in("trunk_id", trunks.iter().map(text).collect());
        let (sql, parameters) = query.all(" ORDER BY name, trunk_id");
        self.rows(&sql, parameters, Row::read).await
    }

    /// Trunks by name.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn trunks(&self, page: &Page) -> Result<Slice<Row>, ViewError> {
        let query =
            Query::select(COLUMNS, "trunks").page("name", "trunk_id", Order::Ascending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        Ok(query.slice(rows, Row::read, cursor)?)
    }
}

/// Trunks are sorted by name.
fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Text(row.name.clone()),
        id: row.trunk.to_string(),
    }
}
