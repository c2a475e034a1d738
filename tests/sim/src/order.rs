//! Nobody is overtaken: what a routing process asks for is compared with the
//! line as that process could know it, from what it has read so far.

use crate::violation::{Violation, must};
use domain::{
    agent,
    any::{AnyCommand, AnyEvent},
    id::{AgentId, OfferId, QueueId, VisitId},
    line,
    process::{Input, Intent},
    session,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default, Clone)]
pub(crate) struct Order {
    waiting: BTreeMap<QueueId, BTreeSet<(Timestamp, VisitId)>>,
    place: BTreeMap<VisitId, (QueueId, Timestamp)>,
    tried: BTreeMap<VisitId, BTreeSet<AgentId>>,
    /// Visits for which an agent was asked.
    wished: BTreeMap<OfferId, VisitId>,
    taken: BTreeSet<VisitId>,
    serves: BTreeMap<AgentId, Vec<QueueId>>,
}

impl Order {
    /// Takes what the process heard and what it asked for.
    ///
    /// # Errors
    /// When somebody was overtaken.
    pub(crate) fn note(&mut self, input: &Input<'_>, intents: &[Intent]) -> Result<(), Violation> {
        match input {
            Input::Event(fact) => match &fact.event {
                AnyEvent::Agent(
                    agent,
                    agent::Event::Created { config, .. } | agent::Event::Configured { config, .. },
                ) => {
                    self.serves.insert(*agent, config.queues.clone());
                }
                AnyEvent::Line(queue, event) => self.on_line(*queue, event),
                AnyEvent::Session(_, session::Event::Reserved { offer, .. }) => {
                    self.wished.remove(offer);
                }
                AnyEvent::Session(..)
                | AnyEvent::Call(..)
                | AnyEvent::Queue(..)
                | AnyEvent::Person(..)
                | AnyEvent::Device(..)
                | AnyEvent::Trunk(..)
                | AnyEvent::Billing(..) => {}
            },
            Input::Refused { command, .. } => {
                if let AnyCommand::Session(_, session::Command::Reserve { offer, .. }) = command
                    && let Some(visit) = self.wished.remove(offer)
                {
                    self.taken.remove(&visit);
                }
            }
            Input::Sweep(_) => {
                for visit in std::mem::take(&mut self.wished).into_values() {
                    self.taken.remove(&visit);
                }
            }
            Input::Deadline(_) => {}
        }
        for intent in intents {
            if let AnyCommand::Session(id, session::Command::Reserve { offer, visit, .. }) =
                &intent.command
            {
                self.check(id.agent, *visit)?;
                self.wished.insert(*offer, *visit);
                self.taken.insert(*visit);
            }
        }
        Ok(())
    }

    fn on_line(&mut self, queue: QueueId, event: &line::Event) {
        match event {
            line::Event::Opened {
                visit, enqueued_at, ..
            } => {
                self.place.insert(*visit, (queue, *enqueued_at));
                self.waiting
                    .entry(queue)
                    .or_default()
                    .insert((*enqueued_at, *visit));
            }
            line::Event::Rejected { .. } => {}
            line::Event::Matched { visit, .. } => self.leave(*visit),
            line::Event::Returned { visit, session, .. } => {
                self.taken.remove(visit);
                self.tried.entry(*visit).or_default().insert(session.agent);
                if let Some((queue, at)) = self.place.get(visit) {
                    self.waiting
                        .entry(*queue)
                        .or_default()
                        .insert((*at, *visit));
                }
            }
            line::Event::Closed { visit, .. } => {
                self.leave(*visit);
                self.place.remove(visit);
                self.tried.remove(visit);
                self.taken.remove(visit);
            }
        }
    }

    fn leave(&mut self, visit: VisitId) {
        if let Some((queue, at)) = self.place.get(&visit)
            && let Some(line) = self.waiting.get_mut(queue)
        {
            line.remove(&(*at, visit));
        }
    }

    /// In all queues of the agent, nobody who has not had this agent yet came
    /// before.
    fn check(&self, agent: AgentId, chosen: VisitId) -> Result<(), Violation> {
        let Some((_, at)) = self.place.get(&chosen) else {
            return Err(Violation(format!(
                "{agent} is asked for {chosen}, who is gone"
            )));
        };
        for queue in self.serves.get(&agent).into_iter().flatten() {
            let earlier = self
                .waiting
                .get(queue)
                .into_iter()
                .flatten()
                .find(|(_, visit)| {
                    !self.taken.contains(visit)
                        && self
                            .tried
                            .get(visit)
                            .is_none_or(|tried| !tried.contains(&agent))
                });
            if let Some(earlier) = earlier {
                must(*earlier >= (*at, chosen), || {
                    format!("{chosen} of {at} overtakes {earlier:?} at {agent}")
                })?;
            }
        }
        Ok(())
    }
}
