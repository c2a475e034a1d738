//! Calls in progress: the live board. A row comes with the INVITE and goes
//! with the end of the call.

mod apply;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub use row::{Ringing, Row, State, Supervision};
pub use store::Filter;
pub(crate) use store::cursor;

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    call::Event,
    id::{CallId, SubjectId},
};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct LiveCalls;

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
        let field = self.user_field.as_mut();
        let is_written = field.is_some_and(|field| field.forget(subject));
        if !self.caller.forget(subject) && !is_written {
            return Effect::Kept;
        }
        self.position = position;
        Effect::Changed
    }
}

impl Projection for LiveCalls {
    const NAME: &'static str = "live_calls";
    const VERSION: u32 = 5;
    const TABLES: &'static [Table] = &[Table {
        name: "live_calls",
        key: "call_id",
        columns: row::COLUMNS,
        personal: Personal::Rows,
    }];
    const ROWS_CACHED_MAX: usize = 16_384;
    type Key = CallId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<CallId> {
        match &fact.event {
            // After the end there is no row to look for.
            AnyEvent::Call(_, Event::LateFact { .. } | Event::MediaMeasured { .. }) => None,
            AnyEvent::Call(call, _) => Some(*call),
            AnyEvent::Session(..)
            | AnyEvent::Line(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => None,
        }
    }
    fn key_value(key: &CallId) -> Value {
        crate::value::text(key)
    }
    fn creates(fact: &Fact) -> bool {
        matches!(
            &fact.event,
            AnyEvent::Call(_, Event::Received { .. } | Event::Placed { .. })
        )
    }
    fn key_of(row: &Row) -> CallId {
        row.call
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(key: &CallId, row: Option<&Row>) -> Option<Change> {
        Some(Change::LiveCall(*key, row.cloned().map(Arc::new)))
    }
}
