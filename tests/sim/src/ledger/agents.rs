//! Agents: one reservation at a time, as many calls as the agent may have, and an end to each.

use super::calls::Calls;
use crate::order::Skilled as _;
use crate::violation::{Violation, must};
use domain::{
    agent,
    id::{AgentId, CallId, OfferId, QueueId, SessionId},
    queue::{self, Away, Matching},
    session::{Event, NextState, NotReadyReason, ReleaseReason},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Reserved {
        offer: OfferId,
        call: CallId,
        until: Timestamp,
    },
    Contact {
        offer: OfferId,
        call: CallId,
    },
    WrapUp {
        call: CallId,
        until: Timestamp,
        /// The agent ends it, with a word for it, and nothing else does.
        needs_word: bool,
    },
}

impl Doing {
    const fn is_contact(&self) -> bool {
        matches!(self, Self::Contact { .. })
    }
}

#[derive(Debug, Clone)]
struct Session {
    number: u32,
    logged_in: bool,
    ready: bool,
    is_unreachable: bool,
    /// All that the agent does; nothing while it is idle.
    held: Vec<Doing>,
    /// It is to take no calls when the last of it is over.
    goes: bool,
    not_before: Option<Timestamp>,
    /// Left alone as no phone could be reached.
    is_lost: bool,
    last_at: Timestamp,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Agents {
    sessions: BTreeMap<AgentId, Session>,
    queues: BTreeMap<AgentId, Vec<QueueId>>,
    configs: BTreeMap<AgentId, agent::Config>,
    /// Agents that are ready and idle, paused or not.
    idle: BTreeMap<QueueId, BTreeSet<AgentId>>,
    members: BTreeMap<QueueId, BTreeSet<AgentId>>,
    /// Whom a person has paused in a queue.
    paused: BTreeSet<(QueueId, AgentId)>,
    pub(crate) reserved_count: u64,
    pub(crate) paused_count: u64,
    /// Reservations of agents who had a call already.
    pub(crate) beside_count: u64,
}

impl Agents {
    pub(crate) fn configured(&mut self, agent: AgentId, event: &agent::Event) {
        let config = match event {
            agent::Event::Created { config, .. } | agent::Event::Configured { config, .. } => {
                config
            }
        };
        for queue in self.queues.remove(&agent).unwrap_or_default() {
            self.members.entry(queue).or_default().remove(&agent);
            self.idle.entry(queue).or_default().remove(&agent);
        }
        for queue in &config.queues {
            self.members.entry(*queue).or_default().insert(agent);
        }
        self.queues.insert(agent, config.queues.clone());
        self.configs.insert(agent, config.clone());
        self.index(agent);
    }

    /// A person pauses an agent in a queue, or takes that back.
    pub(crate) fn paused(&mut self, queue: QueueId, event: &queue::Event) {
        let Some((agent, is_paused)) = event.paused() else {
            return;
        };
        match is_paused {
            true => self.paused.insert((queue, agent)),
            false => self.paused.remove(&(queue, agent)),
        };
        self.paused_count += u64::from(is_paused);
        self.index(agent);
    }

    /// A phone of the agent is there: it is not left alone any more because none was.
    pub(crate) fn has_a_phone(&mut self, agent: AgentId) {
        let session = self.sessions.get_mut(&agent);
        if let Some(session) = session.filter(|session| session.is_lost) {
            session.not_before = None;
        }
    }

    fn index(&mut self, agent: AgentId) {
        let capacity = self.capacity(agent);
        let is_idle = self
            .sessions
            .get(&agent)
            .is_some_and(|session| session.has_room(capacity));
        for queue in self.queues.get(&agent).into_iter().flatten() {
            let idle = self.idle.entry(*queue).or_default();
            if is_idle && !self.paused.contains(&(*queue, agent)) {
                idle.insert(agent);
            } else {
                idle.remove(&agent);
            }
        }
    }

    /// How many calls the agent may have at once.
    fn capacity(&self, agent: AgentId) -> usize {
        let config = self.configs.get(&agent);
        config.map_or(1, |config| usize::from(config.capacity))
    }

    /// Whether the agent may be asked for a call that has waited so long.
    pub(crate) fn is_fit(
        &self,
        agent: AgentId,
        queue: QueueId,
        rules: &Matching,
        waited_ms: u64,
    ) -> bool {
        let config = self.configs.get(&agent);
        config.is_some_and(|config| config.is_fit(queue, rules, waited_ms))
    }

    pub(crate) fn somebody_is_idle(&self, queue: QueueId) -> bool {
        self.idle.get(&queue).is_some_and(|idle| !idle.is_empty())
    }

    /// Somebody is logged in for the queue whom it does not count as away.
    pub(crate) fn somebody_is_there(&self, queue: QueueId, away: &[Away]) -> bool {
        let mut members = self.members.get(&queue).into_iter().flatten();
        members.any(|agent| {
            let (session, config) = (self.sessions.get(agent), self.configs.get(agent));
            let (Some(session), Some(config)) = (session, config) else {
                return false;
            };
            let place = config.place(queue);
            let is_away = away.iter().any(|factor| match factor {
                Away::NotReady => !session.ready,
                Away::Unreachable => !session.ready && session.is_unreachable,
                Away::Ringing => session.does(|it| matches!(it, Doing::Reserved { .. })),
                Away::OnContact => session.does(Doing::is_contact),
                Away::WrapUp => session.does(|it| matches!(it, Doing::WrapUp { .. })),
                Away::LaterTier => place.tier > 1,
                Away::Penalty => place.penalty > 0,
                Away::Paused => self.paused.contains(&(queue, *agent)),
            });
            session.logged_in && !is_away
        })
    }

    /// Agents of the queue who can take a call now.
    pub(crate) fn free(&self, queue: QueueId, now: Timestamp) -> Vec<AgentId> {
        let mut free = vec![];
        for agent in self.members.get(&queue).into_iter().flatten() {
            let Some(session) = self.sessions.get(agent) else {
                continue;
            };
            let is_paused = self.paused.contains(&(queue, *agent));
            if is_paused {
                continue;
            }
            let paused = session.not_before.is_some_and(|until| until > now);
            if session.has_room(self.capacity(*agent)) && !paused {
                free.push(*agent);
            }
        }
        free
    }

    pub(crate) fn is_reserved(&self, id: SessionId, offer: OfferId) -> bool {
        self.session(id).is_some_and(|it| it.is_reserved(offer))
    }

    pub(crate) fn has_contact(&self, id: SessionId, of: OfferId) -> bool {
        let session = self.session(id);
        session.is_some_and(|session| {
            let mut held = session.held.iter();
            held.any(|it| matches!(it, Doing::Contact { offer, .. } if *offer == of))
        })
    }

    fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions
            .get(&id.agent)
            .filter(|session| session.number == id.number)
    }

    pub(crate) fn note(
        &mut self,
        id: SessionId,
        at: Timestamp,
        event: &Event,
    ) -> Result<(), Violation> {
        if let Event::LoggedIn { .. } = event {
            self.log_in(id, at)?;
        }
        let capacity = self.capacity(id.agent);
        let Some(session) = self
            .sessions
            .get_mut(&id.agent)
            .filter(|session| session.number == id.number && session.logged_in)
        else {
            return Err(Violation(format!(
                "{id} is not logged in and has {event:?}"
            )));
        };
        must(at >= session.last_at, || format!("{id} goes back in time"))?;
        session.last_at = at;
        match event {
            Event::LoggedIn { .. } => {}
            Event::NextStateRequested { next, .. } => {
                session.goes = matches!(next, NextState::NotReady(_) | NextState::LoggedOut(_));
            }
            Event::LoggedOut { .. } => {
                session.is_idle(id, event)?;
                session.logged_in = false;
                session.ready = false;
                session.goes = false;
            }
            Event::BecameReady {} => {
                session.is_idle(id, event)?;
                session.ready = true;
                session.goes = false;
            }
            Event::BecameNotReady { reason, .. } => {
                session.is_idle(id, event)?;
                session.pauses(*reason);
            }
            Event::Reserved { .. } => {
                self.beside_count += u64::from(!session.held.is_empty());
                self.reserved_count += 1;
                session.is_taken(id, event, capacity)?;
            }
            Event::ReservationReleased { offer, .. } => {
                must(session.is_reserved(*offer), || {
                    format!("{id} is released from {offer} while {session:?}")
                })?;
                session.is_released(event);
            }
            Event::ConnectedToContact { offer, call, .. } => {
                must(session.is_reserved(*offer), || {
                    format!("{id} is connected by {offer} while {session:?}")
                })?;
                session.gives_up_reservation();
                let (offer, call) = (*offer, *call);
                session.held.push(Doing::Contact { offer, call });
            }
            Event::ContactEnded { call, .. } => {
                must(session.is_with(*call), || {
                    format!("{id} ends {call} while {session:?}")
                })?;
                session.is_over(*call);
            }
            Event::WrapUpStarted { .. } | Event::WrapUpExtended { .. } => session.works(event),
            Event::Forced { .. } => {}
            Event::WrapUpEnded { call, .. } => session.is_over(*call),
        }
        self.index(id.agent);
        Ok(())
    }

    fn log_in(&mut self, id: SessionId, at: Timestamp) -> Result<(), Violation> {
        let before = self.sessions.insert(
            id.agent,
            Session {
                number: id.number,
                logged_in: true,
                ready: false,
                is_unreachable: false,
                held: vec![],
                goes: false,
                not_before: None,
                is_lost: false,
                last_at: at,
            },
        );
        must(before.as_ref().is_none_or(|it| !it.logged_in), || {
            format!("{id} logs in while {before:?} is open")
        })
    }

    /// Nobody is reserved or in wrap-up beyond the time of it.
    pub(crate) fn check_due(&self, now: Timestamp, slack_ms: u64) -> Result<(), Violation> {
        for (agent, session) in &self.sessions {
            for held in &session.held {
                let until = match held {
                    Doing::Reserved { until, .. }
                    | Doing::WrapUp {
                        until,
                        needs_word: false,
                        ..
                    } => until,
                    Doing::Contact { .. }
                    | Doing::WrapUp {
                        needs_word: true, ..
                    } => continue,
                };
                must(now <= until.plus_ms(slack_ms), || {
                    format!("{agent} is stuck: {held:?} at {now}")
                })?;
            }
        }
        Ok(())
    }

    /// Whoever is reserved or with a caller has a call that is in progress.
    pub(crate) fn check_calls_are_live(&self, calls: &Calls) -> Result<(), Violation> {
        for (agent, session) in &self.sessions {
            for held in &session.held {
                if let Doing::Reserved { call, .. } | Doing::Contact { call, .. } = held {
                    must(calls.is_live(*call), || {
                        format!("{agent} is stuck with {call}, which is over")
                    })?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn check_end(&self) -> Result<(), Violation> {
        for (agent, session) in &self.sessions {
            must(session.held.is_empty(), || {
                format!("{agent} is stuck at the end: {:?}", session.held)
            })?;
        }
        Ok(())
    }
}

impl Session {
    /// Whether a phone may ring at the agent, of that many calls.
    fn has_room(&self, capacity: usize) -> bool {
        let wants = self.logged_in && self.ready && !self.goes;
        wants && self.held.iter().all(Doing::is_contact) && self.held.len() < capacity
    }

    fn does(&self, what: impl Fn(&Doing) -> bool) -> bool {
        self.held.iter().any(what)
    }

    /// Whoever is said to be something else holds nothing.
    fn is_idle(&self, id: SessionId, event: &Event) -> Result<(), Violation> {
        must(self.held.is_empty(), || {
            format!("{id} has {event:?} while {:?}", self.held)
        })
    }

    /// Reserved: one phone rings at a time, and the agent has no more calls than it may.
    fn is_taken(
        &mut self,
        id: SessionId,
        event: &Event,
        capacity_max: usize,
    ) -> Result<(), Violation> {
        let Event::Reserved {
            offer,
            call,
            until,
            capacity,
            ..
        } = event
        else {
            return Ok(());
        };
        must(self.has_room(capacity_max), || {
            format!("{id} of {capacity_max} calls is reserved by {offer} while {self:?}")
        })?;
        must(usize::from(*capacity) == capacity_max, || {
            format!("{id} of {capacity_max} calls is reserved as if of {capacity}")
        })?;
        self.held.push(Doing::Reserved {
            offer: *offer,
            call: *call,
            until: *until,
        });
        Ok(())
    }

    /// The contact with the call, or the work after it.
    fn is_over(&mut self, over: CallId) {
        self.held.retain(|it| match it {
            Doing::Contact { call, .. } | Doing::WrapUp { call, .. } => *call != over,
            Doing::Reserved { .. } => true,
        });
    }

    fn gives_up_reservation(&mut self) {
        self.held.retain(|it| !matches!(it, Doing::Reserved { .. }));
    }

    /// Without the call again, and left alone for a while if it is said so.
    fn is_released(&mut self, event: &Event) {
        if let Event::ReservationReleased {
            not_before, reason, ..
        } = event
        {
            self.gives_up_reservation();
            self.goes &= !self.held.is_empty();
            self.not_before = *not_before;
            self.is_lost = *reason == ReleaseReason::Unreachable;
        }
    }

    /// At work after a call, or for longer than was said.
    fn works(&mut self, event: &Event) {
        if let Event::WrapUpStarted {
            call,
            until,
            code_required,
            ..
        } = event
        {
            self.held.push(Doing::WrapUp {
                call: *call,
                until: *until,
                needs_word: *code_required,
            });
        }
        if let Event::WrapUpExtended { call, until } = event {
            for held in &mut self.held {
                match held {
                    Doing::WrapUp {
                        call: live,
                        until: ends,
                        ..
                    } if live == call => *ends = *until,
                    Doing::WrapUp { .. } | Doing::Reserved { .. } | Doing::Contact { .. } => {}
                }
            }
        }
    }

    fn pauses(&mut self, reason: NotReadyReason) {
        self.ready = false;
        self.goes = false;
        self.is_unreachable = reason == NotReadyReason::Unreachable;
    }

    fn is_reserved(&self, live: OfferId) -> bool {
        let mut held = self.held.iter();
        held.any(|it| matches!(it, Doing::Reserved { offer, .. } if *offer == live))
    }

    fn is_with(&self, live: CallId) -> bool {
        let mut held = self.held.iter();
        held.any(|it| matches!(it, Doing::Contact { call, .. } if *call == live))
    }
}
