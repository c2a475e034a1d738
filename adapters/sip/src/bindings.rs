//! Where the phones of agents are: in memory, and in the table `sip_bindings`
//! of the read store, so that a restart does not lose them.
//!
//! What changes the bindings of one agent holds [`Phones::turn_of`]: memory,
//! rows and record change in the same order then.

mod rows;

use crate::{
    registrar::{self, Binding, Bindings, Change, Registered, Registration, Removal},
    transport::{Flow, Transport},
};
use commands::ports::{ReadStore, Statement, StoreError};
use domain::{device::Command, id::AgentId};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

/// How long a phone whose connection broke has to come back, in milliseconds.
pub const RECONNECT_MS: u64 = 5_000;

/// How long a phone in a browser has whose WebSocket broke, in milliseconds: a proxy that
/// starts anew breaks those of all, and the libraries of browsers wait before they try.
const RECONNECT_WS_MS: u64 = 10_000;

/// How long a phone whose connection a restart broke has to come back, in
/// milliseconds: it does not hear of the restart before it sends.
const RECONNECT_AFTER_RESTART_MS: u64 = 60_000;

/// A phone that a call can be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// The Request-URI.
    pub uri: String,
    /// Where to send.
    pub flow: Flow,
    /// The node that must send it, because only its flow reaches the phone.
    pub through: Option<Arc<str>>,
}

/// The table, with its copy in memory.
pub struct Phones {
    store: Arc<dyn ReadStore>,
    /// This node's name, on a store that several nodes share.
    node: Option<Arc<str>>,
    known: Mutex<HashMap<AgentId, Bindings>>,
    /// Rows that could not be written and are not as the memory is.
    unwritten: Mutex<HashMap<AgentId, BTreeSet<String>>>,
    /// As many as there are agents with phones.
    turns: Mutex<HashMap<AgentId, Arc<tokio::sync::Mutex<()>>>>,
}

/// The bindings of all agents, as they are stored.
pub struct Everyones(Vec<rows::Stored>);

impl std::fmt::Debug for Everyones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Everyones").finish_non_exhaustive()
    }
}

/// The right to change one agent's bindings.
pub type Turn = tokio::sync::OwnedMutexGuard<()>;

/// What a REGISTER did, and how to undo it.
#[derive(Debug)]
pub struct Applied {
    /// What it did.
    pub done: Registered,
    before: Bindings,
}

impl std::fmt::Debug for Phones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phones").finish_non_exhaustive()
    }
}

impl Phones {
    /// Reads those that this node looks after: all, on a store that it has for
    /// itself; else its own and nobody's. The first [`Phones::expire`] finds
    /// what has expired while nobody looked. A connection did not survive: its
    /// phone must come soon.
    ///
    /// # Errors
    /// When the read store can not be read.
    pub async fn load(
        store: Arc<dyn ReadStore>,
        node: Option<Arc<str>>,
        now_ms: u64,
    ) -> Result<Self, StoreError> {
        let phones = Self {
            store,
            node,
            known: Mutex::default(),
            unwritten: Mutex::default(),
            turns: Mutex::default(),
        };
        let node = phones.node.clone();
        let stored = phones.everyones().await?;
        phones.adopt(stored, now_ms + RECONNECT_AFTER_RESTART_MS, |of| {
            node.is_none() || of.is_none() || of == node.as_deref()
        });
        Ok(phones)
    }

    /// The bindings of all agents at all nodes, as they are stored.
    ///
    /// # Errors
    /// When the read store can not be read.
    pub async fn everyones(&self) -> Result<Everyones, StoreError> {
        let (sql, parameters) = rows::select(None);
        let stored = self.store.query(sql, parameters).await?;
        Ok(Everyones(
            stored.into_iter().filter_map(rows::row).collect(),
        ))
    }

    /// Takes over what nodes have left behind that are not there any more. Their
    /// flows are gone: such a phone has `until_ms` to come to another node.
    /// Returns the agents whose phones they are.
    pub fn adopt(
        &self,
        stored: Everyones,
        until_ms: u64,
        is_ours: impl Fn(Option<&str>) -> bool,
    ) -> Vec<AgentId> {
        let mut agents = Vec::new();
        let mut known = self.lock();
        for row in stored.0 {
            let mut binding = row.binding;
            if !is_ours(binding.node.as_deref()) {
                continue;
            }
            let is_own = binding.node == self.node;
            let was_elsewhere = binding.node.take().is_some() && !is_own;
            if binding.transport.is_connection() || (binding.flow_bound && was_elsewhere) {
                shorten(&mut binding, until_ms);
            }
            if !is_own {
                // Written under this node's name with the next change.
                let mut unwritten = self.unwritten();
                let keys = unwritten.entry(row.agent).or_default();
                keys.insert(row.contact.clone());
            }
            known
                .entry(row.agent)
                .or_default()
                .insert(row.contact, binding);
            agents.push(row.agent);
        }
        agents
    }

    /// What other nodes have done to an agent's bindings, taken over into
    /// memory: who changes them needs it, and holds the turn.
    ///
    /// # Errors
    /// When the read store can not be read.
    pub async fn refresh(&self, agent: AgentId) -> Result<(), StoreError> {
        let stored = self.stored(agent).await?;
        let unwritten = self.unwritten().get(&agent).cloned().unwrap_or_default();
        let mut known = self.lock();
        let bindings = known.entry(agent).or_default();
        // Another node has let go of it, if the row is not still to be written.
        bindings.retain(|key, _| stored.contains_key(key) || unwritten.contains(key));
        for (key, binding) in stored {
            if binding.node.is_some() && binding.node != self.node {
                bindings.insert(key, binding);
            }
        }
        if bindings.is_empty() {
            known.remove(&agent);
        }
        Ok(())
    }

    async fn stored(&self, agent: AgentId) -> Result<Bindings, StoreError> {
        let (sql, parameters) = rows::select(Some(agent));
        let stored = self.store.query(sql, parameters).await?;
        let rows = stored.into_iter().filter_map(rows::row);
        Ok(rows.map(|row| (row.contact, row.binding)).collect())
    }

    /// The phones of an agent at all nodes, best liked first.
    ///
    /// # Errors
    /// When the read store can not be read.
    pub async fn everywhere(&self, agent: AgentId, now_ms: u64) -> Result<Vec<Phone>, StoreError> {
        let mut bindings = self.stored(agent).await?;
        bindings.retain(|_, binding| binding.node.is_some() && binding.node != self.node);
        for (key, binding) in self.live(agent, now_ms) {
            bindings.entry(key).or_insert(binding);
        }
        Ok(phones(bindings.values(), now_ms))
    }

    /// Waits for the turn to change an agent's bindings.
    pub async fn turn_of(&self, agent: AgentId) -> Turn {
        self.turn(agent).lock_owned().await
    }

    /// The turn to change an agent's bindings, if nobody has it.
    pub fn try_turn_of(&self, agent: AgentId) -> Option<Turn> {
        self.turn(agent).try_lock_owned().ok()
    }

    fn turn(&self, agent: AgentId) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(agent).or_default().clone()
    }

    /// Every agent with bindings.
    pub fn agents(&self) -> Vec<AgentId> {
        self.lock().keys().copied().collect()
    }

    /// An agent's bindings at this node that have not expired.
    pub fn live(&self, agent: AgentId, now_ms: u64) -> Bindings {
        let mut bindings = self.lock().get(&agent).cloned().unwrap_or_default();
        bindings.retain(|_, binding| binding.node.is_none() && binding.expires_at_ms > now_ms);
        bindings
    }

    /// A connection is gone: so are its phones, if they do not register again
    /// within [`RECONNECT_MS`], or over a WebSocket in twice that time.
    pub fn connection_lost(&self, flow: Flow, now_ms: u64) {
        let time_ms = match flow.transport {
            Transport::Ws => RECONNECT_WS_MS,
            Transport::Udp | Transport::Tcp => RECONNECT_MS,
        };
        let mut known = self.lock();
        let bindings = known.values_mut().flat_map(BTreeMap::values_mut);
        for binding in bindings.filter(|b| is_over(b, flow)) {
            shorten(binding, now_ms.saturating_add(time_ms));
        }
    }

    /// The connections to this node that phones are registered over.
    pub fn connections(&self) -> HashSet<Flow> {
        let known = self.lock();
        let bindings = known.values().flat_map(BTreeMap::values);
        let here = bindings.filter(|binding| is_over(binding, binding.flow()));
        here.map(Binding::flow).collect()
    }

    /// The phones of an agent at this node that have not expired, best liked
    /// first.
    pub fn of(&self, agent: AgentId, now_ms: u64) -> Vec<Phone> {
        phones(self.live(agent, now_ms).values(), now_ms)
    }

    /// Applies a REGISTER in memory. Write what changed with [`Phones::save`]
    /// before it is answered, or take it back with [`Phones::restore`].
    ///
    /// # Errors
    /// Why it is refused; nothing has changed then.
    pub fn register(
        &self,
        agent: AgentId,
        request: &Registration<'_>,
    ) -> Result<Applied, registrar::Error> {
        let mut known = self.lock();
        let before = known.get(&agent).cloned().unwrap_or_default();
        let done = registrar::register(&before, request)?;
        known.insert(agent, done.bindings.clone());
        Ok(Applied { done, before })
    }

    /// Takes back what a REGISTER added or prolonged: it could not be stored,
    /// so its phone is told to come again, which must be the same as new. What
    /// it removed is in the record and stays removed.
    pub fn restore(&self, agent: AgentId, applied: &Applied) {
        let removed: HashSet<&str> = applied
            .done
            .changes
            .iter()
            .filter_map(|change| match change {
                Change::Removed(key, _) => Some(key.as_str()),
                Change::Added(_) | Change::Refreshed(_) => None,
            })
            .collect();
        let mut known = self.lock();
        let bindings = known.entry(agent).or_default();
        for change in &applied.done.changes {
            let (Change::Added(key) | Change::Refreshed(key)) = change else {
                continue;
            };
            let before = applied.before.get(key);
            match before.filter(|_| !removed.contains(key.as_str())) {
                Some(binding) => bindings.insert(key.clone(), binding.clone()),
                None => bindings.remove(key),
            };
        }
    }

    /// Agents of whom a binding has expired.
    pub fn expired(&self, now_ms: u64) -> Vec<AgentId> {
        let is_over = |bindings: &Bindings| {
            let mut own = bindings.values().filter(|b| b.node.is_none());
            own.any(|b| b.expires_at_ms <= now_ms)
        };
        let known = self.lock();
        let over = known.iter().filter(|(_, bindings)| is_over(bindings));
        over.map(|(agent, _)| *agent).collect()
    }

    /// Takes out what has expired of one agent. Write it with [`Phones::save`]
    /// once it is recorded.
    pub fn expire(&self, agent: AgentId, now_ms: u64) -> Vec<Change> {
        let mut known = self.lock();
        let Some(bindings) = known.get_mut(&agent) else {
            return vec![];
        };
        let (left, changes) = registrar::expire(bindings, now_ms);
        *bindings = left;
        if bindings.is_empty() {
            known.remove(&agent);
        }
        changes
    }

    /// Writes what changed for one agent, in one transaction, and what an
    /// earlier fault has left to be written.
    ///
    /// # Errors
    /// When the read store can not be written; it is left for the next time.
    pub async fn save(&self, agent: AgentId, changes: &[Change]) -> Result<(), StoreError> {
        let mut keys = self.unwritten().remove(&agent).unwrap_or_default();
        keys.extend(changes.iter().map(|change| change.key().to_owned()));
        if keys.is_empty() {
            return Ok(());
        }
        let saved = self.store.transact(self.rows(agent, &keys)).await;
        if saved.is_err() {
            self.unwritten().entry(agent).or_default().extend(keys);
        }
        saved
    }

    /// Agents whose rows are not as they should be, for want of a store.
    pub fn agents_unwritten(&self) -> Vec<AgentId> {
        self.unwritten().keys().copied().collect()
    }

    fn rows(&self, agent: AgentId, keys: &BTreeSet<String>) -> Vec<Statement> {
        let known = self.lock();
        let bindings = known.get(&agent);
        let mut statements = Vec::new();
        for key in keys {
            let binding = bindings.and_then(|bindings| bindings.get(key));
            if binding.is_some_and(|binding| binding.node.is_some()) {
                // Another node looks after it by now.
                continue;
            }
            rows::replace(agent, key, binding, self.node.as_ref(), &mut statements);
        }
        statements
    }

    fn unwritten(&self) -> MutexGuard<'_, HashMap<AgentId, BTreeSet<String>>> {
        let unwritten = self.unwritten.lock();
        unwritten.unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AgentId, Bindings>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a binding is reached over that connection to this node.
fn is_over(binding: &Binding, flow: Flow) -> bool {
    flow.transport.is_connection() && binding.flow() == flow && binding.node.is_none()
}

fn phones<'a>(bindings: impl Iterator<Item = &'a Binding>, now_ms: u64) -> Vec<Phone> {
    let mut live: Vec<&Binding> = bindings
        .filter(|binding| binding.expires_at_ms > now_ms)
        .collect();
    live.sort_by_key(|binding| std::cmp::Reverse(binding.q_milli));
    live.into_iter()
        .map(|binding| Phone {
            uri: binding.uri.clone(),
            flow: binding.flow(),
            through: binding.node.clone().filter(|_| binding.flow_bound),
        })
        .collect()
}

fn shorten(binding: &mut Binding, until_ms: u64) {
    binding.expires_at_ms = binding.expires_at_ms.min(until_ms);
}

/// The command that brings a change into the record. A refresh is told, too:
/// it is an event only if the record has lost the binding.
pub fn command(agent: AgentId, change: &Change, transport: Transport) -> Command {
    let binding = binding_id(agent, change.key());
    match change {
        Change::Added(_) | Change::Refreshed(_) => Command::RecordRegistered {
            agent,
            binding,
            transport: transport.to_string().to_lowercase(),
        },
        Change::Removed(_, Removal::Deregistered | Removal::Displaced) => {
            Command::RecordDeregistered { binding }
        }
        Change::Removed(_, Removal::Expired) => Command::ExpireBinding { binding },
    }
}

/// The id of a binding in the record: the same contact of the same agent is
/// the same binding.
pub fn binding_id(agent: AgentId, key: &str) -> Uuid {
    Uuid::new_v5(&agent.0, key.as_bytes())
}
