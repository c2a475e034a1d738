//! Who is who now: queues by name and number, agents, trunks, current
//! sessions. A fold of the feed in memory, for those who must resolve a name
//! before they can command: the SIP adapter, provisioning, the API.
//!
//! A row of the read store keeps it between runs, so that a start does not read
//! the whole log. The row is a cache: without it the log is read from the first
//! event.

use crate::{
    feed::Feed,
    ports::{Position, ReadError, ReadStore, Statement, Value},
};
use domain::{
    agent,
    any::{AnyEvent, Fact},
    id::{AgentId, MailboxId, QueueId, SessionId, TrunkId},
    mailbox, queue, session,
    time::Timestamp,
    trunk,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// Events taken from the feed at once.
const BATCH_MAX: usize = 1_000;
/// The row's name among those of the processes.
const ROW: &str = "directory";
/// Counts the changes of the row's form and of the rules that fill it.
const VERSION: i64 = 3;
/// A change is kept this often at most.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// The position alone is kept after so many events: a start reads no more.
const SAVE_AFTER_EVENTS: u64 = 10_000;

const SELECT: &str = "SELECT version, position, state FROM es_processes WHERE name = $1";
const UPSERT: &str = "INSERT INTO es_processes (name, version, position, state) \
     VALUES ($1, $2, $3, $4) \
     ON CONFLICT (name) DO UPDATE SET version = excluded.version, \
     position = excluded.position, state = excluded.state";

/// A queue as it is configured now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentEntry {
    /// Its id.
    pub id: AgentId,
    /// Its name: user part of its SIP address.
    pub name: String,
    /// What can change.
    pub config: agent::Config,
}

/// A trunk as it is configured now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrunkEntry {
    /// Its id.
    pub id: TrunkId,
    /// Its name.
    pub name: String,
    /// What can change.
    pub config: trunk::Config,
}

/// A mailbox as it is configured now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MailboxEntry {
    /// Its id.
    pub id: MailboxId,
    /// Its name.
    pub name: String,
    /// What can change.
    pub config: mailbox::Config,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    queues: BTreeMap<QueueId, Arc<QueueEntry>>,
    /// What people have said of their doors.
    hands: BTreeMap<QueueId, queue::Hand>,
    /// Lower-case name or number to queue.
    addresses: HashMap<String, QueueId>,
    agents: BTreeMap<AgentId, Arc<AgentEntry>>,
    agent_names: HashMap<String, AgentId>,
    trunks: BTreeMap<TrunkId, Arc<TrunkEntry>>,
    mailboxes: BTreeMap<MailboxId, Arc<MailboxEntry>>,
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
        Self::fold(feed, Known::default(), Position::default(), None).await
    }

    /// The same from where its row in the store says, and keeps that row.
    ///
    /// # Errors
    /// When the log can not be read.
    pub async fn kept(feed: Feed, store: Arc<dyn ReadStore>) -> Result<Self, ReadError> {
        let (known, position) = match load(store.as_ref()).await {
            // A row that is ahead is of another log: this one was put back.
            Some((known, position)) if position <= feed.head() => (known, position),
            Some(_) | None => (Known::default(), Position::default()),
        };
        let keeper = Keeper {
            store,
            saved: position,
            saved_at: Instant::now(),
            changed: false,
        };
        Self::fold(feed, known, position, Some(keeper)).await
    }

    async fn fold(
        feed: Feed,
        mut known: Known,
        mut position: Position,
        mut keeper: Option<Keeper>,
    ) -> Result<Self, ReadError> {
        loop {
            let entries = feed.read(position, BATCH_MAX).await?;
            let Some(last) = entries.last() else { break };
            position = last.recorded.position;
            for entry in &entries {
                known.apply(&entry.fact);
            }
        }
        if let Some(keeper) = &mut keeper
            && keeper.saved < position
        {
            keeper.save(known.text(), position).await;
        }
        let known = Arc::new(RwLock::new(known));
        let (seen, position_seen) = watch::channel(position);
        tokio::spawn(follow(feed, known.clone(), position, seen, keeper));
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

    /// Whether the queue takes calls at that instant; none if there is no such queue.
    pub fn is_open(&self, id: QueueId, at: Timestamp) -> Option<bool> {
        self.read(|known| {
            let hand = known.hands.get(&id).copied();
            let entry = known.queues.get(&id)?;
            Some(entry.config.is_open(hand, at))
        })
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

    /// Where a number that is dialled here leads outside, if a trunk says so.
    pub fn forward(&self, number: &str) -> Option<String> {
        self.read(|known| {
            let forwards = known.trunks.values().flat_map(|t| &t.config.forwards);
            let mut leading = forwards.filter(|f| f.number.eq_ignore_ascii_case(number));
            leading.next().map(|forward| forward.to.clone())
        })
    }

    /// All trunks, by id.
    pub fn trunks(&self) -> Vec<Arc<TrunkEntry>> {
        self.read(|known| known.trunks.values().cloned().collect())
    }

    /// The mailbox of that id.
    pub fn mailbox(&self, id: MailboxId) -> Option<Arc<MailboxEntry>> {
        self.read(|known| known.mailboxes.get(&id).cloned())
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
    mut keeper: Option<Keeper>,
) {
    loop {
        let due = keeper.as_ref().and_then(Keeper::due);
        tokio::select! {
            biased;
            () = feed.wait_beyond(position) => {}
            () = feed.ended() => return,
            () = due_at(due) => {
                if let Some(keeper) = &mut keeper {
                    let text = known.read().unwrap_or_else(PoisonError::into_inner).text();
                    keeper.save(text, position).await;
                }
                continue;
            }
        }
        match feed.read(position, BATCH_MAX).await {
            Ok(entries) => {
                let Some(last) = entries.last() else { continue };
                position = last.recorded.position;
                let mut changed = false;
                {
                    let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
                    for entry in &entries {
                        changed |= known.apply(&entry.fact);
                    }
                }
                seen.send_replace(position);
                if let Some(keeper) = &mut keeper {
                    keeper.changed |= changed;
                    if position.0 - keeper.saved.0 >= SAVE_AFTER_EVENTS {
                        keeper.changed = true;
                    }
                }
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

/// The row of the last run; none when it is of another form or can not be read:
/// the log has everything.
async fn load(store: &dyn ReadStore) -> Option<(Known, Position)> {
    let rows = match store.query(SELECT, vec![Value::Text(ROW.into())]).await {
        Ok(rows) => rows,
        Err(error) => {
            tracing::warn!(%error, "the directory's row was not read: the log is");
            return None;
        }
    };
    match rows.first().map(Vec::as_slice) {
        Some(
            [
                Value::Int(VERSION),
                Value::Int(position),
                Value::Text(state),
            ],
        ) => {
            let known = serde_json::from_str(state)
                .inspect_err(|error| {
                    tracing::warn!(%error, "the directory's row is of another form: the log is read");
                })
                .ok()?;
            Some((known, Position(u64::try_from(*position).ok()?)))
        }
        Some(_) | None => None,
    }
}

/// Keeps the row.
struct Keeper {
    store: Arc<dyn ReadStore>,
    saved: Position,
    saved_at: Instant,
    /// Whether there is something to keep.
    changed: bool,
}

impl Keeper {
    /// When it is time to keep the row, if there is a reason to.
    fn due(&self) -> Option<Instant> {
        self.changed.then(|| self.saved_at + SAVE_EVERY)
    }

    async fn save(&mut self, state: String, position: Position) {
        let statement = Statement {
            sql: UPSERT,
            parameters: vec![
                Value::Text(ROW.into()),
                Value::Int(VERSION),
                Value::Int(i64::try_from(position.0).unwrap_or(i64::MAX)),
                Value::Text(state),
            ],
            must_touch: None,
        };
        self.saved_at = Instant::now();
        match self.store.transact(vec![statement]).await {
            Ok(()) => {
                self.saved = position;
                self.changed = false;
            }
            // It stays due.
            Err(error) => tracing::warn!(%error, "the directory's row was not kept"),
        }
    }
}

async fn due_at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl Known {
    fn text(&self) -> String {
        serde_json::to_string(self).expect("entries are plain data: maps with string-like keys")
    }

    /// Whether the event has changed anything.
    #[allow(
        clippy::too_many_lines,
        reason = "an arm for each event that names something, and nothing else"
    )]
    fn apply(&mut self, fact: &Fact) -> bool {
        match &fact.event {
            AnyEvent::Queue(
                id,
                event @ (queue::Event::Created { .. } | queue::Event::Configured { .. }),
            ) => {
                let known = self.queues.get(id).map(|entry| entry.name.clone());
                let name = event.made().map(str::to_owned).or(known);
                if let Some(((version, config), name)) = event.configured().zip(name) {
                    self.put_queue(*id, name, version, config.clone());
                }
            }
            AnyEvent::Queue(id, queue::Event::Deleted { .. }) => {
                self.addresses.retain(|_, queue| queue != id);
                self.queues.remove(id);
                self.hands.remove(id);
            }
            AnyEvent::Queue(
                id,
                event @ (queue::Event::Opened { .. }
                | queue::Event::Closed { .. }
                | queue::Event::HoursFollowed { .. }),
            ) => match event.hand().flatten() {
                Some(hand) => _ = self.hands.insert(*id, hand),
                None => _ = self.hands.remove(id),
            },
            AnyEvent::Queue(
                _,
                queue::Event::MemberPaused { .. } | queue::Event::MemberUnpaused { .. },
            ) => return false,
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
            AnyEvent::Mailbox(id, mailbox::Event::Created { name, config }) => {
                let entry = MailboxEntry {
                    id: *id,
                    name: name.clone(),
                    config: config.clone(),
                };
                self.mailboxes.insert(*id, Arc::new(entry));
            }
            AnyEvent::Mailbox(id, mailbox::Event::Configured { config }) => {
                if let Some(entry) = self.mailboxes.get_mut(id) {
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
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Device(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Mailbox(..)
            | AnyEvent::Billing(..) => return false,
        }
        true
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
