//! Queries over people who were forgotten, and how far the files are clean.

use super::row::{COLUMNS, Row};
use crate::{
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    value::{number, text},
    views::{ViewError, Views},
};
use commands::ports::{Position, ReadStore, Statement, StoreError, Value};
use domain::id::SubjectId;

/// Name of the mark up to which the files of the read models are clean.
const CLEAN: &str = "erasures";

impl Views {
    /// What is known of a person's erasure.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn erasure(&self, subject: SubjectId) -> Result<Option<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "erasures");
        query.and("subject = ?", [text(subject)]);
        let (sql, parameters) = query.all("");
        Ok(self.rows(&sql, parameters, Row::read).await?.pop())
    }

    /// People who were forgotten, the latest first.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn erasures(&self, page: &Page) -> Result<Slice<Row>, ViewError> {
        let query =
            Query::select(COLUMNS, "erasures").page("position", "subject", Order::Descending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        Ok(query.slice(rows, Row::read, cursor)?)
    }

    /// Erasures after a position, in order.
    pub(crate) async fn erasures_after(&self, after: Position) -> Result<Vec<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "erasures");
        query.and("position > ?", [number(after.0)]);
        let (sql, parameters) = query.all(" ORDER BY position");
        self.rows(&sql, parameters, Row::read).await
    }

    /// How many people were forgotten after a position.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn erasures_after_count(&self, after: u64) -> Result<u64, ViewError> {
        let mut query = Query::select(&["COUNT(*)"], "erasures");
        query.and("position > ?", [number(after)]);
        self.number(query).await
    }

    /// Up to where in the record the files of the read models are clean of
    /// people who were forgotten.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn clean_through(&self) -> Result<Position, ViewError> {
        let sql = "SELECT position FROM es_scrubs WHERE name = $1";
        let rows = self.query(sql, vec![text(CLEAN)]).await?;
        Ok(match rows.first().map(Vec::as_slice) {
            Some([Value::Int(position)]) => Position(position.unsigned_abs()),
            Some(_) | None => Position::default(),
        })
    }
}

/// Notes that the files are clean up to there.
pub(crate) async fn note_clean(read: &dyn ReadStore, through: Position) -> Result<(), StoreError> {
    read.transact(vec![Statement {
        sql: "INSERT INTO es_scrubs (name, position) VALUES ($1, $2) \
              ON CONFLICT (name) DO UPDATE SET position = excluded.position",
        parameters: vec![text(CLEAN), number(through.0)],
        must_touch: None,
    }])
    .await
}

/// The latest erasure first.
fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Number(i64::try_from(row.position).unwrap_or(i64::MAX)),
        id: row.subject.to_string(),
    }
}
