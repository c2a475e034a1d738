//! The record of every call that has ended: one row a call, corrected by a
//! next revision when facts come late. While a call is in progress, what its
//! record will need stands as JSON in a narrow table of its own, because that
//! is written several times a call and the wide row only at the end.

mod apply;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub use row::{Direction, End, Row, Superseded};
pub use store::Filter;

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::Table,
    value::{Columns, Corrupt, number, text, word},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    call::Event,
    id::CallId,
};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct Cdr;

impl projection::Row for Row {
    fn position(&self) -> u64 {
        self.position
    }
    fn table(&self) -> usize {
        usize::from(self.end.is_none())
    }
    fn values(&self) -> Vec<Value> {
        match &self.end {
            Some(end) => Row::values(self, end),
            None => vec![text(self.call), number(self.position), word(self)],
        }
    }
    fn read(table: usize, columns: &mut Columns) -> Result<Self, Corrupt> {
        if table == 0 {
            return Row::read(columns);
        }
        let (_, _): (CallId, u64) = (columns.id()?, columns.number()?);
        columns.word()
    }
}

impl Projection for Cdr {
    const NAME: &'static str = "cdr";
    const VERSION: u32 = 1;
    const TABLES: &'static [Table] = &[Table {
        name: "cdr",
        key: "call_id",
        columns: row::COLUMNS,
    },Table {
        name: "cdr_open",
        key: "call_id",
        columns: &["call_id", "position", "state"],
    }];
    const ROWS_CACHED_MAX: usize = 16_384;
    type Key = CallId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<CallId> {
        apply::call_of(&fact.event)
    }
    fn key_value(key: &CallId) -> Value {
        crate::value::text(key)
    }
    fn creates(fact: &Fact) -> bool {
        matches!(&fact.event, AnyEvent::Call(_, Event::Received { .. }))
    }
    fn key_of(row: &Row) -> CallId {
        row.call
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(key: &CallId, row: Option<&Row>) -> Option<Change> {
        let ended = row.filter(|row| row.end.is_some())?;
        Some(Change::Cdr(*key, Some(Arc::new(ended.clone()))))
    }
}
