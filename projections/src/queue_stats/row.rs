//! A queue, its configuration, and its counters.

use crate::value::{Columns, Corrupt, number, text, time, word};
use commands::ports::Value;
use domain::{
    id::{AgentId, QueueId, VisitId},
    line::{Measure, VisitResult},
    queue::{ByHand, Config, PausedMember},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The base quantities of a queue over some time. For all times together
/// `offered = answered + abandoned + flow_out + callback + waiting` at every
/// position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// O: visits opened.
    pub offered_count: u64,
    /// A: visits closed because an agent was connected.
    pub answered_count: u64,
    /// AT: of those, with a wait up to the threshold, inclusive.
    pub answered_in_threshold_count: u64,
    /// AB: visits closed because the caller left first.
    pub abandoned_count: u64,
    /// SA: of those, with a wait under the queue's short abandon.
    pub short_abandoned_count: u64,
    /// ABT: abandoned with a wait up to the threshold, inclusive.
    pub abandoned_in_threshold_count: u64,
    /// FO: visits closed in any other way: longest wait, withdrawn, system.
    pub flow_out_count: u64,
    /// CB: visits closed by a request to be called back.
    pub callback_count: u64,
    /// Calls that were not let in, as the queue was full or closed or nobody was there; not
    /// offered.
    pub rejected_count: u64,
    /// Offers to agents that came to nothing.
    pub returned_count: u64,
    /// Sum of the waits of answered visits.
    pub answered_wait_ms: u64,
    /// Sum of the waits of abandoned visits.
    pub abandoned_wait_ms: u64,
    /// Of that, the waits of short abandons.
    pub short_abandoned_wait_ms: u64,
    /// Longest wait of a closed visit.
    pub longest_wait_ms: u64,
}

/// How the share of calls answered in time is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceLevel {
    /// AT / A.
    Answered,
    /// AT / (A + AB + FO).
    Offered,
    /// AT / (A + AB).
    AbandonCounted,
    /// AT / (A + AB - SA).
    ShortExcluded,
    /// AT / (A + AB - ABT).
    AbandonInThresholdExcluded,
    /// (AT + ABT) / (A + AB).
    AbandonAsSuccess,
}

impl ServiceLevel {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Answered,
        Self::Offered,
        Self::AbandonCounted,
        Self::ShortExcluded,
        Self::AbandonInThresholdExcluded,
        Self::AbandonAsSuccess,
    ];
}

impl Counters {
    /// Counts a visit that was closed; answered or abandoned up to the threshold,
    /// inclusive, is in time.
    pub fn close(&mut self, result: VisitResult, wait_ms: u64, measure: Measure) {
        self.longest_wait_ms = self.longest_wait_ms.max(wait_ms);
        let is_in_threshold = wait_ms <= measure.threshold_ms;
        match result {
            VisitResult::Answered => {
                self.answered_count += 1;
                self.answered_in_threshold_count += u64::from(is_in_threshold);
                self.answered_wait_ms += wait_ms;
            }
            VisitResult::Abandoned => {
                self.abandoned_count += 1;
                if wait_ms < measure.short_abandon_ms {
                    self.short_abandoned_count += 1;
                    self.short_abandoned_wait_ms += wait_ms;
                }
                self.abandoned_in_threshold_count += u64::from(is_in_threshold);
                self.abandoned_wait_ms += wait_ms;
            }
            VisitResult::Callback => self.callback_count += 1,
            VisitResult::Timeout
            | VisitResult::Expired
            | VisitResult::Overflow
            | VisitResult::ExitKey
            | VisitResult::Requeued
            | VisitResult::Voicemail
            | VisitResult::Withdrawn
            | VisitResult::System => self.flow_out_count += 1,
        }
    }

    /// The service level as a share of 1; none when there is nothing to divide
    /// by: no data is neither 0 nor 1.
    pub fn service_level(&self, variant: ServiceLevel) -> Option<f64> {
        let (part, whole) = self.service_level_parts(variant);
        share(part, whole)
    }

    /// What counts as served in time, and of how many.
    pub fn service_level_parts(&self, variant: ServiceLevel) -> (u64, u64) {
        let in_time = self.answered_in_threshold_count;
        let (answered, abandoned) = (self.answered_count, self.abandoned_count);
        let ended = answered + abandoned;
        match variant {
            ServiceLevel::Answered => (in_time, answered),
            ServiceLevel::Offered => (in_time, ended + self.flow_out_count),
            ServiceLevel::AbandonCounted => (in_time, ended),
            ServiceLevel::ShortExcluded => {
                (in_time, ended.saturating_sub(self.short_abandoned_count))
            }
            ServiceLevel::AbandonInThresholdExcluded => (
                in_time,
                ended.saturating_sub(self.abandoned_in_threshold_count),
            ),
            ServiceLevel::AbandonAsSuccess => (in_time + self.abandoned_in_threshold_count, ended),
        }
    }

    /// Both together; of the longest waits the longer.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            offered_count: self.offered_count + other.offered_count,
            answered_count: self.answered_count + other.answered_count,
            answered_in_threshold_count: self.answered_in_threshold_count
                + other.answered_in_threshold_count,
            abandoned_count: self.abandoned_count + other.abandoned_count,
            short_abandoned_count: self.short_abandoned_count + other.short_abandoned_count,
            abandoned_in_threshold_count: self.abandoned_in_threshold_count
                + other.abandoned_in_threshold_count,
            flow_out_count: self.flow_out_count + other.flow_out_count,
            callback_count: self.callback_count + other.callback_count,
            rejected_count: self.rejected_count + other.rejected_count,
            returned_count: self.returned_count + other.returned_count,
            answered_wait_ms: self.answered_wait_ms + other.answered_wait_ms,
            abandoned_wait_ms: self.abandoned_wait_ms + other.abandoned_wait_ms,
            short_abandoned_wait_ms: self.short_abandoned_wait_ms + other.short_abandoned_wait_ms,
            longest_wait_ms: self.longest_wait_ms.max(other.longest_wait_ms),
        }
    }

    /// ASA: the mean wait of answered visits, in ms; none without one.
    pub fn average_speed_of_answer_ms(&self) -> Option<u64> {
        self.answered_wait_ms.checked_div(self.answered_count)
    }

    /// The mean wait of abandoned visits, in ms; none without one.
    pub fn average_abandon_ms(&self) -> Option<u64> {
        self.abandoned_wait_ms.checked_div(self.abandoned_count)
    }

    /// The mean wait of abandoned visits without short abandons, in ms; none without one.
    pub const fn net_average_abandon_ms(&self) -> Option<u64> {
        let wait_ms = self
            .abandoned_wait_ms
            .saturating_sub(self.short_abandoned_wait_ms);
        let count = self
            .abandoned_count
            .saturating_sub(self.short_abandoned_count);
        wait_ms.checked_div(count)
    }

    /// Visits that were closed in whatever way.
    pub const fn closed_count(&self) -> u64 {
        self.answered_count + self.abandoned_count + self.flow_out_count + self.callback_count
    }

    /// AB / O of the visits that were closed, as a share of 1; none without one. Those that
    /// were opened may be others: one opened before midnight is closed after it.
    pub fn abandonment_rate(&self) -> Option<f64> {
        share(self.abandoned_count, self.closed_count())
    }

    /// (AB - SA) / (O - SA) of the visits that were closed, as a share of 1: as if whoever
    /// left at once had not called; none without a visit beside those.
    pub fn net_abandonment_rate(&self) -> Option<f64> {
        let (part, whole) = self.net_abandonment_parts();
        share(part, whole)
    }

    /// Who left, and of how many, without short abandons.
    pub const fn net_abandonment_parts(&self) -> (u64, u64) {
        let short = self.short_abandoned_count;
        (
            self.abandoned_count.saturating_sub(short),
            self.closed_count().saturating_sub(short),
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no 53 bits")]
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Who has taken a queue away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// Who.
    pub by: String,
    /// Why, in a word.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which queue.
    pub queue: QueueId,
    /// Position of the event that last changed the row.
    pub position: u64,
    /// Its name; empty until it is provisioned.
    pub name: String,
    /// How much has been said of it: its rules, its doors, its members.
    pub revision: u64,
    /// Version of the configuration; 0 until it is provisioned.
    pub config_version: u32,
    /// The rules in force; none until it is provisioned.
    pub config: Option<Config>,
    /// What a person has said of its doors, and counts.
    pub by_hand: Option<ByHand>,
    /// The agents that it offers nothing for now, as a person has said.
    pub paused: BTreeMap<AgentId, PausedMember>,
    /// Who has taken it away, why and when, if it is there no longer.
    pub deleted: Option<Deleted>,
    /// W: open visits.
    pub waiting_count: u64,
    /// Of those, given to an agent whose phone is to ring or rings.
    pub matched_count: u64,
    /// Which visits those are, so that one that is closed is counted off only
    /// if it was among them. At most one for each agent of the queue.
    pub(crate) matched: BTreeSet<VisitId>,
    /// Everything since the first event.
    pub total: Counters,
    /// The first instant of the day, of the queue's zone, that `day` counts.
    pub day_start: Timestamp,
    /// That day's visits: opened on it, and closed on it.
    pub day: Counters,
}

/// The columns, in the order of [`Row::values`].
pub(crate) const COLUMNS: &[&str] = &[
    "queue_id",
    "position",
    "name",
    "config_version",
    "config",
    "by_hand",
    "paused",
    "deleted",
    "waiting_count",
    "matched_count",
    "matched",
    "day_start_at",
    "offered_count",
    "answered_count",
    "answered_in_threshold_count",
    "abandoned_count",
    "short_abandoned_count",
    "abandoned_in_threshold_count",
    "flow_out_count",
    "callback_count",
    "rejected_count",
    "returned_count",
    "answered_wait_ms",
    "abandoned_wait_ms",
    "longest_wait_ms",
    "day_offered_count",
    "day_answered_count",
    "day_answered_in_threshold_count",
    "day_abandoned_count",
    "day_short_abandoned_count",
    "day_abandoned_in_threshold_count",
    "day_flow_out_count",
    "day_callback_count",
    "day_rejected_count",
    "day_returned_count",
    "day_answered_wait_ms",
    "day_abandoned_wait_ms",
    "day_longest_wait_ms",
    "revision",
    "short_abandoned_wait_ms",
    "day_short_abandoned_wait_ms",
];

impl Counters {
    fn values(&self) -> [Value; 13] {
        [
            self.offered_count,
            self.answered_count,
            self.answered_in_threshold_count,
            self.abandoned_count,
            self.short_abandoned_count,
            self.abandoned_in_threshold_count,
            self.flow_out_count,
            self.callback_count,
            self.rejected_count,
            self.returned_count,
            self.answered_wait_ms,
            self.abandoned_wait_ms,
            self.longest_wait_ms,
        ]
        .map(number)
    }

    fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(Self {
            offered_count: columns.number()?,
            answered_count: columns.number()?,
            answered_in_threshold_count: columns.number()?,
            abandoned_count: columns.number()?,
            short_abandoned_count: columns.number()?,
            abandoned_in_threshold_count: columns.number()?,
            flow_out_count: columns.number()?,
            callback_count: columns.number()?,
            rejected_count: columns.number()?,
            returned_count: columns.number()?,
            answered_wait_ms: columns.number()?,
            abandoned_wait_ms: columns.number()?,
            longest_wait_ms: columns.number()?,
            // Stands behind the others, where it was added.
            short_abandoned_wait_ms: 0,
        })
    }
}

impl Row {
    pub(crate) fn values(&self) -> Vec<Value> {
        let mut values = vec![
            text(self.queue),
            number(self.position),
            text(&self.name),
            number(self.config_version),
            word(&self.config),
            word(&self.by_hand),
            word(&self.paused),
            word(&self.deleted),
            number(self.waiting_count),
            number(self.matched_count),
            word(&self.matched),
            time(self.day_start),
        ];
        values.extend(self.total.values());
        values.extend(self.day.values());
        values.push(number(self.revision));
        values.push(number(self.total.short_abandoned_wait_ms));
        values.push(number(self.day.short_abandoned_wait_ms));
        values
    }

    pub(crate) fn read(columns: &mut Columns) -> Result<Self, Corrupt> {
        let mut row = Self {
            queue: columns.id()?,
            position: columns.number()?,
            name: columns.text()?,
            config_version: columns.number()?,
            config: columns.word_or_null()?,
            by_hand: columns.word_or_null()?,
            paused: columns.word_or_null()?.unwrap_or_default(),
            deleted: columns.word_or_null()?,
            waiting_count: columns.number()?,
            matched_count: columns.number()?,
            matched: columns.word()?,
            day_start: columns.time()?,
            total: Counters::read(columns)?,
            day: Counters::read(columns)?,
            revision: columns.number()?,
        };
        row.total.short_abandoned_wait_ms = columns.number()?;
        row.day.short_abandoned_wait_ms = columns.number()?;
        Ok(row)
    }
}
