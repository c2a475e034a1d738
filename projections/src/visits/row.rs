//! A stay in a queue.

use crate::value::{
    Columns, Corrupt, number, number_or_null, text, text_or_null, time, time_or_null, word,
};
use commands::ports::Value;
use domain::{
    id::{AgentId, CallId, QueueId, VisitId},
    line::{Measure, TARGET_PERCENT, VisitResult},
    time::Timestamp,
};

/// A stay of one call in one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which stay.
    pub visit: VisitId,
    /// Position of the event that last changed the row.
    pub position: u64,
    /// In which queue.
    pub queue: QueueId,
    /// Which call.
    pub call: CallId,
    /// When it was opened; never later than when it was closed.
    pub opened_at: Timestamp,
    /// When the call was enqueued first: it stands in the line by this.
    pub enqueued_at: Timestamp,
    /// Place in the line at its opening, from 1.
    pub place: u32,
    /// Offers to agents.
    pub offers_count: u32,
    /// Whom it was given to last.
    pub agent: Option<AgentId>,
    /// How it ended; none while it is open.
    pub result: Option<VisitResult>,
    /// When it ended.
    pub closed_at: Option<Timestamp>,
    /// How long the caller waited.
    pub wait_ms: Option<u64>,
    /// The stay in another queue that the call came from.
    pub previous: Option<VisitId>,
    /// The call's own priority, where it has one.
    pub priority: Option<i32>,
    /// Rounds of offers that came to nothing.
    pub attempts: u32,
    /// By which it is measured; none of one from before that was kept.
    pub measure: Option<Measure>,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "visit_id",
    "position",
    "queue_id",
    "call_id",
    "opened_at",
    "enqueued_at",
    "place",
    "offers_count",
    "agent_id",
    "result",
    "closed_at",
    "wait_ms",
    "previous_visit_id",
    "priority",
    "threshold_ms",
    "short_abandon_ms",
    "attempts",
    "target_percent",
];

impl Row {
    pub(crate) fn values(&self) -> Vec<Value> {
        vec![
            text(self.visit),
            number(self.position),
            text(self.queue),
            text(self.call),
            time(self.opened_at),
            time(self.enqueued_at),
            number(self.place),
            number(self.offers_count),
            text_or_null(self.agent),
            word(&self.result),
            time_or_null(self.closed_at),
            number_or_null(self.wait_ms),
            text_or_null(self.previous),
            number_or_null(self.priority),
            number_or_null(self.measure.map(|measure| measure.threshold_ms)),
            number_or_null(self.measure.map(|measure| measure.short_abandon_ms)),
            number(self.attempts),
            number(self.measure.map_or(TARGET_PERCENT, |of| of.target_percent)),
        ]
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        let mut row = Self {
            visit: columns.id()?,
            position: columns.number()?,
            queue: columns.id()?,
            call: columns.id()?,
            opened_at: columns.time()?,
            enqueued_at: columns.time()?,
            place: columns.number()?,
            offers_count: columns.number()?,
            agent: columns.id_or_null()?,
            result: columns.word_or_null()?,
            closed_at: columns.time_or_null()?,
            wait_ms: columns.number_or_null()?,
            previous: columns.id_or_null()?,
            priority: columns.number_or_null()?,
            measure: {
                let threshold: Option<u64> = columns.number_or_null()?;
                let short: Option<u64> = columns.number_or_null()?;
                threshold
                    .zip(short)
                    .map(|(threshold_ms, short_abandon_ms)| Measure {
                        threshold_ms,
                        short_abandon_ms,
                        target_percent: TARGET_PERCENT,
                    })
            },
            attempts: columns.number()?,
        };
        let target_percent = columns.number()?;
        if let Some(measure) = &mut row.measure {
            measure.target_percent = target_percent;
        }
        Ok(row)
    }
}
