//! Messages in mailboxes: who left each, how long it is, and what has become of it.
//! One that was taken away stays as a row without its sound.

mod apply;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub use row::{Row, Status};
pub use store::Filter;

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt, text},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    id::{SubjectId, VoicemailId},
    mailbox::Event,
};

/// See the module.
#[derive(Debug)]
pub struct Voicemails;

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
        let person = self.person.as_mut();
        if !person.is_some_and(|person| person.forget(subject)) {
            return Effect::Kept;
        }
        self.position = position;
        Effect::Changed
    }
}

impl Projection for Voicemails {
    const NAME: &'static str = "voicemails";
    const VERSION: u32 = 1;
    const TABLES: &'static [Table] = &[Table {
        name: "voicemails",
        key: "voicemail_id",
        columns: row::COLUMNS,
        personal: Personal::Rows,
    }];
    const ROWS_CACHED_MAX: usize = 4_096;
    type Key = VoicemailId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<VoicemailId> {
        match &fact.event {
            AnyEvent::Mailbox(_, event) => event.message(),
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
            | AnyEvent::Callback(..)
            | AnyEvent::Billing(..) => None,
        }
    }
    fn key_value(key: &VoicemailId) -> Value {
        text(key)
    }
    fn creates(fact: &Fact) -> bool {
        matches!(&fact.event, AnyEvent::Mailbox(_, Event::Left { .. }))
    }
    fn key_of(row: &Row) -> VoicemailId {
        row.message
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(_key: &VoicemailId, _row: Option<&Row>) -> Option<Change> {
        // Who follows a mailbox follows its counts.
        None
    }
}
