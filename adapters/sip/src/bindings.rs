//! Where the phones of agents are: in memory, and in the table `sip_bindings`
//! of the read store, so that a restart does not lose them.
//!
//! What changes the bindings of one agent holds [`Phones::turn_of`]: memory,
//! rows and record change in the same order then.

use crate::{
    registrar::{self, Binding, Bindings, Change, Registered, Registration, Removal},
    transport::{Flow, Transport},
};
use commands::ports::{ReadStore, Statement, StoreError, Value};
use domain::{device::Command, id::AgentId};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

const SELECT: &str = "SELECT agent, contact, uri, send_to, over_tcp, expires_at_ms, call_id, \
    cseq, q_milli FROM sip_bindings";

const DELETE: &str = "DELETE FROM sip_bindings WHERE agent = $1 AND contact = $2";

const INSERT: &str = "INSERT INTO sip_bindings (agent, contact, uri, send_to, over_tcp, \
    expires_at_ms, call_id, cseq, q_milli) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// How long a phone whose connection broke has to come back, in milliseconds.
const RECONNECT_MS: u64 = 5_000;

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
}

/// The table, with its copy in memory.
pub struct Phones {
    store: Arc<dyn ReadStore>,
    known: Mutex<HashMap<AgentId, Bindings>>,
    /// Rows that could not be written and are not as the memory is.
    unwritten: Mutex<HashMap<AgentId, BTreeSet<String>>>,
    /// As many as there are agents with phones.
    turns: Mutex<HashMap<AgentId, Arc<tokio::sync::Mutex<()>>>>,
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
    /// Reads them all; the first [`Phones::expire`] finds what has expired while
    /// nobody looked. A connection did not survive: its phone must come soon.
    ///
    /// # Errors
    /// When the read store can not be read.
    pub async fn load(store: Arc<dyn ReadStore>, now_ms: u64) -> Result<Self, StoreError> {
        let rows = store.query(SELECT, vec![]).await?;
        let mut known: HashMap<AgentId, Bindings> = HashMap::new();
        for (agent, contact, mut binding) in rows.into_iter().filter_map(row) {
            if binding.over_tcp {
                shorten(&mut binding, now_ms + RECONNECT_AFTER_RESTART_MS);
            }
            known.entry(agent).or_default().insert(contact, binding);
        }
        Ok(Self {
            store,
            known: Mutex::new(known),
            unwritten: Mutex::default(),
            turns: Mutex::default(),
        })
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

    /// An agent's bindings that have not expired.
    pub fn live(&self, agent: AgentId, now_ms: u64) -> Bindings {
        let mut bindings = self.lock().get(&agent).cloned().unwrap_or_default();
        bindings.retain(|_, binding| binding.expires_at_ms > now_ms);
        bindings
    }

    /// A connection is gone: so are its phones, if they do not register again
    /// within [`RECONNECT_MS`].
    pub fn connection_lost(&self, peer: SocketAddr, now_ms: u64) {
        let mut known = self.lock();
        let bindings = known.values_mut().flat_map(BTreeMap::values_mut);
        for binding in bindings.filter(|b| b.over_tcp && b.send_to == peer) {
            shorten(binding, now_ms.saturating_add(RECONNECT_MS));
        }
    }

    /// The phones of an agent that have not expired, best liked first.
    pub fn of(&self, agent: AgentId, now_ms: u64) -> Vec<Phone> {
        let known = self.lock();
        let mut live: Vec<&Binding> = known
            .get(&agent)
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter(|binding| binding.expires_at_ms > now_ms)
            .collect();
        live.sort_by_key(|binding| std::cmp::Reverse(binding.q_milli));
        live.into_iter()
            .map(|binding| Phone {
                uri: binding.uri.clone(),
                flow: Flow {
                    transport: match binding.over_tcp {
                        true => Transport::Tcp,
                        false => Transport::Udp,
                    },
                    peer: binding.send_to,
                },
            })
            .collect()
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
        let is_over = |bindings: &Bindings| bindings.values().any(|b| b.expires_at_ms <= now_ms);
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
            let parameters = vec![text(agent), Value::Text(key.clone())];
            statements.push(statement(DELETE, parameters));
            if let Some(binding) = bindings.and_then(|bindings| bindings.get(key)) {
                statements.push(statement(INSERT, values(agent, key, binding)));
            }
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

const fn statement(sql: &'static str, parameters: Vec<Value>) -> Statement {
    Statement {
        sql,
        parameters,
        must_touch: None,
    }
}

fn values(agent: AgentId, key: &str, binding: &Binding) -> Vec<Value> {
    vec![
        text(agent),
        Value::Text(key.to_owned()),
        Value::Text(binding.uri.clone()),
        text(binding.send_to),
        Value::Int(i64::from(binding.over_tcp)),
        int(binding.expires_at_ms),
        Value::Text(binding.call_id.clone()),
        Value::Int(i64::from(binding.cseq)),
        Value::Int(i64::from(binding.q_milli)),
    ]
}

fn text(value: impl ToString) -> Value {
    Value::Text(value.to_string())
}

fn int(value: u64) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A row; one that can not be read is left out, its phone registers again.
fn row(row: Vec<Value>) -> Option<(AgentId, String, Binding)> {
    let mut columns = row.into_iter();
    let agent = as_text(columns.next()?)?.parse().ok()?;
    let contact = as_text(columns.next()?)?;
    let binding = Binding {
        uri: as_text(columns.next()?)?,
        send_to: as_text(columns.next()?)?.parse().ok()?,
        over_tcp: as_int(columns.next()?)? != 0,
        expires_at_ms: u64::try_from(as_int(columns.next()?)?).ok()?,
        call_id: as_text(columns.next()?)?,
        cseq: u32::try_from(as_int(columns.next()?)?).ok()?,
        q_milli: u16::try_from(as_int(columns.next()?)?).ok()?,
    };
    Some((agent, contact, binding))
}

fn as_text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        Value::Null | Value::Int(_) | Value::Bytes(_) => None,
    }
}

fn as_int(value: Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(number),
        Value::Null | Value::Text(_) | Value::Bytes(_) => None,
    }
}
