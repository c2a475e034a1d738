//! What happens in a queue that no stay tells, by quarter of an hour: calls that were not
//! let in, and offers that came to nothing.

mod apply;
mod row;
#[cfg(test)]
mod tests;

pub(crate) use row::COUNTS;
pub use row::{Key, Row};

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
pub struct QueueSlots;

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

impl Projection for QueueSlots {
    const NAME: &'static str = "queue_slots";
    const VERSION: u32 = 1;
    const TABLES: &'static [Table] = &[Table {
        name: "queue_slots",
        key: "slot_id",
        columns: row::COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 1_024;
    const SHOWS_PEOPLE: bool = false;
    type Key = Key;
    type Row = Row;

    fn key(fact: &Fact) -> Option<Key> {
        apply::key(fact)
    }
    fn key_value(key: &Key) -> Value {
        crate::value::text(key)
    }
    fn creates(_fact: &Fact) -> bool {
        false
    }
    fn key_of(row: &Row) -> Key {
        row.key
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(_key: &Key, _row: Option<&Row>) -> Option<Change> {
        None
    }
}
