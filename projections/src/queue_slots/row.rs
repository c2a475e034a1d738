//! A quarter of an hour of a queue.

use crate::{
    report::SLOT_MICROS,
    value::{Columns, Corrupt, number, text, time},
};
use commands::ports::Value;
use domain::{id::QueueId, time::Timestamp};
use std::fmt;

/// Which queue, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Which queue.
    pub queue: QueueId,
    /// The first instant of the quarter.
    pub start: Timestamp,
}

impl Key {
    /// The quarter in which something happened.
    pub const fn of(queue: QueueId, at: Timestamp) -> Self {
        let slot = at.micros().div_euclid(SLOT_MICROS);
        Self {
            queue,
            start: Timestamp::from_micros(slot * SLOT_MICROS),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slot = self.start.micros().div_euclid(SLOT_MICROS);
        write!(f, "{}/{slot}", self.queue)
    }
}

/// What happened in a queue in a quarter of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Which queue, and when.
    pub key: Key,
    /// Position of the event that last changed the row.
    pub position: u64,
    /// Calls that found no room.
    pub full_count: u64,
    /// Calls that came outside the hours.
    pub closed_count: u64,
    /// Calls that found nobody there.
    pub empty_count: u64,
    /// Offers to agents that came to nothing.
    pub returned_count: u64,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "slot_id",
    "position",
    "queue_id",
    "start_at",
    "full_count",
    "closed_count",
    "empty_count",
    "returned_count",
];

/// What was counted, for whoever adds it up.
pub(crate) const COUNTS: &str = "SELECT start_at / 900000000, full_count, closed_count, \
    empty_count, returned_count FROM queue_slots \
    WHERE queue_id = $1 AND start_at >= $2 AND start_at < $3";

impl Row {
    pub(crate) fn values(&self) -> Vec<Value> {
        vec![
            text(self.key),
            number(self.position),
            text(self.key.queue),
            time(self.key.start),
            number(self.full_count),
            number(self.closed_count),
            number(self.empty_count),
            number(self.returned_count),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        columns.skip(1)?;
        let position = columns.number()?;
        Ok(Self {
            position,
            key: Key {
                queue: columns.id()?,
                start: columns.time()?,
            },
            full_count: columns.number()?,
            closed_count: columns.number()?,
            empty_count: columns.number()?,
            returned_count: columns.number()?,
        })
    }
}
