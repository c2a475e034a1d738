//! Queues with their configuration and counters.

mod apply;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub use row::*;
pub use store::*;

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt},
};
use commands::ports::Value;
use domain::{any::Fact, id::QueueId};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct QueueStats;

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

impl Projection for QueueStats {
    const NAME: &'static str = "queue_stats";
    const VERSION: u32 = 7;
    const TABLES: &'static [Table] = &[Table {
        name: "queue_stats",
        key: "queue_id",
        columns: row::COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 16_384;
    const SHOWS_PEOPLE: bool = false;
    type Key = QueueId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<QueueId> {
        apply::key(fact)
    }
    fn key_value(key: &QueueId) -> Value {
        crate::value::text(key)
    }
    fn creates(_fact: &Fact) -> bool {
        false
    }
    fn key_of(row: &Row) -> QueueId {
        row.queue
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(key: &QueueId, row: Option<&Row>) -> Option<Change> {
        Some(Change::QueueStats(*key, row.cloned().map(Arc::new)))
    }
}
