//! Trunks as they are configured.

mod apply;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub use row::*;

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt},
};
use commands::ports::Value;
use domain::{any::Fact, id::TrunkId};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct Trunks;

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

impl Projection for Trunks {
    const NAME: &'static str = "trunks";
    const VERSION: u32 = 2;
    const TABLES: &'static [Table] = &[Table {
        name: "trunks",
        key: "trunk_id",
        columns: row::COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 1_024;
    const SHOWS_PEOPLE: bool = false;
    type Key = TrunkId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<TrunkId> {
        apply::key(fact)
    }
    fn key_value(key: &TrunkId) -> Value {
        crate::value::text(key)
    }
    fn creates(_fact: &Fact) -> bool {
        false
    }
    fn key_of(row: &Row) -> TrunkId {
        row.trunk
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(key: &TrunkId, row: Option<&Row>) -> Option<Change> {
        Some(Change::Trunk(*key, row.cloned().map(Arc::new)))
    }
}
