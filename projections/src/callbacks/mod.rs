//! Callbacks: who was promised to be rung back, and what came of it.

mod apply;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub use row::{Attempt, Row, State};
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
    callback::Event,
    id::{CallbackId, SubjectId},
};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct Callbacks;

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
    fn forget(&mut self, subject: SubjectId, position: u64) -> Effect {
        if !self.person.forget(subject) {
            return Effect::Kept;
        }
        self.position = position;
        Effect::Changed
    }
}

impl Projection for Callbacks {
    const NAME: &'static str = "callbacks";
    const VERSION: u32 = 2;
    const TABLES: &'static [Table] = &[Table {
        name: "callbacks",
        key: "callback_id",
        columns: row::COLUMNS,
        personal: Personal::Rows,
    }];
    const ROWS_CACHED_MAX: usize = 4_096;
    type Key = CallbackId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<CallbackId> {
        match &fact.event {
            AnyEvent::Callback(callback, _) => Some(*callback),
            AnyEvent::Call(..)
            | AnyEvent::Session(..)
            | AnyEvent::Line(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => None,
        }
    }
    fn key_value(key: &CallbackId) -> Value {
        crate::value::text(key)
    }
    fn creates(fact: &Fact) -> bool {
        matches!(&fact.event, AnyEvent::Callback(_, Event::Requested { .. }))
    }
    fn key_of(row: &Row) -> CallbackId {
        row.callback
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(key: &CallbackId, row: Option<&Row>) -> Option<Change> {
        Some(Change::Callback(*key, row.cloned().map(Arc::new)))
    }
}
