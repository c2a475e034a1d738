//! One message.

use crate::{
    caller::Caller,
    value::{Columns, Corrupt, number, text, text_or_null, time, time_or_null, word},
};
use commands::ports::Value;
use domain::{
    id::{CallId, MailboxId, VoicemailId},
    mailbox,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What has become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has heard it.
    New,
    /// Heard.
    Read,
    /// Heard, and to be kept.
    Saved,
    /// Taken away.
    Deleted,
}

impl Status {
    pub(super) const fn of(status: mailbox::Status) -> Self {
        match status {
            mailbox::Status::New => Self::New,
            mailbox::Status::Read => Self::Read,
            mailbox::Status::Saved => Self::Saved,
        }
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub message: VoicemailId,
    /// Position of the event that last changed the row.
    pub position: u64,
    /// In which mailbox.
    pub mailbox: MailboxId,
    /// In which call it was left.
    pub call: CallId,
    /// What has become of it.
    pub status: Status,
    /// Who left it; none of whoever shows no number.
    pub person: Option<Caller>,
    /// How long it is.
    pub length_ms: u64,
    /// Bytes of its sound, as a file.
    pub size_bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// When it was there.
    pub left_at: Timestamp,
    /// When something else became of it last.
    pub marked_at: Option<Timestamp>,
    /// Who said so.
    pub marked_by: Option<String>,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "voicemail_id",
    "position",
    "mailbox_id",
    "call_id",
    "status",
    "subject",
    "from_user",
    "from_host",
    "from_name",
    "length_ms",
    "size_bytes",
    "sha256",
    "left_at",
    "marked_at",
    "marked_by",
];

impl Row {
    pub(crate) fn values(&self) -> Vec<Value> {
        let [subject, user, host, name] = match &self.person {
            Some(person) => person.values(),
            None => [const { Value::Null }; 4],
        };
        vec![
            text(self.message),
            number(self.position),
            text(self.mailbox),
            text(self.call),
            word(&self.status),
            subject,
            user,
            host,
            name,
            number(self.length_ms),
            number(self.size_bytes),
            text(&self.sha256),
            time(self.left_at),
            time_or_null(self.marked_at),
            text_or_null(self.marked_by.as_ref()),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            message: columns.id()?,
            position: columns.number()?,
            mailbox: columns.id()?,
            call: columns.id()?,
            status: columns.word()?,
            person: Caller::read_if_any(columns)?,
            length_ms: columns.number()?,
            size_bytes: columns.number()?,
            sha256: columns.text()?,
            left_at: columns.time()?,
            marked_at: columns.time_or_null()?,
            marked_by: columns.text_or_null()?,
        })
    }
}
