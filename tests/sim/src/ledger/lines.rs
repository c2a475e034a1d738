//! Waiting lines: a visit is opened once, waiting or matched, and closed once.

use crate::order::Rules;
use crate::violation::{Violation, must};
use domain::{
    callback::Wanted,
    id::{CallId, OfferId, QueueId, VisitId},
    line::{Event, RejectReason, VisitResult},
    queue::Matching,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

/// The base quantities of a queue: `offered = answered + abandoned + flow_out
/// + callback + waiting`, at every instant.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) offered: u64,
    pub(crate) answered: u64,
    pub(crate) abandoned: u64,
    pub(crate) flow_out: u64,
    pub(crate) callback: u64,
    pub(crate) waiting: u64,
}

#[derive(Debug, Clone)]
pub(crate) struct Visit {
    queue: QueueId,
    enqueued_at: Timestamp,
    /// When this stay began: later, where it is at a place from a call before.
    since: Timestamp,
    pub(crate) config_version: u32,
    max_wait_ms: u64,
    matched: BTreeSet<OfferId>,
    attempts: u32,
    /// Kept for one agent until then, if that one is there.
    assigned_until: Option<Timestamp>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Line {
    /// Visits that wait for an agent, in the order of the line.
    pub(crate) waiting: BTreeSet<(Timestamp, VisitId)>,
    pub(crate) open: BTreeSet<VisitId>,
    tally: Tally,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Lines {
    lines: BTreeMap<QueueId, Line>,
    visits: BTreeMap<VisitId, Visit>,
    /// A call has one open visit in all queues.
    open_of: BTreeMap<CallId, VisitId>,
    closed: BTreeSet<VisitId>,
    pub(crate) rules: Rules,
    /// Stays that ended by a key.
    pub(crate) exits_count: u64,
    /// Stays that a person ended, with another queue for the call.
    pub(crate) requeued_count: u64,
    /// Stays that were older than their queue allows.
    pub(crate) expired_count: u64,
    /// Calls that came outside the hours, and when nobody was there.
    pub(crate) closed_count: u64,
    pub(crate) empty_count: u64,
    /// Calls that a supervisor meant for one agent.
    pub(crate) assigned_count: u64,
    /// Whom those who are rung back asked for, until they stand in a line.
    pub(crate) wanted: BTreeMap<CallId, Wanted>,
}

impl Lines {
    pub(crate) fn each(&self) -> impl Iterator<Item = (QueueId, &Line)> {
        self.lines.iter().map(|(id, line)| (*id, line))
    }

    /// Whether a supervisor wants one agent to have it, and nobody else for now.
    pub(crate) fn is_assigned(&self, visit: VisitId, now: Timestamp) -> bool {
        let visit = self.visits.get(&visit);
        visit.and_then(|visit| visit.assigned_until) > Some(now)
    }

    pub(crate) fn attempts(&self, visit: VisitId) -> u32 {
        self.visits.get(&visit).map_or(0, |visit| visit.attempts)
    }

    /// When an open visit began.
    pub(crate) fn since(&self, visit: VisitId) -> Timestamp {
        let visit = self.visits.get(&visit);
        visit.map_or_else(Timestamp::default, |visit| visit.since)
    }

    /// The offers that an open visit is matched to; none when it is not open.
    pub(crate) fn matched(&self, visit: VisitId) -> Option<&BTreeSet<OfferId>> {
        self.visits.get(&visit).map(|visit| &visit.matched)
    }

    /// The rules that an open visit keeps.
    pub(crate) fn rules_of(&self, visit: VisitId) -> Option<&Matching> {
        let visit = self.visits.get(&visit)?;
        self.rules.of(visit.queue, visit.config_version)
    }

    pub(crate) fn open_count(&self) -> usize {
        self.visits.len()
    }

    pub(crate) fn tally(&self, queue: QueueId) -> Tally {
        self.lines
            .get(&queue)
            .map_or_else(Tally::default, |line| line.tally)
    }

    pub(crate) fn note(&mut self, queue: QueueId, event: &Event) -> Result<(), Violation> {
        match event {
            Event::Opened {
                visit,
                call,
                enqueued_at,
                joined_at,
                policy,
                ..
            } => {
                let opened = Visit {
                    queue,
                    enqueued_at: *enqueued_at,
                    since: joined_at.unwrap_or(*enqueued_at),
                    config_version: policy.config_version,
                    max_wait_ms: policy.max_wait_ms,
                    matched: BTreeSet::new(),
                    attempts: 0,
                    assigned_until: self.wanted.remove(call).map(|wanted| {
                        let since = joined_at.unwrap_or(*enqueued_at);
                        since.plus_ms(wanted.for_ms)
                    }),
                };
                self.open(*visit, *call, opened)?;
            }
            Event::Rejected { visit, reason, .. } => {
                match reason {
                    RejectReason::Closed => self.closed_count += 1,
                    RejectReason::Empty => self.empty_count += 1,
                    RejectReason::Full => {}
                }
                must(!self.visits.contains_key(visit), || {
                    format!("{visit} is open and rejected")
                })?;
            }
            Event::Matched { visit, offer, .. } => self.match_to(*visit, *offer)?,
            Event::Returned {
                visit,
                offer,
                still_ringing,
                ..
            } => self.give_back(*visit, *offer, *still_ringing)?,
            Event::Assigned { visit, until, .. } => {
                self.open_visit(*visit)?.assigned_until = Some(*until);
                self.assigned_count += 1;
            }
            Event::PriorityChanged { visit, .. } => {
                self.open_visit(*visit)?;
            }
            Event::Closed {
                visit,
                call,
                result,
                ..
            } => self.close(*visit, *call, *result)?,
        }
        self.check_conservation(queue)
    }

    fn open(&mut self, id: VisitId, call: CallId, visit: Visit) -> Result<(), Violation> {
        must(
            !self.visits.contains_key(&id) && !self.closed.contains(&id),
            || format!("{id} is opened twice"),
        )?;
        let other = self.open_of.insert(call, id);
        must(other.is_none(), || format!("{call} has two open visits"))?;
        let line = self.lines.entry(visit.queue).or_default();
        line.waiting.insert((visit.enqueued_at, id));
        line.open.insert(id);
        line.tally.offered += 1;
        line.tally.waiting += 1;
        self.visits.insert(id, visit);
        Ok(())
    }

    fn match_to(&mut self, id: VisitId, offer: OfferId) -> Result<(), Violation> {
        let queue = self.open_visit(id)?.queue;
        let beside = self.rules.rings_beside(queue);
        let visit = self.open_visit(id)?;
        must(visit.matched.is_empty() || beside, || {
            format!("{id} is matched twice")
        })?;
        must(visit.matched.insert(offer), || {
            format!("{id} is matched twice to {offer}")
        })?;
        let (queue, at) = (visit.queue, visit.enqueued_at);
        if let Some(line) = self.lines.get_mut(&queue) {
            line.waiting.remove(&(at, id));
        }
        Ok(())
    }

    fn give_back(&mut self, id: VisitId, offer: OfferId, rings: bool) -> Result<(), Violation> {
        let visit = self.open_visit(id)?;
        must(visit.matched.remove(&offer), || {
            format!("{id} comes back from {offer}, which it was not given to")
        })?;
        must(rings != visit.matched.is_empty(), || {
            format!(
                "{id} says {rings} of other phones, and has {:?}",
                visit.matched
            )
        })?;
        visit.attempts += 1;
        if rings {
            return Ok(());
        }
        let (queue, at) = (visit.queue, visit.enqueued_at);
        if let Some(line) = self.lines.get_mut(&queue) {
            line.waiting.insert((at, id));
        }
        Ok(())
    }

    fn close(&mut self, id: VisitId, call: CallId, result: VisitResult) -> Result<(), Violation> {
        let Some(visit) = self.visits.remove(&id) else {
            return Err(Violation(format!("{id} closes and is not open")));
        };
        self.closed.insert(id);
        self.open_of.remove(&call);
        let Some(line) = self.lines.get_mut(&visit.queue) else {
            return Ok(());
        };
        line.waiting.remove(&(visit.enqueued_at, id));
        line.open.remove(&id);
        line.tally.waiting = line.tally.waiting.saturating_sub(1);
        match result {
            VisitResult::Answered => line.tally.answered += 1,
            VisitResult::Abandoned => line.tally.abandoned += 1,
            VisitResult::ExitKey => {
                line.tally.flow_out += 1;
                self.exits_count += 1;
            }
            VisitResult::Requeued => {
                line.tally.flow_out += 1;
                self.requeued_count += 1;
            }
            VisitResult::Callback => line.tally.callback += 1,
            VisitResult::Expired => {
                line.tally.flow_out += 1;
                self.expired_count += 1;
            }
            VisitResult::Timeout
            | VisitResult::Overflow
            | VisitResult::Voicemail
            | VisitResult::Withdrawn
            | VisitResult::System => {
                line.tally.flow_out += 1;
            }
        }
        Ok(())
    }

    fn open_visit(&mut self, id: VisitId) -> Result<&mut Visit, Violation> {
        self.visits
            .get_mut(&id)
            .ok_or_else(|| Violation(format!("{id} is not open")))
    }

    /// O = A + AB + FO + CB + W, and W is what is open.
    fn check_conservation(&self, queue: QueueId) -> Result<(), Violation> {
        let Some(line) = self.lines.get(&queue) else {
            return Ok(());
        };
        let Tally {
            offered,
            answered,
            abandoned,
            flow_out,
            callback,
            waiting,
        } = line.tally;
        must(
            offered == answered + abandoned + flow_out + callback + waiting
                && waiting == line.open.len() as u64,
            || format!("{queue} does not add up: {:?}", line.tally),
        )
    }

    /// Nobody waits longer than the queue allows.
    pub(crate) fn check_due(&self, now: Timestamp, slack_ms: u64) -> Result<(), Violation> {
        for (queue, line) in &self.lines {
            // Whatever keeps it there.
            let ttl_ms = self.rules.visit_ttl_ms(*queue);
            for id in &line.open {
                let at = self.since(*id);
                must(
                    ttl_ms == 0 || now <= at.plus_ms(ttl_ms).plus_ms(slack_ms),
                    || format!("{id} is open since {at}, longer than {ttl_ms} ms"),
                )?;
            }
            for (_, id) in &line.waiting {
                let at = self.since(*id);
                let max_wait_ms = self.visits.get(id).map_or(0, |visit| visit.max_wait_ms);
                must(
                    max_wait_ms == 0 || now <= at.plus_ms(max_wait_ms).plus_ms(slack_ms),
                    || format!("{id} waits since {at}, longer than {max_wait_ms} ms"),
                )?;
            }
        }
        Ok(())
    }
}
