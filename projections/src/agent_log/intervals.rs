//! Changes of state as intervals: between login and logout they follow each
//! other without a gap and without an overlap.

use super::row::{Primary, Row, State};
use domain::{
    id::{AgentId, CallId, OfferId, QueueId},
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

/// What an agent does as far as was read, and since when.
struct Open<'a> {
    row: &'a Row,
    primary: Primary,
    since: Timestamp,
    /// The offer whose phone rang last.
    rang: Option<OfferId>,
}

/// The intervals of these changes, which come in the order of the record; in
/// the order of their start for each agent. Nothing that took no time is in it.
/// Of several things that an agent does at once the first counts, and no other: a contact
/// before a phone that rings, a reservation, and work after a call.
pub fn intervals<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Vec<Interval> {
    let mut open: BTreeMap<AgentId, Open<'a>> = BTreeMap::new();
    let mut found = vec![];
    for row in rows {
        let before = open.get(&row.agent);
        let since = before.map_or(row.at, |before| before.since);
        let mut rang = before.and_then(|before| before.rang);
        let mut primary = row.primary();
        if row.state == State::Ringing {
            let reserved = before.map(|before| before.primary);
            rang = row.offer;
            // A late ring of an offer that is over changes nothing; nor does one beside a call.
            match reserved.filter(|it| it.state == State::Reserved && it.offer == row.offer) {
                Some(reserved) => {
                    primary = Primary {
                        state: State::Ringing,
                        queue: row.queue,
                        ..reserved
                    };
                }
                None => {
                    if let Some(before) = open.get_mut(&row.agent) {
                        before.rang = rang;
                    }
                    continue;
                }
            }
        } else if primary.state == State::Reserved && rang.is_some() && primary.offer == rang {
            primary.state = State::Ringing;
        }
        let at = row.at.max(since);
        if row.still.is_some() && before.is_some_and(|before| is_same(before.primary, primary)) {
            // It goes on.
            continue;
        }
        if let Some(before) = before {
            found.extend(interval(before, Some(at)));
        }
        let since = at;
        let now = Open {
            row,
            primary,
            since,
            rang,
        };
        open.insert(row.agent, now);
    }
    found.extend(open.values().filter_map(|open| interval(open, None)));
    found.sort_by_key(|interval| (interval.agent, interval.start));
    found
}

fn is_same(before: Primary, now: Primary) -> bool {
    before.state == now.state && before.call == now.call && before.offer == now.offer
}

fn interval(open: &Open<'_>, end: Option<Timestamp>) -> Option<Interval> {
    let (row, primary, start) = (open.row, open.primary, open.since);
    if primary.state == State::LoggedOut || end == Some(start) {
        return None;
    }
    Some(Interval {
        agent: row.agent,
        session_number: row.session_number,
        state: primary.state,
        reason: row.reason,
        code: row.code.clone(),
        call: primary.call,
        queue: primary.queue,
        start,
        end,
    })
}
