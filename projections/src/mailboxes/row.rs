//! One mailbox.

use crate::value::{Columns, Corrupt, number, text, text_or_null};
use commands::ports::Value;
use domain::{
    id::MailboxId,
    mailbox::{Config, Event, Status},
};

/// A mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub mailbox: MailboxId,
    /// Position of the event that last changed the row.
    pub position: u64,
    /// Its name.
    pub name: String,
    /// Its rules.
    pub config: Config,
    /// Messages that nobody has heard.
    pub new_count: u64,
    /// Messages that were heard.
    pub read_count: u64,
    /// Messages that were heard and are to be kept.
    pub saved_count: u64,
    /// Messages that are being left.
    pub expected_count: u64,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "mailbox_id",
    "position",
    "name",
    "greeting",
    "longest_ms",
    "messages_max",
    "new_count",
    "read_count",
    "saved_count",
    "expected_count",
];

impl Row {
    pub(super) const fn new(mailbox: MailboxId, name: String, config: Config) -> Self {
        Self {
            mailbox,
            position: 0,
            name,
            config,
            new_count: 0,
            read_count: 0,
            saved_count: 0,
            expected_count: 0,
        }
    }

    pub(super) fn hear(&mut self, event: &Event) {
        match event {
            Event::Created { .. } => {}
            Event::Configured { config } => self.config = config.clone(),
            Event::Expected { .. } => self.expected_count += 1,
            Event::Released { .. } => less(&mut self.expected_count),
            Event::Left { .. } => {
                less(&mut self.expected_count);
                self.new_count += 1;
            }
            Event::Marked { from, to, .. } => {
                less(self.count(*from));
                *self.count(*to) += 1;
            }
            Event::Deleted { from, .. } => less(self.count(*from)),
        }
    }

    const fn count(&mut self, status: Status) -> &mut u64 {
        match status {
            Status::New => &mut self.new_count,
            Status::Read => &mut self.read_count,
            Status::Saved => &mut self.saved_count,
        }
    }

    pub(crate) fn values(&self) -> Vec<Value> {
        vec![
            text(self.mailbox),
            number(self.position),
            text(&self.name),
            text_or_null(self.config.greeting.as_ref()),
            number(self.config.longest_ms),
            number(self.config.messages_max),
            number(self.new_count),
            number(self.read_count),
            number(self.saved_count),
            number(self.expected_count),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            mailbox: columns.id()?,
            position: columns.number()?,
            name: columns.text()?,
            config: Config {
                greeting: columns.text_or_null()?,
                longest_ms: columns.number()?,
                messages_max: columns.number()?,
            },
            new_count: columns.number()?,
            read_count: columns.number()?,
            saved_count: columns.number()?,
            expected_count: columns.number()?,
        })
    }
}

const fn less(count: &mut u64) {
    *count = count.saturating_sub(1);
}
