//! The visits: who may be offered to an agent now, and in which order.

use super::Board;
use crate::{
    call::OFFERS_MAX,
    id::{AgentId, CallId, OfferId, QueueId, VisitId},
    line::{ReturnCause, VisitPolicy},
    process::routing::board::Rules,
    queue::{Strategy, TIER_MAX},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The place of a visit in its line, the lowest first, as [`Matching::place`] says. How
/// much waiting a point of priority is worth is a rule of the line and not of a visit:
/// those who wait are compared by one measure.
///
/// [`Matching::place`]: crate::queue::Matching::place
pub(in crate::process::routing) type Key = (i64, Timestamp);

/// An offer of a visit that is asked for or live.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Ring {
    agent: AgentId,
    /// The line knows of it and will say when it is over.
    matched: bool,
}

/// A visit that is in the line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::process::routing) struct Waiting {
    pub(in crate::process::routing) call: CallId,
    pub(in crate::process::routing) queue: QueueId,
    /// Where it stands: who called again or is rung back stands where the call before stood.
    pub(in crate::process::routing) enqueued_at: Timestamp,
    /// Since when it waits.
    since: Timestamp,
    pub(in crate::process::routing) policy: VisitPolicy,
    /// Agents whose offer of this visit came to nothing.
    pub(in crate::process::routing) tried: BTreeSet<AgentId>,
    /// Whoever served the caller last was asked, in vain: that step is over for this
    /// stay, whoever else may be asked again.
    pub(in crate::process::routing) asked_last_agent: bool,
    /// Rounds of offers in vain.
    pub(in crate::process::routing) attempts: u32,
    /// Set for the call itself: instead of the queue's priority.
    priority: Option<i32>,
    /// A person wants that agent to have it, and nobody else before then.
    assigned: Option<(AgentId, Timestamp)>,
    rings: BTreeMap<OfferId, Ring>,
    /// Not offered before this instant: a pause after a round in vain.
    not_before: Option<Timestamp>,
    /// No further phone joins in before this instant.
    joins_at: Option<Timestamp>,
    /// Where it stands in its line, if it may be offered.
    placed: Option<Key>,
    /// When its next step comes.
    step: Option<Timestamp>,
}

impl Waiting {
    pub(in crate::process::routing) const fn new(
        call: CallId,
        queue: QueueId,
        (enqueued_at, since): (Timestamp, Timestamp),
        policy: VisitPolicy,
    ) -> Self {
        Self {
            call,
            queue,
            enqueued_at,
            since,
            policy,
            tried: BTreeSet::new(),
            asked_last_agent: false,
            attempts: 0,
            priority: None,
            assigned: None,
            rings: BTreeMap::new(),
            not_before: None,
            joins_at: None,
            placed: None,
            step: None,
        }
    }

    /// It has a priority of its own.
    pub(in crate::process::routing) const fn prefer(&mut self, priority: i32) {
        self.priority = Some(priority);
    }

    /// How long it waits by then: what is asked for relaxes by this, and not by a
    /// time in which its caller was not there.
    pub(in crate::process::routing) const fn waited_ms(&self, at: Timestamp) -> u64 {
        at.ms_since(self.since)
    }

    /// The agent is asked already, or its phone rings.
    pub(in crate::process::routing) fn rings_at(&self, agent: AgentId) -> bool {
        self.rings.values().any(|ring| ring.agent == agent)
    }

    /// Who is asked, or whose phone rings.
    pub(in crate::process::routing) fn asked(&self) -> impl Iterator<Item = AgentId> {
        self.rings.values().map(|ring| ring.agent)
    }

    /// Nobody but that agent is to have it before then, if it is there.
    pub(in crate::process::routing) const fn keep_for(&mut self, agent: AgentId, until: Timestamp) {
        self.assigned = Some((agent, until));
    }

    /// Who alone is to have it at that instant, because a person wants it so.
    pub(in crate::process::routing) fn assigned(&self, at: Timestamp) -> Option<AgentId> {
        let (agent, until) = self.assigned?;
        (at < until).then_some(agent)
    }

    /// It is not offered before a pause after a round in vain is over.
    pub(in crate::process::routing) fn rests(&self, at: Timestamp) -> bool {
        self.not_before.is_some_and(|until| at < until)
    }

    /// No phone rings for it and nobody is asked.
    pub(in crate::process::routing) fn is_silent(&self) -> bool {
        self.rings.is_empty()
    }

    /// Its priority without what waiting adds.
    pub(in crate::process::routing) fn base(&self, rules: &Rules) -> i64 {
        rules.matching.base(self.priority, self.attempts)
    }

    /// Its priority in thousandths, with what waiting has added.
    /// It grows as the queue says now, whatever it said when the visit began.
    pub(in crate::process::routing) fn priority_milli(
        &self,
        rules: &Rules,
        line: &Rules,
        at: Timestamp,
    ) -> i64 {
        let waited = at.ms_since(self.enqueued_at).saturating_mul(1_000);
        let aged = waited.checked_div(line.matching.ageing_ms).unwrap_or(0);
        self.base(rules)
            .saturating_mul(1_000)
            .saturating_add(i64::try_from(aged).unwrap_or(i64::MAX))
    }

    fn key(&self, rules: &Rules, line: &Rules) -> Key {
        line.matching.place(self.base(rules), self.enqueued_at)
    }

    /// The next instant after `at` from which more agents may be asked.
    fn next_step(&self, rules: &Rules, at: Timestamp) -> Option<Timestamp> {
        let matching = &rules.matching;
        let relaxed = matching.skills.iter().flat_map(|wanted| &wanted.relax);
        let relaxed = relaxed.map(|step| step.after_ms);
        let tiers = (1..u64::from(TIER_MAX)).map(|tier| tier * matching.tier_step_ms);
        let last_agent = std::iter::once(matching.last_agent_ms);
        let waits = relaxed.chain(tiers).chain(last_agent).filter(|ms| *ms > 0);
        waits
            .map(|ms| self.since.plus_ms(ms))
            .chain(self.not_before)
            .chain(self.joins_at)
            .chain(self.assigned.map(|(_, until)| until))
            .filter(|step| *step > at)
            .min()
    }
}

impl Board {
    /// The call goes into a line, which will open that visit.
    pub(in crate::process::routing) fn goes_to(&mut self, call: CallId, visit: VisitId) {
        self.stays.insert(call, visit);
    }

    /// The call waits nowhere any more; nor where its line still has it, because it has
    /// not heard yet that somebody answered, and that it was over at once.
    pub(in crate::process::routing) fn leaves(&mut self, call: CallId) {
        if let Some(visit) = self.stays.remove(&call) {
            self.close(visit);
        }
    }

    /// The line has opened a visit. A call that has gone meanwhile is offered to nobody:
    /// its line will close the visit when it hears of that, and until then every agent
    /// would be reserved for it in vain, again and again.
    pub(in crate::process::routing) fn wait(
        &mut self,
        visit: VisitId,
        waiting: Waiting,
        at: Timestamp,
    ) {
        if self.stays.get(&waiting.call) != Some(&visit) {
            return;
        }
        self.visits.insert(visit, waiting);
        self.place(visit, at);
    }

    /// A priority of the call's own.
    pub(in crate::process::routing) fn prefer(
        &mut self,
        visit: VisitId,
        priority: i32,
        at: Timestamp,
    ) {
        if let Some(waiting) = self.visits.get_mut(&visit) {
            waiting.prefer(priority);
        }
        self.place(visit, at);
    }

    /// Nobody but that agent is asked for a while.
    pub(in crate::process::routing) fn assign(
        &mut self,
        visit: VisitId,
        to: (AgentId, Timestamp),
        at: Timestamp,
    ) {
        if let Some(waiting) = self.visits.get_mut(&visit) {
            waiting.assigned = Some(to);
            // Who had it in vain may be who is to have it.
            waiting.tried.remove(&to.0);
        }
        self.place(visit, at);
    }

    /// Takes the visit out of its line and puts it where it stands now, if it
    /// may be offered now.
    pub(super) fn place(&mut self, visit: VisitId, at: Timestamp) {
        let Some(mut waiting) = self.visits.remove(&visit) else {
            return;
        };
        let queue = waiting.queue;
        let (key, step) = {
            let rules = self.rules_of(&waiting);
            let key = waiting.key(rules, self.rules(queue));
            (key, waiting.next_step(rules, at))
        };
        let has_room = match self.rules(queue).strategy.rings_beside() {
            true => waiting.rings.len() < OFFERS_MAX,
            false => waiting.rings.is_empty(),
        };
        let holds = [waiting.not_before, waiting.joins_at];
        let is_due = holds.into_iter().flatten().all(|until| until <= at);
        let placed = (has_room && is_due).then_some(key);
        if waiting.placed != placed {
            let line = self.lines.entry(queue).or_default();
            if let Some(old) = waiting.placed {
                line.remove(&(old, visit));
            }
            if let Some(new) = placed {
                line.insert((new, visit));
            }
            waiting.placed = placed;
        }
        if waiting.step != step {
            if let Some(old) = waiting.step {
                self.steps.remove(&(old, visit));
            }
            self.steps.extend(step.map(|step| (step, visit)));
            waiting.step = step;
        }
        if waiting.placed.is_some() {
            self.changed.insert(queue);
        }
        self.visits.insert(visit, waiting);
    }

    /// All visits of a queue anew: its strategy may be another one.
    pub(super) fn place_all(&mut self, queue: QueueId, at: Timestamp) {
        let of_queue = self.visits.iter().filter(|(_, visit)| visit.queue == queue);
        let visits: Vec<VisitId> = of_queue.map(|(visit, _)| *visit).collect();
        for visit in visits {
            self.place(visit, at);
        }
    }

    /// A phone is to ring for it.
    pub(super) fn ring(&mut self, visit: VisitId, agent: AgentId, offer: OfferId, at: Timestamp) {
        let Some(waiting) = self.visits.get_mut(&visit) else {
            return;
        };
        let rules = self.rules.get(&waiting.queue);
        let rules = rules.and_then(|rules| rules.versions.get(&rules.current));
        if let Some(rules) = rules
            && rules.strategy == Strategy::RingProgressively
            && !waiting.rings.contains_key(&offer)
        {
            waiting.joins_at = Some(at.plus_ms(rules.matching.ring_step_ms()));
        }
        waiting.rings.entry(offer).or_insert(Ring {
            agent,
            matched: false,
        });
        self.place(visit, at);
    }

    /// The line knows of the offer.
    pub(in crate::process::routing) fn matched(
        &mut self,
        visit: VisitId,
        agent: AgentId,
        offer: OfferId,
        at: Timestamp,
    ) {
        self.ring(visit, agent, offer, at);
        let waiting = self.visits.get_mut(&visit);
        if let Some(ring) = waiting.and_then(|waiting| waiting.rings.get_mut(&offer)) {
            ring.matched = true;
        }
    }

    /// An offer that the line never knew has come to nothing.
    pub(super) fn hang_up_unmatched(&mut self, visit: VisitId, offer: OfferId, at: Timestamp) {
        let Some(waiting) = self.visits.get_mut(&visit) else {
            return;
        };
        if waiting.rings.get(&offer).is_none_or(|ring| ring.matched) {
            return;
        }
        waiting.rings.remove(&offer);
        // Nobody's phone has rung: the next is asked at once.
        waiting.joins_at = None;
        self.place(visit, at);
    }

    /// Waits again, at its old place.
    pub(in crate::process::routing) fn give_back(
        &mut self,
        visit: VisitId,
        offer: OfferId,
        agent: AgentId,
        (cause, attempt, still_ringing): (ReturnCause, u32, bool),
        at: Timestamp,
    ) {
        let Some(waiting) = self.visits.get(&visit) else {
            return;
        };
        let rings_beside = self.rules(waiting.queue).strategy.rings_beside();
        let is_last_agent = self.callers.last_agent(waiting.call) == Some(agent);
        let delay_ms = match cause {
            ReturnCause::NoAnswer
            | ReturnCause::Rejected
            | ReturnCause::Busy
            | ReturnCause::Unreachable => self.rules_of(waiting).matching.retry_delay_ms(attempt),
            ReturnCause::Withdrawn => 0,
        };
        if let Some(waiting) = self.visits.get_mut(&visit) {
            waiting.rings.remove(&offer);
            waiting.tried.insert(agent);
            waiting.asked_last_agent |= is_last_agent;
            // Kept apart from who was tried, for all of those may be asked again.
            waiting.assigned = waiting.assigned.filter(|(only, _)| *only != agent);
            // One who does not take it makes room for the next at once.
            waiting.joins_at = None;
            if !still_ringing {
                waiting.attempts = attempt;
                if delay_ms > 0 {
                    waiting.not_before = Some(at.plus_ms(delay_ms));
                }
                if rings_beside {
                    // The round is over: everybody may be asked again.
                    waiting.tried.clear();
                }
            }
        }
        self.place(visit, at);
    }

    pub(in crate::process::routing) fn forget_tried(&mut self, visit: VisitId) {
        if let Some(waiting) = self.visits.get_mut(&visit) {
            waiting.tried.clear();
        }
    }

    pub(in crate::process::routing) fn close(&mut self, visit: VisitId) {
        let Some(waiting) = self.visits.remove(&visit) else {
            return;
        };
        if let (Some(key), Some(line)) = (waiting.placed, self.lines.get_mut(&waiting.queue)) {
            line.remove(&(key, visit));
        }
        if let Some(step) = waiting.step {
            self.steps.remove(&(step, visit));
        }
    }

    pub(super) fn wake_visits(&mut self, now: Timestamp) {
        while let Some((due, visit)) = self.steps.first().copied() {
            if due > now {
                break;
            }
            self.steps.remove(&(due, visit));
            if let Some(waiting) = self.visits.get_mut(&visit) {
                waiting.step = None;
                waiting.not_before = waiting.not_before.filter(|until| *until > now);
                waiting.joins_at = waiting.joins_at.filter(|until| *until > now);
            }
            self.place(visit, now);
        }
    }
}
