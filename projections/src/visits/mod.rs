//! Stays in queues: one row for each, from which every report is counted.

mod apply;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use row::COLUMNS;
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
    id::VisitId,
    line::Event,
};

/// See the module.
#[derive(Debug)]
pub struct Visits;

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

impl Projection for Visits {
    const NAME: &'static str = "visits";
    const VERSION: u32 = 3;
    const TABLES: &'static [Table] = &[Table {
        name: "visits",
        key: "visit_id",
        columns: COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 16_384;
    type Key = VisitId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<VisitId> {
        apply::key(fact)
    }
    fn key_value(key: &VisitId) -> Value {
        crate::value::text(key)
    }
    fn creates(fact: &Fact) -> bool {
        matches!(&fact.event, AnyEvent::Line(_, Event::Opened { .. }))
    }
    fn key_of(row: &Row) -> VisitId {
        row.visit
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(_key: &VisitId, _row: Option<&Row>) -> Option<Change> {
        None
    }
}
