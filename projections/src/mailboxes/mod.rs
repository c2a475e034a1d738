//! Mailboxes: their rules, and how many messages are in them.

mod row;
mod store;
#[cfg(test)]
mod tests;

pub use row::Row;

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt, text},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    id::{MailboxId, SubjectId},
    mailbox::Event,
};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct Mailboxes;

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
    fn forget(&mut self, _subject: SubjectId, _position: u64) -> Effect {
        Effect::Kept
    }
}

impl Projection for Mailboxes {
    const NAME: &'static str = "mailboxes";
    const VERSION: u32 = 1;
    const TABLES: &'static [Table] = &[Table {
        name: "mailboxes",
        key: "mailbox_id",
        columns: row::COLUMNS,
        personal: Personal::Nothing,
    }];
    const ROWS_CACHED_MAX: usize = 1_024;
    type Key = MailboxId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<MailboxId> {
        match &fact.event {
            AnyEvent::Mailbox(mailbox, _) => Some(*mailbox),
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
    fn key_value(key: &MailboxId) -> Value {
        text(key)
    }
    fn creates(fact: &Fact) -> bool {
        matches!(&fact.event, AnyEvent::Mailbox(_, Event::Created { .. }))
    }
    fn key_of(row: &Row) -> MailboxId {
        row.mailbox
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        let AnyEvent::Mailbox(mailbox, event) = &input.fact.event else {
            return Effect::Kept;
        };
        if let Event::Created { name, config } = event {
            *row = Some(Row::new(*mailbox, name.clone(), config.clone()));
        }
        let Some(row) = row else {
            return Effect::Kept;
        };
        row.position = input.fact.position;
        row.hear(event);
        Effect::Changed
    }
    fn changed(key: &MailboxId, row: Option<&Row>) -> Option<Change> {
        Some(Change::Mailbox(*key, row.cloned().map(Arc::new)))
    }
}
