//! What was planned for agents: one row for each time that a schedule was set, never
//! changed again. What counts is told when it is asked for: the later ones cover the
//! earlier ones.

mod row;
mod store;
#[cfg(test)]
mod tests;

pub use row::{Key, Row};

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    schedule::Event,
};

/// See the module.
#[derive(Debug)]
pub struct Schedules;

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

impl Projection for Schedules {
    const NAME: &'static str = "schedules";
    const VERSION: u32 = 1;
    const TABLES: &'static [Table] = &[Table {
        name: "schedules",
        key: "entry",
        columns: row::COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 0;
    const SHOWS_PEOPLE: bool = false;
    type Key = Key;
    type Row = Row;

    fn key(fact: &Fact) -> Option<Key> {
        match &fact.event {
            AnyEvent::Schedule(agent, _) => Some(Key {
                agent: *agent,
                version: fact.version,
            }),
            AnyEvent::Call(..)
            | AnyEvent::Session(..)
            | AnyEvent::Line(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => None,
        }
    }
    fn key_value(key: &Key) -> Value {
        crate::value::text(key)
    }
    fn creates(_fact: &Fact) -> bool {
        true
    }
    fn key_of(row: &Row) -> Key {
        row.key
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        let (Some(key), AnyEvent::Schedule(_, event)) = (Self::key(input.fact), &input.fact.event)
        else {
            return Effect::Kept;
        };
        let Event::Set { from, to, segments } = event;
        *row = Some(Row {
            key,
            position: input.fact.position,
            from: *from,
            to: *to,
            segments: segments.clone(),
        });
        Effect::Changed
    }
    fn changed(_key: &Key, _row: Option<&Row>) -> Option<Change> {
        None
    }
}
