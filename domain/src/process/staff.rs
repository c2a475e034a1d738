//! Who is there for each queue: the agents that serve it and are logged in,
//! but for those that the queue counts as away.

use crate::{
    agent,
    any::{AnyEvent, Fact},
    decider::Decider as _,
    id::{AgentId, OfferId, QueueId, VisitId},
    queue::Away,
    session::{self, Activity, NotReadyReason, Routability, Session},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where an agent stands in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Standing {
    tier: u8,
    penalty: u8,
}

/// What an agent who is logged in does.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Seen {
    now: Session,
    /// The same without an event that the next one completes: both are one
    /// decision, and between them nobody has come or gone.
    settled: Session,
}

/// The agents of all queues.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Staff {
    serves: BTreeMap<AgentId, BTreeMap<QueueId, Standing>>,
    /// How many calls at once each agent may have that may have more than one.
    capacities: BTreeMap<AgentId, u8>,
    /// Who is logged in.
    sessions: BTreeMap<AgentId, Seen>,
    members: BTreeMap<QueueId, BTreeSet<AgentId>>,
    /// Whom a person has paused in a queue.
    paused: BTreeMap<QueueId, BTreeSet<AgentId>>,
    /// The stays for which a phone is to ring or rings.
    asked: BTreeMap<OfferId, VisitId>,
}

impl Staff {
    /// Nobody is there for the queue: whoever serves it is not logged in, or away
    /// for one of these.
    pub(super) fn is_away(&self, queue: QueueId, away: &[Away]) -> bool {
        let members = self.members.get(&queue).into_iter().flatten();
        !members
            .into_iter()
            .any(|agent| self.counts(*agent, queue, away))
    }

    /// How many calls at once those may have who are there for the queue, but for those who
    /// are away for one of these.
    pub(super) fn units(&self, queue: QueueId, away: &[Away]) -> u64 {
        let members = self.members.get(&queue).into_iter().flatten();
        let there = members.filter(|agent| self.counts(**agent, queue, away));
        let capacity = |agent| {
            self.capacities
                .get(agent)
                .map_or(1, |most| u64::from(*most))
        };
        there.map(capacity).sum()
    }

    /// The stays for which an agent is asked.
    pub(super) fn asked_for(&self) -> BTreeSet<VisitId> {
        self.asked.values().copied().collect()
    }

    fn counts(&self, agent: AgentId, queue: QueueId, away: &[Away]) -> bool {
        let standing = self
            .serves
            .get(&agent)
            .and_then(|queues| queues.get(&queue));
        let (Some(seen), Some(standing)) = (self.sessions.get(&agent), standing) else {
            return false;
        };
        let session = &seen.settled;
        let is_paused = self.is_paused(queue, agent);
        session.routability != Routability::LoggedOut
            && !away
                .iter()
                .any(|factor| is(*factor, session, *standing, is_paused))
    }

    fn is_paused(&self, queue: QueueId, agent: AgentId) -> bool {
        let paused = self.paused.get(&queue);
        paused.is_some_and(|paused| paused.contains(&agent))
    }

    /// The queues for which an event may change who is there: those that the agent
    /// serves, or is told to, or in which it is paused.
    pub(super) fn queues_of(&self, event: &AnyEvent) -> BTreeSet<QueueId> {
        let (agent, told) = match event {
            AnyEvent::Agent(
                agent,
                agent::Event::Created { config, .. } | agent::Event::Configured { config, .. },
            ) => (*agent, config.queues.as_slice()),
            AnyEvent::Session(session, _) => (session.agent, &[][..]),
            AnyEvent::Queue(queue, event) => {
                return event.paused().map(|_| *queue).into_iter().collect();
            }
            AnyEvent::Call(..)
            | AnyEvent::Line(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => return BTreeSet::new(),
        };
        let serves = self.serves.get(&agent).into_iter().flatten();
        serves
            .map(|(queue, _)| *queue)
            .chain(told.iter().copied())
            .collect()
    }

    /// Takes note of an event.
    pub(super) fn hear(&mut self, fact: &Fact) {
        match &fact.event {
            AnyEvent::Agent(
                agent,
                agent::Event::Created { config, .. } | agent::Event::Configured { config, .. },
            ) => self.serve(*agent, config),
            AnyEvent::Session(id, event) => {
                match event {
                    session::Event::Reserved { offer, visit, .. } => {
                        self.asked.insert(*offer, *visit);
                    }
                    session::Event::ReservationReleased { offer, .. }
                    | session::Event::ConnectedToContact { offer, .. } => {
                        self.asked.remove(offer);
                    }
                    session::Event::LoggedIn { .. } => {
                        self.sessions.insert(id.agent, Seen::default());
                    }
                    session::Event::LoggedOut { .. } => {
                        self.sessions.remove(&id.agent);
                    }
                    session::Event::BecameReady {}
                    | session::Event::BecameNotReady { .. }
                    | session::Event::NextStateRequested { .. }
                    | session::Event::ContactEnded { .. }
                    | session::Event::WrapUpStarted { .. }
                    | session::Event::WrapUpEnded { .. }
                    | session::Event::WrapUpExtended { .. }
                    | session::Event::Forced { .. } => {}
                }
                if let Some(seen) = self.sessions.get_mut(&id.agent) {
                    let is_half = seen.now.is_followed(event);
                    seen.now = Session::evolve(std::mem::take(&mut seen.now), fact.at, event);
                    if !is_half {
                        seen.settled = seen.now.clone();
                    }
                }
            }
            AnyEvent::Queue(queue, event) => match event.paused() {
                Some((agent, true)) => {
                    self.paused.entry(*queue).or_default().insert(agent);
                }
                Some((agent, false)) => {
                    if let Some(paused) = self.paused.get_mut(queue) {
                        paused.remove(&agent);
                    }
                }
                None => {}
            },
            AnyEvent::Call(..)
            | AnyEvent::Line(..)
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

    fn serve(&mut self, agent: AgentId, config: &agent::Config) {
        let standing = |queue: &QueueId| {
            let place = config.places.iter().find(|place| place.queue == *queue);
            let place = place
                .copied()
                .unwrap_or_else(|| agent::Place::first(*queue));
            Standing {
                tier: place.tier,
                penalty: place.penalty,
            }
        };
        let queues: BTreeMap<QueueId, Standing> = config
            .queues
            .iter()
            .map(|queue| (*queue, standing(queue)))
            .collect();
        for members in self.members.values_mut() {
            members.remove(&agent);
        }
        for queue in queues.keys() {
            self.members.entry(*queue).or_default().insert(agent);
        }
        self.serves.insert(agent, queues);
        match config.capacity {
            0 | 1 => _ = self.capacities.remove(&agent),
            most => _ = self.capacities.insert(agent, most),
        }
    }
}

/// Whether that factor is true of an agent.
fn is(factor: Away, session: &Session, standing: Standing, is_paused: bool) -> bool {
    match factor {
        Away::NotReady => matches!(session.routability, Routability::NotReady(_)),
        Away::Unreachable => {
            session.routability == Routability::NotReady(NotReadyReason::Unreachable)
        }
        Away::Ringing => session.engagements.iter().any(Activity::is_reserved),
        Away::OnContact => session.engagements.iter().any(Activity::is_contact),
        Away::WrapUp => session.engagements.iter().any(Activity::is_wrap_up),
        Away::LaterTier => standing.tier > 1,
        Away::Penalty => standing.penalty > 0,
        Away::Paused => is_paused,
    }
}
