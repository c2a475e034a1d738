//! Nobody is overtaken, and the right agent is rung: what a routing process asks for is
//! compared with the line and the agents as that process could know them, from what it has
//! read so far.

mod hands;
mod rules;

use crate::violation::{Violation, must};
use domain::{
    agent,
    any::{AnyCommand, AnyEvent},
    call, callback,
    id::{AgentId, CallId, OfferId, QueueId, VisitId},
    line::{self, ReturnCause},
    process::{Input, Intent},
    queue, session,
    time::Timestamp,
};
use hands::Hands;
pub(crate) use rules::{Rules, Skilled};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A visit as the process knows it.
#[derive(Debug, Clone)]
struct Waiting {
    call: CallId,
    queue: QueueId,
    config_version: u32,
    enqueued_at: Timestamp,
    /// When this stay began.
    since: Timestamp,
    attempts: u32,
    priority: Option<i32>,
    tried: BTreeSet<AgentId>,
    /// Offers asked for or live, and whether the line knows of them.
    rings: BTreeMap<OfferId, (AgentId, bool)>,
    /// Not offered (to anybody else) before these.
    not_before: Option<Timestamp>,
    joins_at: Option<Timestamp>,
    /// Nobody else is asked until then, if that one is there.
    assigned: Option<(AgentId, Timestamp)>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Order {
    visits: BTreeMap<VisitId, Waiting>,
    /// Where each call that is not over goes.
    stays: BTreeMap<CallId, VisitId>,
    open: BTreeMap<QueueId, BTreeSet<VisitId>>,
    /// Offers that were asked for and not yet answered.
    wished: BTreeMap<OfferId, (VisitId, AgentId)>,
    offers: BTreeMap<OfferId, VisitId>,
    serves: BTreeMap<AgentId, agent::Config>,
    hands: Hands,
    rules: Rules,
    /// Whom a person has paused in a queue.
    paused: BTreeSet<(QueueId, AgentId)>,
    latest: Timestamp,
    /// Whom those who are rung back asked for.
    wanted: BTreeMap<CallId, callback::Wanted>,
}

/// Whose turn it is: the lowest first.
type Turn = (Reverse<u32>, Reverse<i64>, Timestamp, VisitId);

impl Order {
    /// Takes what the process heard and what it asked for.
    ///
    /// # Errors
    /// When somebody was overtaken.
    pub(crate) fn note(&mut self, input: &Input<'_>, intents: &[Intent]) -> Result<(), Violation> {
        // A process knows of no time before the latest that it heard of, if that can be.
        let at = match input {
            Input::Event(fact) => fact.at,
            Input::Refused { at, .. } => *at,
            Input::Deadline(now) | Input::Sweep(now) => *now,
        };
        self.latest = at.told_after(self.latest);
        let now = self.latest;
        match input {
            Input::Event(fact) => {
                self.hands.hear(fact);
                self.hear(&fact.event, now);
            }
            Input::Refused {
                command, version, ..
            } => {
                if let AnyCommand::Session(id, session::Command::Reserve { offer, .. }) = command {
                    self.hands.refused(id.agent, *version);
                    if self.wished.remove(offer).is_some() {
                        self.is_over(*offer);
                    }
                }
            }
            Input::Sweep(_) => {
                for offer in std::mem::take(&mut self.wished).into_keys() {
                    self.is_over(offer);
                }
            }
            Input::Deadline(_) => {}
        }
        for intent in intents {
            if let AnyCommand::Session(id, session::Command::Reserve { offer, visit, .. }) =
                &intent.command
            {
                self.check(id.agent, *visit, now)?;
                self.check_agent(id.agent, *visit, now)?;
                self.wished.insert(*offer, (*visit, id.agent));
                self.rings(*offer, *visit, id.agent, now);
            }
        }
        Ok(())
    }

    fn hear(&mut self, event: &AnyEvent, at: Timestamp) {
        match event {
            AnyEvent::Agent(
                agent,
                agent::Event::Created { config, .. } | agent::Event::Configured { config, .. },
            ) => {
                self.serves.insert(*agent, config.clone());
            }
            AnyEvent::Line(queue, event) => self.on_line(*queue, event, at),
            AnyEvent::Queue(id, event) => self.on_queue(*id, event),
            AnyEvent::Session(id, session::Event::Reserved { offer, visit, .. }) => {
                self.wished.remove(offer);
                self.rings(*offer, *visit, id.agent, at);
            }
            AnyEvent::Session(
                _,
                session::Event::ReservationReleased { offer, .. }
                | session::Event::ConnectedToContact { offer, .. },
            ) => {
                self.wished.remove(offer);
                self.is_over(*offer);
            }
            // Whoever has gone is asked for nobody, whatever the line still says.
            AnyEvent::Call(call, call::Event::Enqueued { visit, .. }) => {
                self.stays.insert(*call, *visit);
            }
            AnyEvent::Call(
                call,
                call::Event::Placed {
                    wanted: Some(wanted),
                    ..
                },
            ) => {
                self.wanted.insert(*call, *wanted);
            }
            AnyEvent::Call(
                call,
                call::Event::Ended { .. }
                | call::Event::Overflowed { .. }
                | call::Event::AgentConnected { .. },
            ) => {
                self.wanted.remove(call);
                if let Some(visit) = self.stays.remove(call) {
                    self.leaves(visit);
                }
            }
            AnyEvent::Session(..)
            | AnyEvent::Call(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => {}
        }
    }

    fn on_queue(&mut self, id: QueueId, event: &queue::Event) {
        self.rules.note(id, event);
        match event.paused() {
            Some((agent, true)) => _ = self.paused.insert((id, agent)),
            Some((agent, false)) => _ = self.paused.remove(&(id, agent)),
            None => {}
        }
    }

    fn rings(&mut self, offer: OfferId, visit: VisitId, agent: AgentId, at: Timestamp) {
        self.offers.insert(offer, visit);
        let Some(waiting) = self.visits.get_mut(&visit) else {
            return;
        };
        let step_ms = self.rules.joins_after_ms(waiting.queue);
        if let (Some(ms), false) = (step_ms, waiting.rings.contains_key(&offer)) {
            waiting.joins_at = Some(at.plus_ms(ms));
        }
        waiting.rings.entry(offer).or_insert((agent, false));
    }

    /// An offer that the line never knew has come to nothing.
    fn is_over(&mut self, offer: OfferId) {
        let visit = self.offers.remove(&offer);
        let Some(waiting) = visit.and_then(|visit| self.visits.get_mut(&visit)) else {
            return;
        };
        if let Some((_, false)) = waiting.rings.get(&offer) {
            waiting.rings.remove(&offer);
            waiting.joins_at = None;
        }
    }

    fn on_line(&mut self, queue: QueueId, event: &line::Event, at: Timestamp) {
        match event {
            line::Event::Opened {
                visit,
                call,
                enqueued_at,
                joined_at,
                priority,
                policy,
                ..
            } => {
                // Nor is somebody who had gone before the line said this.
                if self.stays.get(call) != Some(visit) {
                    return;
                }
                let waiting = Waiting {
                    call: *call,
                    queue,
                    config_version: policy.config_version,
                    enqueued_at: *enqueued_at,
                    since: joined_at.unwrap_or(*enqueued_at),
                    attempts: 0,
                    priority: *priority,
                    tried: BTreeSet::new(),
                    rings: BTreeMap::new(),
                    not_before: None,
                    joins_at: None,
                    assigned: self.wanted.get(call).map(|wanted| {
                        let since = joined_at.unwrap_or(*enqueued_at);
                        (wanted.agent, since.plus_ms(wanted.for_ms))
                    }),
                };
                self.visits.insert(*visit, waiting);
                self.open.entry(queue).or_default().insert(*visit);
            }
            line::Event::Rejected { .. } => {}
            line::Event::Matched {
                visit,
                offer,
                session,
                ..
            } => {
                self.rings(*offer, *visit, session.agent, at);
                let waiting = self.visits.get_mut(visit);
                if let Some(ring) = waiting.and_then(|waiting| waiting.rings.get_mut(offer)) {
                    ring.1 = true;
                }
            }
            line::Event::Returned { .. } => self.comes_back(event, at),
            line::Event::PriorityChanged {
                visit, priority, ..
            } => {
                if let Some(waiting) = self.visits.get_mut(visit) {
                    waiting.priority = Some(*priority);
                }
            }
            line::Event::Assigned {
                visit,
                agent,
                until,
                ..
            } => {
                if let Some(waiting) = self.visits.get_mut(visit) {
                    waiting.assigned = Some((*agent, *until));
                }
            }
            line::Event::Closed { visit, .. } => self.leaves(*visit),
        }
    }

    fn leaves(&mut self, visit: VisitId) {
        if let Some(waiting) = self.visits.remove(&visit) {
            let open = self.open.entry(waiting.queue).or_default();
            open.remove(&visit);
        }
    }

    fn comes_back(&mut self, event: &line::Event, at: Timestamp) {
        let line::Event::Returned {
            visit,
            offer,
            session,
            cause,
            attempt,
            still_ringing,
            ..
        } = event
        else {
            return;
        };
        let Some(waiting) = self.visits.get_mut(visit) else {
            return;
        };
        waiting.rings.remove(offer);
        waiting.tried.insert(session.agent);
        waiting.joins_at = None;
        if *still_ringing {
            return;
        }
        waiting.attempts = *attempt;
        if self.rules.rings_beside(waiting.queue) {
            waiting.tried.clear();
        }
        if *cause != ReturnCause::Withdrawn {
            let rules = self.rules.of(waiting.queue, waiting.config_version);
            let delay_ms = rules.map_or(0, |rules| rules.retry_delay_ms(*attempt));
            waiting.not_before = (delay_ms > 0).then(|| at.plus_ms(delay_ms));
        }
    }

    /// Of one line to the microsecond, of several in thousandths of a point.
    fn turn(&self, id: VisitId, waiting: &Waiting, now: Timestamp, is_one_line: bool) -> Turn {
        let waited_ms = now.ms_since(waiting.enqueued_at);
        let rules = self.rules.of(waiting.queue, waiting.config_version);
        let weight = self
            .rules
            .now(waiting.queue)
            .map_or(0, |rules| rules.weight);
        let (base, boost) = rules.map_or((0, 0), |r| (r.priority, r.retry_boost));
        // Those who wait are compared by one measure.
        let now_rules = self.rules.now(waiting.queue);
        let ageing_ms = now_rules.map_or(0, |rules| rules.ageing_ms);
        let base = i64::from(waiting.priority.unwrap_or(base));
        let base = base + i64::from(boost) * i64::from(waiting.attempts);
        let aged = (waited_ms * 1_000).checked_div(ageing_ms).unwrap_or(0);
        let priority = match i64::try_from(ageing_ms).unwrap_or(i64::MAX) {
            0 => base * 1_000,
            point_ms if is_one_line => base * point_ms * 1_000 - waiting.enqueued_at.micros(),
            _ => base * 1_000 + i64::try_from(aged).unwrap_or(i64::MAX),
        };
        (Reverse(weight), Reverse(priority), waiting.enqueued_at, id)
    }

    /// Whether the agent could have had that visit.
    fn could_take(&self, agent: AgentId, waiting: &Waiting, now: Timestamp) -> bool {
        let holds = [waiting.not_before, waiting.joins_at];
        let is_held = holds.into_iter().flatten().any(|until| until > now);
        let has_room = match self.rules.rings_beside(waiting.queue) {
            true => waiting.rings.values().all(|(other, _)| *other != agent),
            false => waiting.rings.is_empty(),
        };
        let is_fit = self.serves.get(&agent).is_some_and(|config| {
            let waited_ms = now.ms_since(waiting.since);
            let rules = self.rules.of(waiting.queue, waiting.config_version);
            rules.is_none_or(|rules| config.is_fit(waiting.queue, rules, waited_ms))
        });
        // What a queue asks for does not matter to whoever gave it to that agent.
        let is_given =
            matches!(waiting.assigned, Some((who, until)) if who == agent && until > now);
        let is_paused = self.paused.contains(&(waiting.queue, agent));
        let may_have_it = (is_fit || is_given) && !is_paused;
        // Whoever has a call does not join in where somebody is rung who has none, unless a
        // person wants it so.
        let mut rung = waiting.rings.values();
        let others_talk = rung.all(|(other, _)| self.hands.talks(*other));
        let joins = is_given || others_talk || !self.hands.talks(agent);
        // Whoever has sent it here has it until that contact has ended.
        let has_it = self.hands.has(agent, waiting.call);
        !is_held && !has_it && has_room && joins && may_have_it && !waiting.tried.contains(&agent)
    }

    /// In all queues of the agent, nobody who has not had this agent yet came
    /// before; and the agent is fit for who was chosen.
    fn check(&self, agent: AgentId, id: VisitId, now: Timestamp) -> Result<(), Violation> {
        let Some(chosen) = self.visits.get(&id) else {
            return Err(Violation(format!("{agent} is asked for {id}, who is gone")));
        };
        let tried_once = Waiting {
            tried: BTreeSet::new(),
            ..chosen.clone()
        };
        must(self.could_take(agent, &tried_once, now), || {
            format!("{agent} is asked for {id} and must not be: {chosen:?}")
        })?;
        let queues = self.serves.get(&agent).into_iter();
        for queue in queues.flat_map(|config| &config.queues) {
            for other in self.open.get(queue).into_iter().flatten() {
                let Some(waiting) = self.visits.get(other) else {
                    continue;
                };
                // It may be kept for another, who is there or not.
                let is_kept = self.may_be_kept(waiting, now);
                if *other == id || is_kept || !self.could_take(agent, waiting, now) {
                    continue;
                }
                let is_one_line = waiting.queue == chosen.queue;
                let turn = self.turn(id, chosen, now, is_one_line);
                let before = self.turn(*other, waiting, now, is_one_line);
                must(before > turn, || {
                    format!("{id} at {turn:?} overtakes {before:?} at {agent}")
                })?;
            }
        }
        Ok(())
    }

    /// Of all who are free for certain and could have the visit, nobody stands before this
    /// agent by what its queue goes by.
    fn check_agent(&self, agent: AgentId, id: VisitId, now: Timestamp) -> Result<(), Violation> {
        let Some(chosen) = self.visits.get(&id) else {
            return Ok(());
        };
        let queue = chosen.queue;
        let Some(rules) = self.rules.now_with_strategy(queue) else {
            return Ok(());
        };
        // One alone is asked.
        if self.may_be_kept(chosen, now) {
            return Ok(());
        }
        let rank = |agent| {
            let config = self.serves.get(&agent)?;
            self.hands.rank(agent, config, queue, rules, now)
        };
        let stands = match rank(agent) {
            Some(stands) => Some(stands),
            // Whoever has a call comes after everybody who has none.
            None if self.hands.talks(agent) => None,
            // Left alone for a while, and just not any more: not certain.
            None => return Ok(()),
        };
        let is_asked = |other| self.wished.values().any(|(_, asked)| *asked == other);
        for other in self.hands.free(now).filter(|other| *other != agent) {
            if is_asked(other) || !self.serves_queue(other, queue) {
                continue;
            }
            if !self.could_take(other, chosen, now) {
                continue;
            }
            if let Some(before) = rank(other) {
                must(stands.is_some_and(|stands| stands <= before), || {
                    format!(
                        "{agent} at {stands:?} is rung for {id} before {other} at {before:?}, \
                         at {now}: {chosen:?}"
                    )
                })?;
            }
        }
        Ok(())
    }

    /// Somebody wants it so, or the one who served the caller last is asked first: who that
    /// is, and whether that one is there, is not looked at here.
    fn may_be_kept(&self, waiting: &Waiting, now: Timestamp) -> bool {
        let rules = self.rules.of(waiting.queue, waiting.config_version);
        let last_agent_ms = rules.map_or(0, |rules| rules.last_agent_ms);
        let is_assigned = matches!(waiting.assigned, Some((_, until)) if until > now);
        is_assigned || now.ms_since(waiting.since) < last_agent_ms
    }

    fn serves_queue(&self, agent: AgentId, queue: QueueId) -> bool {
        let config = self.serves.get(&agent);
        config.is_some_and(|config| config.queues.contains(&queue))
    }
}
