//! What each event does to a queue's row.

use super::row::{Counters, Row, SHORT_ABANDON_MS};
use crate::projection::{Effect, Input};
use domain::{
    any::AnyEvent,
    id::QueueId,
    line::{self, VisitResult},
    queue,
    time::Timestamp,
};

const DAY_MICROS: i64 = 24 * 60 * 60 * 1_000_000;

/// The first instant of the day (UTC) that `at` is in.
pub(crate) const fn day_start(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros().div_euclid(DAY_MICROS) * DAY_MICROS)
}

pub(crate) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    let at = input.fact.at;
    match &input.fact.event {
        AnyEvent::Queue(queue, event) => {
            let row = row.get_or_insert_with(|| unprovisioned(*queue));
            row.position = input.fact.position;
            configure(row, event);
            Effect::Changed
        }
        // Given to an agent or not, the visit is open: the counters stay.
        AnyEvent::Line(_, line::Event::Matched { .. }) => Effect::Kept,
        AnyEvent::Line(queue, event) => {
            let row = row.get_or_insert_with(|| unprovisioned(*queue));
            row.position = input.fact.position;
            count(row, at, event);
            Effect::Changed
        }
        AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..) => Effect::Kept,
    }
}

fn unprovisioned(queue: QueueId) -> Row {
    Row {
        queue,
        position: 0,
        name: String::new(),
        config_version: 0,
        config: None,
        waiting_count: 0,
        total: Counters::default(),
        day_start: Timestamp::default(),
        day: Counters::default(),
    }
}

fn configure(row: &mut Row, event: &queue::Event) {
    let (version, config) = match event {
        queue::Event::Created { name, config } => {
            row.name.clone_from(name);
            (1, config)
        }
        queue::Event::Configured {
            config_version,
            config,
        } => (*config_version, config),
    };
    row.config_version = version;
    row.config = Some(config.clone());
}

fn count(row: &mut Row, at: Timestamp, event: &line::Event) {
    match event {
        line::Event::Opened { enqueued_at, .. } => {
            row.waiting_count = row.waiting_count.saturating_add(1);
            both(row, *enqueued_at, |counters| counters.offered_count += 1);
        }
        line::Event::Rejected { .. } => both(row, at, |counters| counters.rejected_count += 1),
        line::Event::Returned { .. } => both(row, at, |counters| counters.returned_count += 1),
        line::Event::Closed {
            result,
            closed_at,
            wait_ms,
            ..
        } => {
            row.waiting_count = row.waiting_count.saturating_sub(1);
            // The threshold that is in force when the visit closes.
            let threshold_ms = row
                .config
                .as_ref()
                .map_or(0, |config| config.service_level_threshold_ms);
            both(row, *closed_at, |counters| {
                close(counters, *result, *wait_ms, threshold_ms);
            });
        }
        line::Event::Matched { .. } => {}
    }
}

/// Counts for all times, and for the day that the instant is in. A visit that
/// closed on a day before the newest one is no more in a day's counters: they
/// are of one day only.
fn both(row: &mut Row, at: Timestamp, change: impl Fn(&mut Counters)) {
    change(&mut row.total);
    let day = day_start(at);
    if day > row.day_start {
        row.day_start = day;
        row.day = Counters::default();
    }
    if day == row.day_start {
        change(&mut row.day);
    }
}

fn close(counters: &mut Counters, result: VisitResult, wait_ms: u64, threshold_ms: u64) {
    counters.longest_wait_ms = counters.longest_wait_ms.max(wait_ms);
    let in_threshold = u64::from(wait_ms <= threshold_ms);
    match result {
        VisitResult::Answered => {
            counters.answered_count += 1;
            counters.answered_in_threshold_count += in_threshold;
            counters.answered_wait_ms = counters.answered_wait_ms.saturating_add(wait_ms);
        }
        VisitResult::Abandoned => {
            counters.abandoned_count += 1;
            counters.short_abandoned_count += u64::from(wait_ms < SHORT_ABANDON_MS);
            counters.abandoned_in_threshold_count += in_threshold;
            counters.abandoned_wait_ms = counters.abandoned_wait_ms.saturating_add(wait_ms);
        }
        VisitResult::Timeout | VisitResult::Withdrawn | VisitResult::System => {
            counters.flow_out_count += 1;
        }
    }
}
