//! Refused calls that have no record of their own: one row for each sum.

mod apply;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub use row::Row;
pub use store::Filter;

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    id::RefusalsId,
};

/// See the module.
#[derive(Debug)]
pub struct RefusalSums;

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

impl Projection for RefusalSums {
    const NAME: &'static str = "refusal_sums";
    const VERSION: u32 = 1;
    const TABLES: &'static [Table] = &[Table {
        name: "refusal_sums",
        key: "refusals_id",
        columns: row::COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 1_024;
    const SHOWS_PEOPLE: bool = false;
    type Key = RefusalsId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<RefusalsId> {
        apply::key(fact)
    }
    fn key_value(key: &RefusalsId) -> Value {
        crate::value::text(key)
    }
    fn creates(fact: &Fact) -> bool {
        matches!(fact.event, AnyEvent::Refusals(..) | AnyEvent::Schedule(..))
    }
    fn key_of(row: &Row) -> RefusalsId {
        row.refusals
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(_key: &RefusalsId, _row: Option<&Row>) -> Option<Change> {
        None
    }
}
