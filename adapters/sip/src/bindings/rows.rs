//! Bindings as rows: the table `sip_bindings`, and `sip_binding_nodes` beside it
//! on a store that several nodes share.

use crate::{registrar::Binding, transport::Transport};
use commands::ports::{Statement, Value};
use domain::id::AgentId;
use std::sync::Arc;

const SELECT: &str = "SELECT b.agent, b.contact, b.uri, b.send_to, b.over_tcp, b.expires_at_ms, \
    b.call_id, b.cseq, b.q_milli, b.over_ws, n.node, n.flow_bound \
    FROM sip_bindings b LEFT JOIN sip_binding_nodes n \
    ON n.agent = b.agent AND n.contact = b.contact";

const SELECT_OF: &str = "SELECT b.agent, b.contact, b.uri, b.send_to, b.over_tcp, \
    b.expires_at_ms, b.call_id, b.cseq, b.q_milli, b.over_ws, n.node, n.flow_bound \
    FROM sip_bindings b LEFT JOIN sip_binding_nodes n \
    ON n.agent = b.agent AND n.contact = b.contact WHERE b.agent = $1";

const DELETE: &str = "DELETE FROM sip_bindings WHERE agent = $1 AND contact = $2";

const INSERT: &str = "INSERT INTO sip_bindings (agent, contact, uri, send_to, over_tcp, \
    expires_at_ms, call_id, cseq, q_milli, over_ws) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

const DELETE_NODE: &str = "DELETE FROM sip_binding_nodes WHERE agent = $1 AND contact = $2";

const INSERT_NODE: &str = "INSERT INTO sip_binding_nodes (agent, contact, node, flow_bound) \
    VALUES ($1, $2, $3, $4)";

/// A stored binding; `node` in it is whoever looks after it.
pub(super) struct Stored {
    pub(super) agent: AgentId,
    pub(super) contact: String,
    pub(super) binding: Binding,
}

/// The query for all, or for those of one agent.
pub(super) fn select(agent: Option<AgentId>) -> (&'static str, Vec<Value>) {
    match agent {
        None => (SELECT, vec![]),
        Some(agent) => (SELECT_OF, vec![text(agent)]),
    }
}

/// Statements that make the rows of one contact as they should be. `node` is
/// this node on a store that several share.
pub(super) fn replace(
    agent: AgentId,
    key: &str,
    binding: Option<&Binding>,
    node: Option<&Arc<str>>,
    into: &mut Vec<Statement>,
) {
    let found = || vec![text(agent), Value::Text(key.to_owned())];
    into.push(statement(DELETE, found()));
    if node.is_some() {
        into.push(statement(DELETE_NODE, found()));
    }
    let Some(binding) = binding else { return };
    into.push(statement(INSERT, values(agent, key, binding)));
    if let Some(node) = node {
        let mut values = found();
        values.push(Value::Text(node.to_string()));
        values.push(Value::Int(i64::from(binding.flow_bound)));
        into.push(statement(INSERT_NODE, values));
    }
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
        Value::Int(i64::from(binding.transport.is_connection())),
        int(binding.expires_at_ms),
        Value::Text(binding.call_id.clone()),
        Value::Int(i64::from(binding.cseq)),
        Value::Int(i64::from(binding.q_milli)),
        Value::Int(i64::from(binding.transport == Transport::Ws)),
    ]
}

fn text(value: impl ToString) -> Value {
    Value::Text(value.to_string())
}

fn int(value: u64) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX))
}

/// A row; one that can not be read is left out, its phone registers again.
pub(super) fn row(row: Vec<Value>) -> Option<Stored> {
    let mut columns = row.into_iter();
    let agent = as_text(columns.next()?)?.parse().ok()?;
    let contact = as_text(columns.next()?)?;
    let mut binding = Binding {
        uri: as_text(columns.next()?)?,
        send_to: as_text(columns.next()?)?.parse().ok()?,
        transport: match as_int(columns.next()?)? {
            0 => Transport::Udp,
            _ => Transport::Tcp,
        },
        expires_at_ms: u64::try_from(as_int(columns.next()?)?).ok()?,
        call_id: as_text(columns.next()?)?,
        cseq: u32::try_from(as_int(columns.next()?)?).ok()?,
        q_milli: u16::try_from(as_int(columns.next()?)?).ok()?,
        flow_bound: true,
        node: None,
    };
    if as_int(columns.next()?)? != 0 {
        binding.transport = Transport::Ws;
    }
    // Without a row of its own it is nobody's yet.
    binding.node = columns.next().and_then(as_text).map(Arc::from);
    if let Some(flow_bound) = columns.next().and_then(as_int) {
        binding.flow_bound = flow_bound != 0;
    }
    Some(Stored {
        agent,
        contact,
        binding,
    })
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
