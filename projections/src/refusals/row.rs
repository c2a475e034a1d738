//! Refused calls that are summed up.

use crate::value::{Columns, Corrupt, number, text, time, word};
use commands::ports::Value;
use domain::{cause::EndReason, id::RefusalsId, time::Timestamp};

/// Calls that were refused for one reason, in one stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which sum.
    pub refusals: RefusalsId,
    /// Position of its event.
    pub position: u64,
    /// Why they were refused.
    pub reason: EndReason,
    /// How many they were.
    pub calls_count: u64,
    /// When the first was.
    pub since: Timestamp,
    /// When they were summed up: none is later.
    pub until: Timestamp,
    /// Run number of the node that refused them.
    pub node_epoch: u64,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "refusals_id",
    "position",
    "reason",
    "calls_count",
    "since_at",
    "until_at",
    "node_epoch",
];

impl Row {
    pub(crate) fn values(&self) -> Vec<Value> {
        vec![
            text(self.refusals),
            number(self.position),
            word(&self.reason),
            number(self.calls_count),
            time(self.since),
            time(self.until),
            number(self.node_epoch),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            refusals: columns.id()?,
            position: columns.number()?,
            reason: columns.word()?,
            calls_count: columns.number()?,
            since: columns.time()?,
            until: columns.time()?,
            node_epoch: columns.number()?,
        })
    }
}
