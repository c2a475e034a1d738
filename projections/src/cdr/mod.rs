//! The records of calls. While a call is in progress its record grows in a
//! table of its own; with the end it becomes a CDR, and a fact that comes
//! later gives the next revision.

mod apply;
mod diverted;
mod later;
mod leg;
mod row;
mod seizure;
mod stats;
mod store;
mod supervision;
mod takeover;
mod talking;
#[cfg(test)]
mod tests;
mod transfer;
mod voicemail;

pub(crate) use transfer::{Contact, contacts};

pub use diverted::Diverted;
pub use leg::{Leg, LegOutcome, Measured, Role, Segment, SegmentEnd, SegmentKind, Tried};
pub(crate) use row::COLUMNS;
pub use row::{Direction, End, Row, Superseded};
pub use seizure::{Seizure, SeizureOutcome};
pub use stats::{
    Common, Dimension, Figures, GROUPS_MAX, Grouping, PREFIX_DIGITS_MAX, StatError, StatRow,
};
pub use store::{Filter, Reached};
pub use voicemail::Voicemail;

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt, number, text, word},
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
pub struct Cdr;

/// Index of the table of calls in progress.
const OPEN: usize = 0;
/// Index of the table of ended calls.
const ENDED: usize = 1;

impl projection::Row for Row {
    fn position(&self) -> u64 {
        self.position
    }
    fn table(&self) -> usize {
        if self.end.is_some() { ENDED } else { OPEN }
    }
    fn values(&self) -> Vec<Value> {
        match &self.end {
            Some(end) => Row::values(self, end),
            None => vec![text(self.call), number(self.position), word(self)],
        }
    }
    fn read(table: usize, columns: &mut Columns) -> Result<Self, Corrupt> {
        if table == ENDED {
            return Row::read(columns);
        }
        let _call: CallId = columns.id()?;
        let _position: u64 = columns.number()?;
        columns.word()
    }
    fn forget(&mut self, subject: SubjectId, position: u64) -> Effect {
        let diverter = self.diverted.as_mut();
        let is_diverter = diverter.is_some_and(|diverted| diverted.by.forget(subject));
        let field = self.user_field.as_mut();
        let is_written = field.is_some_and(|field| field.forget(subject));
        if !self.caller.forget(subject) && !is_diverter && !is_written {
            return Effect::Kept;
        }
        self.position = position;
        Effect::Changed
    }
}

impl Projection for Cdr {
    const NAME: &'static str = "cdr";
    const VERSION: u32 = 14;
    const TABLES: &'static [Table] = &[
        Table {
            name: "cdr_open",
            key: "call_id",
            columns: &["call_id", "position", "record"],
            personal: Personal::Rows,
        },
        Table {
            name: "cdr",
            key: "call_id",
            columns: row::COLUMNS,
            personal: Personal::Columns(&[
                ("subject", &["from_user", "from_host", "from_name"]),
                (
                    "diverted_subject",
                    &["diverted_user", "diverted_host", "diverted_name"],
                ),
                ("user_field_subject", &["user_field"]),
            ]),
        },
    ];
    const ROWS_CACHED_MAX: usize = 16_384;
    type Key = CallId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<CallId> {
        apply::key(fact)
    }
    fn key_value(key: &CallId) -> Value {
        text(key)
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
        // A call in progress has no record yet.
        let ended = row.filter(|row| row.end.is_some())?;
        Some(Change::Cdr(*key, Some(Arc::new(ended.clone()))))
    }
}
