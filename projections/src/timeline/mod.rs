//! Everything that happened, in order, one row an event. Rows are added and
//! never changed: what a stream of events with a cursor reads.

mod apply;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub use row::Row;
pub use store::{EVENTS_MAX, Filter};

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt},
};
use commands::ports::Value;
use domain::any::Fact;
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct Timeline;

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

impl Projection for Timeline {
    const NAME: &'static str = "timeline";
    const VERSION: u32 = 1;
    const TABLES: &'static [Table] = &[Table {
        name: "timeline",
        key: "position",
        columns: row::COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 0;
    const SHOWS_PEOPLE: bool = false;
    type Key = u64;
    type Row = Row;

    fn key(fact: &Fact) -> Option<u64> {
        Some(fact.position)
    }
    fn key_value(key: &u64) -> Value {
        crate::value::number(*key)
    }
    fn creates(_fact: &Fact) -> bool {
        true
    }
    fn key_of(row: &Row) -> u64 {
        row.position
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(key: &u64, row: Option<&Row>) -> Option<Change> {
        Some(Change::Timeline(*key, row.cloned().map(Arc::new)))
    }
}
