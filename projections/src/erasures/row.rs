//! A person who was forgotten.

use crate::value::{Columns, Corrupt, number, text, time, word};
use commands::ports::Value;
use domain::{id::SubjectId, person::Reason, time::Timestamp};

/// A person who was forgotten, once or more often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Who, as a keyed hash.
    pub subject: SubjectId,
    /// Position of the latest erasure.
    pub position: u64,
    /// Every key up to this number is to be destroyed.
    pub keys_through: u32,
    /// Ground of the latest erasure.
    pub reason: Reason,
    /// When that was.
    pub erased_at: Timestamp,
    /// How often.
    pub erasures_count: u32,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "subject",
    "position",
    "keys_through",
    "reason",
    "erased_at",
    "erasures_count",
];

impl Row {
    pub(crate) fn values(&self) -> Vec<Value> {
        vec![
            text(self.subject),
            number(self.position),
            number(self.keys_through),
            word(&self.reason),
            time(self.erased_at),
            number(self.erasures_count),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            subject: columns.id()?,
            position: columns.number()?,
            keys_through: columns.number()?,
            reason: columns.word()?,
            erased_at: columns.time()?,
            erasures_count: columns.number()?,
        })
    }
}
