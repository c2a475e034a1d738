//! What was planned for an agent in a span, when that was said.

use crate::value::{Columns, Corrupt, number, text, time, word};
use commands::ports::Value;
use domain::{id::AgentId, schedule::Segment, time::Timestamp};
use std::fmt;

/// Whose schedule, and the how many-eth time that it was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Whose.
    pub agent: AgentId,
    /// Number of the event that says so in the schedule's stream, from 1.
    pub version: u64,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.agent, self.version)
    }
}

/// From then on these segments are planned in the span, and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Whose, and which time.
    pub key: Key,
    /// Position of the event that says so.
    pub position: u64,
    /// First instant of the span.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Timestamp,
    /// What is planned, in the order of time.
    pub segments: Vec<Segment>,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "entry", "position", "agent_id", "number", "from_at", "to_at", "segments",
];

impl Row {
    pub(crate) fn values(&self) -> Vec<Value> {
        vec![
            text(self.key),
            number(self.position),
            text(self.key.agent),
            number(self.key.version),
            time(self.from),
            time(self.to),
            word(&self.segments),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        columns.skip(1)?;
        let position = columns.number()?;
        Ok(Self {
            position,
            key: Key {
                agent: columns.id()?,
                version: columns.number()?,
            },
            from: columns.time()?,
            to: columns.time()?,
            segments: columns.word()?,
        })
    }
}
