//! People who were forgotten: one row each, by the keyed hash of their number.

mod apply;
mod batch;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use batch::{erasure, until_erasure};
pub use row::*;
pub(crate) use store::note_clean;

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt},
};
use commands::ports::Value;
use domain::{any::Fact, id::SubjectId};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct Erasures;

impl projection::Row for Row {
    fn position(&self) -> u64 {
        self.position
    }
    fn values(&self) -> Vec<Value> {
        Row::values(self)
    }
    fn read(_table: usize, columns: &mut Columns) -> Result<Self, Corrupt> {
        Row::read(columns)
    }
}

impl Projection for Erasures {
    const NAME: &'static str = "erasures";
    const VERSION: u32 = 1;
    const TABLES: &'static [Table] = &[Table {
        name: "erasures",
        key: "subject",
        columns: row::COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 1_024;
    type Key = SubjectId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<SubjectId> {
        apply::key(fact)
    }
    fn key_value(key: &SubjectId) -> Value {
        crate::value::text(key)
    }
    fn creates(_fact: &Fact) -> bool {
        false
    }
    fn key_of(row: &Row) -> SubjectId {
        row.subject
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(key: &SubjectId, row: Option<&Row>) -> Option<Change> {
        Some(Change::Erasure(*key, row.cloned().map(Arc::new)))
    }
}
