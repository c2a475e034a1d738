//! Who is who now: queues by name and number, agents, trunks, current
//! sessions. A fold of the feed in memory, for those who must resolve a name
//! before they can command: the SIP adapter, provisioning, the API.

use crate::{
    feed::Feed,
    ports::{Position, ReadError},
};
use domain::{
    agent,
    any::{AnyEvent, Fact},
    id::{AgentId, QueueId, SessionId, TrunkId},
    queue, session, trunk,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::watch;

/// Events taken from the feed at once.
const BATCH_MAX: usize = 1_000;

/// A queue as it is configured now.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueEntry {
    /// Its id.
    pub id: QueueId,
    /// Its name.
    pub name: String,
    /// Counts its changes.
    pub config_version: u32,
    /// Its rules.
    pub config: queue::Config,
}

/// An agent as it is configured now.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentEntry {
    /// Its id.
    pub id: AgentId,
    /// Its name: user part of its SIP address.
    pub name: String,
    /// What can change.
    pub config: agent::Config,
}

/// A trunk as it is configured now.
#[derive(Debug, Clone, PartialEq)]
pub struct TrunkEntry {
    /// Its id.
    pub id: TrunkId,
    /// Its name.
    pub name: String,
    /// What can change.
    pub config: trunk::Config,
}

#[derive(Debug, Default)]
struct Known {
    queues: BTreeMap<QueueId, Arc<QueueEntry>>,
    /// Lower-case name or number to queue.
    addresses: HashMap<String, QueueId>,
    agents: BTreeMap<AgentId, Arc<AgentEntry>>,
    agent_names: HashMap<String, AgentId>,
    trunks: BTreeMap<TrunkId, Arc<TrunkEntry>>,
    /// Last session of each agent and whether it is open.
    sessions: HashMap<AgentId, (SessionId, bool)>,
}

/// A handle on the directory; cheap to clone.
#[derive(Debug, Clone)]
pub struct Directory {
    known: Arc<RwLock<Known>>,
    position: watch::Receiver<Position>,
}

impl Directory {
    /// Reads the log to its head, then follows it on a task of its own.
    ///
    /// # Errors
    /// When the log can not be read.
    pub async fn start(feed: Feed) -> Result<Self, ReadError> {
        let known = Arc::new(RwLock::new(Known::default()));
        let mut position = Position::default();
        loop {
            let entries = feed.read(position, BATCH_MAX).await?;
            let Some(last) = entries.last() else { break };
            position = last.recorded.position;
            let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
            for entry in &entries {
                known.apply(&entry.fact);
            }
        }
        let (seen, position_seen) = watch::channel(position);
        tokio::spawn(follow(feed, known.clone(), position, seen));
        Ok(Self {
            known,
            position: position_seen,
        })
    }

    /// Waits until everything up to the position is known here.
    pub async fn wait_for(&self, position: Position) {
        let mut seen = self.position.clone();
        // The follower ends only with the process.
        let _ = seen.wait_for(|seen| *seen >= position).await;
    }

    fn read<T>(&self, look: impl FnOnce(&Known) -> T) -> T {
        look(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The queue that a name or a number leads to; case does not matter.
    pub fn resolve(&self, address: &str) -> Option<Arc<QueueEntry>> {
        self.read(|known| {
            let id = known.addresses.get(&address.to_lowercase())?;
            known.queues.get(id).cloned()
        })
    }

    /// The queue of that id.
    pub fn queue(&self, id: QueueId) -> Option<Arc<QueueEntry>> {
        self.read(|known| known.queues.get(&id).cloned())
    }

    /// All queues, by id.
    pub fn queues(&self) -> Vec<Arc<QueueEntry>> {
        self.read(|known| known.queues.values().cloned().collect())
    }

    /// The agent of that name; case does not matter.
    pub fn agent_named(&self, name: &str) -> Option<Arc<AgentEntry>> {
        self.read(|known| {
            let id = known.agent_names.get(&name.to_lowercase())?;
            known.agents.get(id).cloned()
        })
    }

    /// The agent of that id.
    pub fn agent(&self, id: AgentId) -> Option<Arc<AgentEntry>> {
        self.read(|known| known.agents.get(&id).cloned())
    }

    /// All agents, by id.
    pub fn agents(&self) -> Vec<Arc<AgentEntry>> {
        self.read(|known| known.agents.values().cloned().collect())
    }

    /// All trunks, by id.
    pub fn trunks(&self) -> Vec<Arc<TrunkEntry>> {
        self.read(|known| known.trunks.values().cloned().collect())
    }

    /// The last session of an agent, and whether it is still open.
    pub fn session(&self, agent: AgentId) -> Option<(SessionId, bool)> {
        self.read(|known| known.sessions.get(&agent).copied())
    }
}

async fn follow(
    feed: Feed,
    known: Arc<RwLock<Known>>,
    mut position: Position,
    seen: watch::Sender<Position>,
) {
    loop {
        feed.wait_beyond(position).await;
        match feed.read(position, BATCH_MAX).await {
            Ok(entries) => {
                let Some(last) = entries.last() else { continue };
                position = last.recorded.position;
                {
                    let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
                    for entry in &entries {
                        known.apply(&entry.fact);
                    }
                }
                seen.send_replace(position);
            }
            Err(error @ ReadError::Corrupt { .. }) => {
                tracing::error!(%error, "the directory stops here");
                return;
            }
            Err(error @ ReadError::Unavailable(_)) => {
                tracing::warn!(%error, "the directory will read again");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

impl Known {
    fn apply(&mut self, fact: &Fact) {
        match &fact.event {
            AnyEvent::Queue(id, queue::Event::Created { name, config }) => {
                self.put_queue(*id, name.clone(), 1, config.clone());
            }
            AnyEvent::Queue(
                id,
                queue::Event::Configured {
                    config_version,
                    config,
                },
            ) => {
                if let Some(name) = self.queues.get(id).map(|entry| entry.name.clone()) {
                    self.put_queue(*id, name, *config_version, config.clone());
                }
            }
            AnyEvent::Agent(id, agent::Event::Created { name, config }) => {
                self.agent_names.insert(name.to_lowercase(), *id);
                let entry = AgentEntry {
                    id: *id,
                    name: name.clone(),
                    config: config.clone(),
                };
                self.agents.insert(*id, Arc::new(entry));
            }
            AnyEvent::Agent(id, agent::Event::Configured { config, .. }) => {
                if let Some(entry) = self.agents.get_mut(id) {
                    Arc::make_mut(entry).config = config.clone();
                }
            }
            AnyEvent::Trunk(id, trunk::Event::Created { name, config }) => {
                let entry = TrunkEntry {
                    id: *id,
                    name: name.clone(),
                    config: config.clone(),
                };
                self.trunks.insert(*id, Arc::new(entry));
            }
            AnyEvent::Trunk(id, trunk::Event::Configured { config, .. }) => {
                if let Some(entry) = self.trunks.get_mut(id) {
                    Arc::make_mut(entry).config = config.clone();
                }
            }
            AnyEvent::Session(session, session::Event::LoggedIn { .. }) => {
                self.sessions.insert(session.agent, (*session, true));
            }
            AnyEvent::Session(session, session::Event::LoggedOut { .. }) => {
                self.sessions.insert(session.agent, (*session, false));
            }
            AnyEvent::Session(..)
            | AnyEvent::Call(..)
            | AnyEvent::Line(..)
            | AnyEvent::Device(..) => {}
        }
    }

    fn put_queue(&mut self, id: QueueId, name: String, config_version: u32, config: queue::Config) {
        self.addresses.retain(|_, queue| *queue != id);
        self.addresses.insert(name.to_lowercase(), id);
        for number in &config.numbers {
            self.addresses.insert(number.to_lowercase(), id);
        }
        self.queues.insert(
            id,
            Arc::new(QueueEntry {
                id,
                name,
                config_version,
                config,
            }),
        );
    }
}
