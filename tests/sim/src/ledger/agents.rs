//! Agents: one reservation or contact at a time, and an end to each.

use super::calls::Calls;
use crate::order::Skilled as _;
use crate::violation::{Violation, must};
use domain::{
    agent,
    id::{AgentId, CallId, OfferId, QueueId, SessionId},
    queue::{self, Away, Matching},
    session::{Event, NotReadyReason, ReleaseReason},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Idle,
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
        until: Timestamp,
        /// The agent ends it, with a word for it, and nothing else does.
        needs_word: bool,
    },
}

#[derive(Debug, Clone, Copy)]
struct Session {
    number: u32,
    logged_in: bool,
    ready: bool,
    is_unreachable: bool,
    doing: Doing,
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
        let is_idle = self.sessions.get(&agent).is_some_and(|session| {
            session.logged_in && session.ready && session.doing == Doing::Idle
        });
        for queue in self.queues.get(&agent).into_iter().flatten() {
            let idle = self.idle.entry(*queue).or_default();
            if is_idle && !self.paused.contains(&(*queue, agent)) {
                idle.insert(agent);
            } else {
                idle.remove(&agent);
            }
        }
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
                Away::Ringing => matches!(session.doing, Doing::Reserved { .. }),
                Away::OnContact => matches!(session.doing, Doing::Contact { .. }),
                Away::WrapUp => matches!(session.doing, Doing::WrapUp { .. }),
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
            if !session.logged_in || !session.ready || is_paused {
                continue;
            }
            let paused = session.not_before.is_some_and(|until| until > now);
            if session.doing == Doing::Idle && !paused {
                free.push(*agent);
            }
        }
        free
    }

    pub(crate) fn reservation(&self, id: SessionId) -> Option<OfferId> {
        match self.session(id)?.doing {
            Doing::Reserved { offer, .. } => Some(offer),
            Doing::Idle | Doing::Contact { .. } | Doing::WrapUp { .. } => None,
        }
    }

    pub(crate) fn contact(&self, id: SessionId) -> Option<OfferId> {
        match self.session(id)?.doing {
            Doing::Contact { offer, .. } => Some(offer),
            Doing::Idle | Doing::Reserved { .. } | Doing::WrapUp { .. } => None,
        }
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
            Event::LoggedIn { .. } | Event::NextStateRequested { .. } => {}
            Event::LoggedOut { .. } => {
                must(session.doing == Doing::Idle, || {
                    format!("{id} logs out while {:?}", session.doing)
                })?;
                session.logged_in = false;
                session.ready = false;
            }
            Event::BecameReady {} => session.ready = true,
            Event::BecameNotReady { reason, .. } => session.pauses(*reason),
            Event::Reserved {
                offer, call, until, ..
            } => {
                must(session.ready && session.doing == Doing::Idle, || {
                    format!("{id} is reserved by {offer} while {session:?}")
                })?;
                session.doing = Doing::Reserved {
                    offer: *offer,
                    call: *call,
                    until: *until,
                };
                self.reserved_count += 1;
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
                session.doing = Doing::Contact {
                    offer: *offer,
                    call: *call,
                };
            }
            Event::ContactEnded { call, .. } => {
                must(session.is_with(*call), || {
                    format!("{id} ends {call} while {session:?}")
                })?;
                session.doing = Doing::Idle;
            }
            Event::WrapUpStarted { .. } | Event::WrapUpExtended { .. } => session.works(event),
            Event::Forced { .. } => {}
            Event::WrapUpEnded { .. } => session.doing = Doing::Idle,
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
                doing: Doing::Idle,
                not_before: None,
                is_lost: false,
                last_at: at,
            },
        );
        must(before.is_none_or(|before| !before.logged_in), || {
            format!("{id} logs in while {before:?} is open")
        })
    }

    /// Nobody is reserved or in wrap-up beyond the time of it.
    pub(crate) fn check_due(&self, now: Timestamp, slack_ms: u64) -> Result<(), Violation> {
        for (agent, session) in &self.sessions {
            let until = match session.doing {
                Doing::Reserved { until, .. }
                | Doing::WrapUp {
                    until,
                    needs_word: false,
                } => until,
                Doing::Idle
                | Doing::Contact { .. }
                | Doing::WrapUp {
                    needs_word: true, ..
                } => continue,
            };
            must(now <= until.plus_ms(slack_ms), || {
                format!("{agent} is stuck: {:?} at {now}", session.doing)
            })?;
        }
        Ok(())
    }

    /// Whoever is reserved or with a caller has a call that is in progress.
    pub(crate) fn check_calls_are_live(&self, calls: &Calls) -> Result<(), Violation> {
        for (agent, session) in &self.sessions {
            if let Doing::Reserved { call, .. } | Doing::Contact { call, .. } = session.doing {
                must(calls.is_live(call), || {
                    format!("{agent} is stuck with {call}, which is over")
                })?;
            }
        }
        Ok(())
    }

    pub(crate) fn check_end(&self) -> Result<(), Violation> {
        for (agent, session) in &self.sessions {
            must(session.doing == Doing::Idle, || {
                format!("{agent} is stuck at the end: {:?}", session.doing)
            })?;
        }
        Ok(())
    }
}

impl Session {
    /// Idle again, and left alone for a while if it is said so.
    fn is_released(&mut self, event: &Event) {
        if let Event::ReservationReleased {
            not_before, reason, ..
        } = event
        {
            self.doing = Doing::Idle;
            self.not_before = *not_before;
            self.is_lost = *reason == ReleaseReason::Unreachable;
        }
    }

    /// At work after a call, or for longer than was said.
    fn works(&mut self, event: &Event) {
        if let Event::WrapUpStarted {
            until,
            code_required,
            ..
        } = event
        {
            let (until, needs_word) = (*until, *code_required);
            self.doing = Doing::WrapUp { until, needs_word };
        }
        if let (Event::WrapUpExtended { until, .. }, Doing::WrapUp { until: ends, .. }) =
            (event, &mut self.doing)
        {
            *ends = *until;
        }
    }

    fn pauses(&mut self, reason: NotReadyReason) {
        self.ready = false;
        self.is_unreachable = reason == NotReadyReason::Unreachable;
    }

    fn is_reserved(&self, live: OfferId) -> bool {
        matches!(self.doing, Doing::Reserved { offer, .. } if offer == live)
    }

    fn is_with(&self, live: CallId) -> bool {
        matches!(self.doing, Doing::Contact { call, .. } if call == live)
    }
}
