//! Changes of state as intervals: between login and logout they follow each
//! other without a gap and without an overlap.

use super::row::{Row, State};
use domain::{
    id::{AgentId, CallId, QueueId},
    session::{NotReadyCode, NotReadyReason},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// A time that an agent spent in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// Who.
    pub agent: AgentId,
    /// Which login.
    pub session_number: u32,
    /// What.
    pub state: State,
    /// Why no calls were taken.
    pub reason: Option<NotReadyReason>,
    /// In a word of the settings.
    pub code: Option<NotReadyCode>,
    /// Which call.
    pub call: Option<CallId>,
    /// Which queue.
    pub queue: Option<QueueId>,
    /// Since when.
    pub start: Timestamp,
    /// Until when; none while it lasts.
    pub end: Option<Timestamp>,
}

/// The intervals of these changes, which come in the order of the record; in
/// the order of their start for each agent. Nothing that took no time is in it.
pub fn intervals<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Vec<Interval> {
    let mut open: BTreeMap<AgentId, &Row> = BTreeMap::new();
    let mut since: BTreeMap<AgentId, Timestamp> = BTreeMap::new();
    let mut found = vec![];
    for row in rows {
        let before = open.get(&row.agent).copied();
        // A late ring of an offer that is over changes nothing.
        let is_ring = row.state == State::Ringing;
        let rings = before
            .is_some_and(|before| before.state == State::Reserved && before.offer == row.offer);
        if is_ring && !rings {
            continue;
        }
        let start = since.get(&row.agent).copied().unwrap_or(row.at);
        let at = row.at.max(start);
        if let Some(before) = before {
            found.extend(interval(before, start, Some(at)));
        }
        open.insert(row.agent, row);
        since.insert(row.agent, at);
    }
    for (agent, row) in open {
        let start = since.get(&agent).copied().unwrap_or(row.at);
        found.extend(interval(row, start, None));
    }
    found.sort_by_key(|interval| (interval.agent, interval.start));
    found
}

fn interval(row: &Row, start: Timestamp, end: Option<Timestamp>) -> Option<Interval> {
    if row.state == State::LoggedOut || end == Some(start) {
        return None;
    }
    Some(Interval {
        agent: row.agent,
        session_number: row.session_number,
        state: row.state,
        reason: row.reason,
        code: row.code.clone(),
        call: row.call,
        queue: row.queue,
        start,
        end,
    })
}
