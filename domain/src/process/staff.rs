//! Who is there for each queue: the agents that serve it and are logged in,
//! ready or not. A break empties no queue; the end of a shift does.

use crate::{
    agent,
    any::AnyEvent,
    id::{AgentId, QueueId},
    session,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The agents of all queues.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Staff {
    serves: BTreeMap<AgentId, BTreeSet<QueueId>>,
    logged_in: BTreeSet<AgentId>,
    present: BTreeMap<QueueId, BTreeSet<AgentId>>,
}

impl Staff {
    /// Nobody is there for the queue.
    pub(super) fn is_away(&self, queue: QueueId) -> bool {
        self.present.get(&queue).is_none_or(BTreeSet::is_empty)
    }

    /// Takes note of an event; the queues that nobody is there for any more.
    pub(super) fn hear(&mut self, event: &AnyEvent) -> Vec<QueueId> {
        match event {
            AnyEvent::Agent(
                agent,
                agent::Event::Created { config, .. } | agent::Event::Configured { config, .. },
            ) => {
                let queues = config.queues.iter().copied().collect();
                self.change(*agent, |staff| {
                    staff.serves.insert(*agent, queues);
                })
            }
            AnyEvent::Session(session, session::Event::LoggedIn { .. }) => {
                self.change(session.agent, |staff| {
                    staff.logged_in.insert(session.agent);
                })
            }
            AnyEvent::Session(session, session::Event::LoggedOut { .. }) => {
                self.change(session.agent, |staff| {
                    staff.logged_in.remove(&session.agent);
                })
            }
            AnyEvent::Session(..)
            | AnyEvent::Call(..)
            | AnyEvent::Line(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Person(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Billing(..) => vec![],
        }
    }

    fn change(&mut self, agent: AgentId, change: impl FnOnce(&mut Self)) -> Vec<QueueId> {
        let before = self.queues_of(agent);
        change(self);
        let after = self.queues_of(agent);
        for queue in after.difference(&before) {
            self.present.entry(*queue).or_default().insert(agent);
        }
        let mut emptied = vec![];
        for queue in before.difference(&after) {
            if let Some(agents) = self.present.get_mut(queue)
                && agents.remove(&agent)
                && agents.is_empty()
            {
                emptied.push(*queue);
            }
        }
        emptied
    }

    /// The queues that the agent is there for.
    fn queues_of(&self, agent: AgentId) -> BTreeSet<QueueId> {
        match self.logged_in.contains(&agent) {
            true => self.serves.get(&agent).cloned().unwrap_or_default(),
            false => BTreeSet::new(),
        }
    }
}
