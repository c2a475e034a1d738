//! Agents by interval: where their time went, and what became of their offers.

use super::{
    adherence::{self, Adherence},
    handling::{self, Handled},
    queue::span_of,
    spans::Span,
};
use crate::{
    agent_log::{Interval, Row, State, intervals},
    views::{ViewError, Views},
};
use domain::{
    id::AgentId,
    schedule::Segment,
    session::{NotReadyCode, NotReadyReason, ReleaseReason},
    time::Timestamp,
};
use std::collections::BTreeMap;

/// One agent in one interval. The times in states are a partition of the time
/// logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentReportRow {
    /// Who.
    pub agent: AgentId,
    /// Which interval.
    pub span: Span,
    /// Time logged in.
    pub logged_in_ms: u64,
    /// Takes calls and has none.
    pub ready_ms: u64,
    /// Takes no calls, by reason.
    pub not_ready_ms: BTreeMap<NotReadyReason, u64>,
    /// The part of it for which there was a word of the settings, by word.
    pub not_ready_code_ms: BTreeMap<(NotReadyReason, NotReadyCode), u64>,
    /// Taken for an offer, until the phone rings.
    pub reserved_ms: u64,
    /// The phone rings.
    pub ring_ms: u64,
    /// With callers, on hold or not.
    pub contact_ms: u64,
    /// Work after calls.
    pub wrap_up_ms: u64,
    /// What was planned in it, and what of that was kept.
    pub adherence: Adherence,
    /// Offers made in it.
    pub offers_count: u64,
    /// Calls answered in it.
    pub answered_count: u64,
    /// Contacts whose call ended in it.
    pub handled: Handled,
    /// Offers that came to nothing in it, by why.
    pub released_count: BTreeMap<ReleaseReason, u64>,
}

impl AgentReportRow {
    /// Nothing was done.
    pub const fn empty(agent: AgentId, span: Span) -> Self {
        Self {
            agent,
            span,
            logged_in_ms: 0,
            ready_ms: 0,
            not_ready_ms: BTreeMap::new(),
            not_ready_code_ms: BTreeMap::new(),
            reserved_ms: 0,
            ring_ms: 0,
            contact_ms: 0,
            wrap_up_ms: 0,
            adherence: Adherence::NONE,
            offers_count: 0,
            answered_count: 0,
            handled: Handled::NONE,
            released_count: BTreeMap::new(),
        }
    }

    /// Time in states with a call or an offer, and with the ready time: the two
    /// parts of the occupancy. Breaks are in neither.
    pub const fn occupied_ms(&self) -> (u64, u64) {
        let busy = self.reserved_ms + self.ring_ms + self.contact_ms + self.wrap_up_ms;
        (busy, busy + self.ready_ms)
    }

    /// Time with callers and after calls, and the time logged in: the two parts of the
    /// utilisation. Breaks are in the second.
    pub const fn utilised_ms(&self) -> (u64, u64) {
        (self.contact_ms + self.wrap_up_ms, self.logged_in_ms)
    }

    /// Offers that the agent let ring, and all that ended: the two parts of the RONA rate.
    /// A caller who leaves while it rings is none of the first. What was offered may be
    /// others: a phone that rings over the edge of an interval ends in the next one.
    pub fn let_ring(&self) -> (u64, u64) {
        let let_ring = self.released_count.get(&ReleaseReason::NoAnswer);
        let released: u64 = self.released_count.values().sum();
        (
            let_ring.copied().unwrap_or(0),
            self.answered_count + released,
        )
    }

    fn spend(&mut self, interval: &Interval, ms: u64) {
        self.logged_in_ms += ms;
        match interval.state {
            State::Ready => self.ready_ms += ms,
            State::NotReady => {
                let reason = interval.reason.unwrap_or(NotReadyReason::Other);
                *self.not_ready_ms.entry(reason).or_default() += ms;
                if let Some(code) = &interval.code {
                    let key = (reason, code.clone());
                    *self.not_ready_code_ms.entry(key).or_default() += ms;
                }
            }
            State::Reserved => self.reserved_ms += ms,
            State::Ringing => self.ring_ms += ms,
            State::OnContact => self.contact_ms += ms,
            State::WrapUp => self.wrap_up_ms += ms,
            State::LoggedOut => {}
        }
    }
}

impl Views {
    /// What these agents did in each of these intervals; nothing is known of
    /// the time after `now`. Intervals in which an agent was not logged in, had nothing
    /// and was not to be there are left out.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn agent_report(
        &self,
        agents: &[AgentId],
        spans: &[Span],
        now: Timestamp,
    ) -> Result<Vec<AgentReportRow>, ViewError> {
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else {
            return Ok(vec![]);
        };
        let log = self.agent_log(agents, first.start, last.end).await?;
        let handled = handling::by_agent(self.store(), agents, (first.start, last.end)).await?;
        let planned = self.schedule(agents, first.start, last.end).await?;
        Ok(rows(&log, &handled, &planned, spans, now))
    }
}

pub(super) fn rows(
    log: &[Row],
    handled: &[(AgentId, (i64, Handled))],
    planned: &BTreeMap<AgentId, Vec<Segment>>,
    spans: &[Span],
    now: Timestamp,
) -> Vec<AgentReportRow> {
    let mut rows: BTreeMap<(AgentId, usize), AgentReportRow> = BTreeMap::new();
    let log_of_all = intervals(log);
    for interval in &log_of_all {
        let end = interval.end.unwrap_or(now).min(now);
        for (index, span) in overlapped(spans, interval.start, end) {
            // In whole milliseconds since 1970, so that the parts of an
            // interval add up to the whole.
            let part = ms_between(interval.start.max(span.start), end.min(span.end));
            rows.entry((interval.agent, index))
                .or_insert_with(|| AgentReportRow::empty(interval.agent, *span))
                .spend(interval, part);
        }
    }
    for change in log {
        let Some((index, span)) = overlapped(spans, change.at, change.at.plus_ms(1)).next() else {
            continue;
        };
        if change.at < span.start {
            continue;
        }
        let row = rows
            .entry((change.agent, index))
            .or_insert_with(|| AgentReportRow::empty(change.agent, *span));
        match change.state {
            State::Reserved => row.offers_count += 1,
            State::OnContact => row.answered_count += 1,
            State::Ready | State::NotReady | State::Ringing | State::WrapUp | State::LoggedOut => {}
        }
        if let Some(reason) = change.released {
            *row.released_count.entry(reason).or_default() += 1;
        }
    }
    for (agent, (slot, handled)) in handled {
        let found = span_of(spans, *slot);
        let Some((index, span)) = found.and_then(|index| Some((index, spans.get(index)?))) else {
            continue;
        };
        let row = rows
            .entry((*agent, index))
            .or_insert_with(|| AgentReportRow::empty(*agent, *span));
        row.handled = row.handled.plus(*handled);
    }
    for (agent, planned) in planned {
        for (index, part) in adherence::kept(*agent, planned, &log_of_all, spans, now) {
            let Some(span) = spans.get(index) else {
                continue;
            };
            let row = rows
                .entry((*agent, index))
                .or_insert_with(|| AgentReportRow::empty(*agent, *span));
            row.adherence.scheduled_ms += part.scheduled_ms;
            row.adherence.in_schedule_ms += part.in_schedule_ms;
        }
    }
    rows.into_values().collect()
}

pub(super) fn ms_between(start: Timestamp, end: Timestamp) -> u64 {
    let ms = |at: Timestamp| at.micros().div_euclid(1_000);
    u64::try_from(ms(end) - ms(start)).unwrap_or(0)
}

pub(super) fn overlapped(
    spans: &[Span],
    start: Timestamp,
    end: Timestamp,
) -> impl Iterator<Item = (usize, &Span)> {
    let first = spans.partition_point(|span| span.end <= start);
    spans
        .iter()
        .enumerate()
        .skip(first)
        .take_while(move |(_, span)| span.start < end)
}
