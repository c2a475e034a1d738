//! What agents did when: one row for each change of state, never changed again.

mod apply;
mod intervals;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub use intervals::{Interval, intervals};
pub(crate) use row::COLUMNS;
pub use row::{Row, State};

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt},
};
use commands::ports::Value;
use domain::any::Fact;

/// See the module.
#[derive(Debug)]
pub struct AgentLog;

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

impl Projection for AgentLog {
    const NAME: &'static str = "agent_log";
    const VERSION: u32 = 2;
    const TABLES: &'static [Table] = &[Table {
        name: "agent_log",
        key: "position",
        columns: COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 0;
    type Key = u64;
    type Row = Row;

    fn key(fact: &Fact) -> Option<u64> {
        apply::change(fact).map(|_| fact.position)
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
        *row = apply::change(input.fact);
        Effect::Changed
    }
    fn changed(_key: &u64, _row: Option<&Row>) -> Option<Change> {
        None
    }
}
