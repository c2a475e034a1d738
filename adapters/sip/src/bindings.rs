//! Where the phones of agents are: in memory, and in the table `sip_bindings`
//! of the read store, so that a restart does not lose them.

use crate::{
    registrar::{self, Binding, Bindings, Change, Registered, Registration},
    transport::{Flow, Transport},
};
use commands::ports::{ReadStore, Statement, StoreError, Value};
use domain::id::AgentId;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use uuid::Uuid;

const SELECT: &str = "SELECT agent, contact, uri, send_to, over_tcp, expires_at_ms, call_id, \
    cseq, q_milli FROM sip_bindings";

const DELETE: &str = "DELETE FROM sip_bindings WHERE agent = $1 AND contact = $2";

const INSERT: &str = "INSERT INTO sip_bindings (agent, contact, uri, send_to, over_tcp, \
    expires_at_ms, call_id, cseq, q_milli) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

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
}

impl std::fmt::Debug for Phones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phones").finish_non_exhaustive()
    }
}

impl Phones {
    /// Reads them all; the first [`Phones::expire`] finds what has expired while
    /// nobody looked.
    ///
    /// # Errors
    /// When the read store can not be read.
    pub async fn load(store: Arc<dyn ReadStore>) -> Result<Self, StoreError> {
        let rows = store.query(SELECT, vec![]).await?;
        let mut known: HashMap<AgentId, Bindings> = HashMap::new();
        for (agent, contact, binding) in rows.into_iter().filter_map(row) {
            known.entry(agent).or_default().insert(contact, binding);
        }
        Ok(Self {
            store,
            known: Mutex::new(known),
        })
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
    /// before it is answered.
    ///
    /// # Errors
    /// Why it is refused; nothing has changed then.
    pub fn register(
        &self,
        agent: AgentId,
        request: &Registration<'_>,
    ) -> Result<Registered, registrar::Error> {
        let mut known = self.lock();
        let before = known.entry(agent).or_default();
        let done = registrar::register(before, request)?;
        before.clone_from(&done.bindings);
        Ok(done)
    }

    /// Takes out what has expired, with its owner.
    pub fn expire(&self, now_ms: u64) -> Vec<(AgentId, Vec<Change>)> {
        let mut known = self.lock();
        let mut gone = Vec::new();
        known.retain(|agent, bindings| {
            if bindings.values().any(|b| b.expires_at_ms <= now_ms) {
                let (left, changes) = registrar::expire(bindings, now_ms);
                *bindings = left;
                gone.push((*agent, changes));
            }
            !bindings.is_empty()
        });
        gone
    }

    /// Writes what changed for one agent, in one transaction.
    ///
    /// # Errors
    /// When the read store can not be written.
    pub async fn save(&self, agent: AgentId, changes: &[Change]) -> Result<(), StoreError> {
        let mut statements = Vec::new();
        {
            let known = self.lock();
            let bindings = known.get(&agent);
            for change in changes {
                let key = match change {
                    Change::Added(key) | Change::Refreshed(key) | Change::Removed(key, _) => key,
                };
                let parameters = vec![text(agent), Value::Text(key.clone())];
                statements.push(statement(DELETE, parameters));
                let kept = bindings.and_then(|bindings| bindings.get(key));
                if let Some(binding) = kept {
                    statements.push(statement(INSERT, values(agent, key, binding)));
                }
            }
        }
        if statements.is_empty() {
            return Ok(());
        }
        self.store.transact(statements).await
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AgentId, Bindings>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
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
