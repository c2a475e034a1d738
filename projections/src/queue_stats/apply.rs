//! What each event does to a queue's row. Visits count in the day of their
//! opening and of their closing, by the time that the events carry.

use super::row::{Counters, Deleted, Row};
use crate::projection::{Effect, Input};
use domain::{
    any::{AnyEvent, Fact},
    id::{QueueId, VisitId},
    line, queue,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn key(fact: &Fact) -> Option<QueueId> {
    match &fact.event {
        AnyEvent::Queue(queue, _) | AnyEvent::Line(queue, _) => Some(*queue),
        AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => None,
    }
}

pub(super) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    let Some(queue) = key(input.fact) else {
        return Effect::Kept;
    };
    let row = row.get_or_insert_with(|| Row {
        queue,
        position: 0,
        name: String::new(),
        revision: 0,
        config_version: 0,
        config: None,
        by_hand: None,
        paused: BTreeMap::new(),
        deleted: None,
        waiting_count: 0,
        matched_count: 0,
        matched: BTreeSet::new(),
        total: Counters::default(),
        day_start: Timestamp::default(),
        day: Counters::default(),
    });
    row.position = input.fact.position;
    if let AnyEvent::Queue(..) = &input.fact.event {
        row.revision = input.fact.version;
    }
    match &input.fact.event {
        AnyEvent::Queue(
            _,
            event @ (queue::Event::Created { .. } | queue::Event::Configured { .. }),
        ) => configured(row, input.fact.at, event),
        AnyEvent::Queue(
            _,
            event @ (queue::Event::Opened { .. }
            | queue::Event::Closed { .. }
            | queue::Event::HoursFollowed { .. }),
        ) => row.by_hand = event.by_hand(input.fact.at),
        AnyEvent::Queue(
            _,
            event @ (queue::Event::MemberPaused { .. } | queue::Event::MemberUnpaused { .. }),
        ) => event.pause(input.fact.at, &mut row.paused),
        AnyEvent::Queue(_, queue::Event::Deleted { by, why }) => {
            row.deleted = Some(Deleted {
                by: by.clone(),
                why: why.clone(),
                at: input.fact.at,
            });
        }
        AnyEvent::Line(_, event) => on_line(row, input.fact.at, event),
        AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => {}
    }
    Effect::Changed
}

fn configured(row: &mut Row, at: Timestamp, event: &queue::Event) {
    if let queue::Event::Created { name, .. } = event {
        row.name.clone_from(name);
        row.deleted = None;
    }
    if let Some((version, config)) = event.configured() {
        let before = row.config.as_ref().map(queue::Config::zone);
        row.config = Some(config.clone());
        row.config_version = version;
        if before.is_some_and(|before| before != config.zone()) {
            // It is another day: what was counted in the old one is no part of it.
            row.day_start = row.day_of(at);
            row.day = Counters::default();
        }
    }
}

fn on_line(row: &mut Row, at: Timestamp, event: &line::Event) {
    match event {
        line::Event::Opened { .. } => {
            row.waiting_count += 1;
            count(row, at, |counters| counters.offered_count += 1);
        }
        line::Event::Rejected { .. } => count(row, at, |counters| counters.rejected_count += 1),
        line::Event::Matched { visit, .. } => {
            row.matched.insert(*visit);
            row.matched_count = row.matched.len() as u64;
        }
        line::Event::Returned {
            visit,
            still_ringing,
            ..
        } => {
            if !still_ringing {
                unmatch(row, visit);
            }
            count(row, at, |counters| counters.returned_count += 1);
        }
        line::Event::PriorityChanged { .. } | line::Event::Assigned { .. } => {}
        line::Event::Closed {
            visit,
            result,
            wait_ms,
            closed_at,
            measure,
            ..
        } => {
            row.waiting_count = row.waiting_count.saturating_sub(1);
            unmatch(row, visit);
            // Of a stay from before that was kept, by what the queue says now.
            let measure = measure.unwrap_or_else(|| row.measure());
            let (result, wait_ms) = (*result, *wait_ms);
            count(row, *closed_at, |counters| {
                counters.close(result, wait_ms, measure);
            });
        }
    }
}

/// The visit is with no agent any more, if it was.
fn unmatch(row: &mut Row, visit: &VisitId) {
    row.matched.remove(visit);
    row.matched_count = row.matched.len() as u64;
}

/// Counts in the total, and in the day if it is the row's; a later day starts
/// a new one, and a fact of an earlier day counts in the total only.
fn count(row: &mut Row, at: Timestamp, change: impl Fn(&mut Counters)) {
    change(&mut row.total);
    let day = row.day_of(at);
    if day > row.day_start {
        row.day_start = day;
        row.day = Counters::default();
    }
    if day == row.day_start {
        change(&mut row.day);
    }
}
