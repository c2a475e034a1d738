//! A board at one place in the record. Personal values stay sealed in it: they
//! are opened when they are shown, so that an erased person is gone from the
//! past too.

use crate::{
    agent_states::{self, AgentStates, State},
    erasures::erasure,
    live_calls::{self, LiveCalls},
    page::{Cursor, Page, Slice, cut},
    projection::{Input, Projection, Row as _, fold},
    queue_stats::{self, QueueStats},
    runner::sealed,
    trunks::{self, Trunks},
    value::{Columns, Corrupt},
};
use commands::ports::{Position, Value};
use domain::{
    any::{AnyEvent, Fact},
    call,
    id::{AgentId, CallId, QueueId, SubjectId, TrunkId},
    sealed::{Party, Sealed},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The rows of one projection.
#[derive(Debug)]
struct Rows<P: Projection>(BTreeMap<P::Key, P::Row>);

impl<P: Projection> Default for Rows<P> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<P: Projection> Clone for Rows<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Projection> Rows<P> {
    fn apply(&mut self, fact: &Fact) {
        let Some(key) = P::key(fact) else { return };
        let mut row = self.0.remove(&key);
        fold::<P>(&mut row, &Input { fact, party: None });
        self.0.extend(row.map(|row| (key, row)));
    }

    /// Every row knows that the person was forgotten, as the live rows do.
    fn forget(&mut self, subject: SubjectId, position: u64) {
        for row in self.0.values_mut() {
            row.forget(subject, position);
        }
    }

    fn write(&self) -> Vec<Vec<Json>> {
        let rows = self.0.values();
        rows.map(|row| row.values().into_iter().map(json).collect())
            .collect()
    }

    fn read(rows: Vec<Vec<Json>>) -> Result<Self, Corrupt> {
        let rows = rows.into_iter().map(|row| {
            let values = row.into_iter().map(value).collect();
            let row = P::Row::read(0, &mut Columns::new(values))?;
            Ok((P::key_of(&row), row))
        });
        rows.collect::<Result<_, Corrupt>>().map(Self)
    }
}

/// A column; the rows of a board hold no bytes.
fn json(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Bytes(bytes) => bytes.into(),
    }
}

fn value(json: Json) -> Value {
    match json {
        Json::Number(number) => number.as_i64().map_or(Value::Null, Value::Int),
        Json::String(text) => Value::Text(text),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => Value::Null,
    }
}

/// A board as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    calls: Vec<Vec<Json>>,
    agents: Vec<Vec<Json>>,
    queues: Vec<Vec<Json>>,
    trunks: Vec<Vec<Json>>,
    callers: Vec<(CallId, Sealed<Party>)>,
    people: Vec<(AgentId, Sealed<Party>)>,
    user_fields: Vec<(CallId, Sealed<Party>)>,
}

/// Calls in progress, agents, queues and trunks at one place in the record.
#[derive(Debug, Clone, Default)]
pub struct Board {
    position: u64,
    calls: Rows<LiveCalls>,
    agents: Rows<AgentStates>,
    queues: Rows<QueueStats>,
    trunks: Rows<Trunks>,
    /// Who is behind a call.
    callers: BTreeMap<CallId, Sealed<Party>>,
    /// Who is behind an agent.
    people: BTreeMap<AgentId, Sealed<Party>>,
    /// What is written about a call.
    user_fields: BTreeMap<CallId, Sealed<Party>>,
}

impl Board {
    /// It knows every event up to here.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The rules that its rows follow: a kept board of others is not used.
    pub(super) fn rules() -> String {
        format!(
            "1 {} {} {} {}",
            LiveCalls::VERSION,
            AgentStates::VERSION,
            QueueStats::VERSION,
            Trunks::VERSION
        )
    }

    /// There is nothing more up to this position.
    pub(super) fn reach(&mut self, position: Position) {
        self.position = self.position.max(position.0);
    }

    /// Folds the next event.
    pub(super) fn apply(&mut self, fact: &Fact) {
        if fact.position <= self.position {
            return;
        }
        self.position = fact.position;
        self.calls.apply(fact);
        self.agents.apply(fact);
        self.queues.apply(fact);
        self.trunks.apply(fact);
        if let Some(erasure) = erasure(fact) {
            self.calls.forget(erasure.subject, fact.position);
            self.agents.forget(erasure.subject, fact.position);
        }
        let party = sealed(fact).cloned();
        if let AnyEvent::Agent(agent, _) = &fact.event {
            match party {
                Some(party) => self.people.insert(*agent, party),
                None => self.people.remove(agent),
            };
        } else if let Some(call) = LiveCalls::key(fact) {
            match (&fact.event, party) {
                (AnyEvent::Call(_, call::Event::Tagged { user_field, .. }), party) => {
                    self.write_about(call, user_field.is_some(), party);
                }
                // The first is the caller; a later one is who is called.
                (_, Some(party)) => {
                    self.callers.entry(call).or_insert(party);
                }
                (_, None) => {}
            }
            if !self.calls.0.contains_key(&call) {
                self.callers.remove(&call);
                self.user_fields.remove(&call);
            }
        }
    }

    /// The text about a call, if something is said of it: this one, or none any more.
    fn write_about(&mut self, call: CallId, is_said: bool, party: Option<Sealed<Party>>) {
        match party {
            Some(party) => {
                self.user_fields.insert(call, party);
            }
            None if is_said => {
                self.user_fields.remove(&call);
            }
            None => {}
        }
    }

    pub(super) fn write(&self) -> String {
        let kept = Kept {
            calls: self.calls.write(),
            agents: self.agents.write(),
            queues: self.queues.write(),
            trunks: self.trunks.write(),
            callers: self.callers.clone().into_iter().collect(),
            people: self.people.clone().into_iter().collect(),
            user_fields: self.user_fields.clone().into_iter().collect(),
        };
        serde_json::to_string(&kept).expect("a board is plain data: lists of text and numbers")
    }

    pub(super) fn read(position: u64, text: &str) -> Result<Self, Corrupt> {
        let kept: Kept = serde_json::from_str(text).map_err(|error| Corrupt {
            column: 0,
            reason: error.to_string(),
        })?;
        Ok(Self {
            position,
            calls: Rows::read(kept.calls)?,
            agents: Rows::read(kept.agents)?,
            queues: Rows::read(kept.queues)?,
            trunks: Rows::read(kept.trunks)?,
            callers: kept.callers.into_iter().collect(),
            people: kept.people.into_iter().collect(),
            user_fields: kept.user_fields.into_iter().collect(),
        })
    }

    pub(super) fn caller(&self, call: CallId) -> Option<&Sealed<Party>> {
        self.callers.get(&call)
    }

    pub(super) fn user_field(&self, call: CallId) -> Option<&Sealed<Party>> {
        self.user_fields.get(&call)
    }

    pub(super) fn person(&self, agent: AgentId) -> Option<&Sealed<Party>> {
        self.people.get(&agent)
    }

    pub(super) fn live_call(&self, call: CallId) -> Option<&live_calls::Row> {
        self.calls.0.get(&call)
    }

    pub(super) fn agent(&self, agent: AgentId) -> Option<&agent_states::Row> {
        self.agents.0.get(&agent)
    }

    pub(super) fn live_calls(
        &self,
        filter: &live_calls::Filter,
        page: &Page,
    ) -> Slice<live_calls::Row> {
        let rows = self.calls.0.values().filter(|row| filter.matches(row));
        list(rows, live_calls::cursor, page)
    }

    pub(super) fn agents(
        &self,
        filter: &agent_states::Filter,
        page: &Page,
    ) -> Slice<agent_states::Row> {
        let rows = self.agents.0.values().filter(|row| filter.matches(row));
        list(rows, agent_states::cursor, page)
    }

    /// Queues by name, those that were there.
    pub fn queues(&self, page: &Page) -> Slice<queue_stats::Row> {
        let rows = self.queues.0.values();
        let rows = rows.filter(|row| row.deleted.is_none());
        list(rows, queue_stats::cursor, page)
    }

    /// The queue.
    pub fn queue(&self, queue: QueueId) -> Option<&queue_stats::Row> {
        self.queues.0.get(&queue)
    }

    /// The trunk.
    pub fn trunk(&self, trunk: TrunkId) -> Option<&trunks::Row> {
        self.trunks.0.get(&trunk)
    }

    /// The statistics of a queue, as they were at that instant.
    pub fn queue_now(&self, queue: QueueId, now: Timestamp) -> Option<queue_stats::Now> {
        let row = self.queue(queue)?.clone();
        let waits = |state| {
            matches!(
                state,
                live_calls::State::Waiting | live_calls::State::Offering
            )
        };
        let calls = self.calls.0.values();
        let since = calls
            .filter(|call| call.queue == Some(queue) && waits(call.state))
            .filter_map(|call| call.enqueued_at)
            .min();
        let mut agents = BTreeMap::<State, u32>::new();
        for agent in self.agents.0.values() {
            if agent.queues.contains(&queue) {
                *agents.entry(agent.state()).or_default() += 1;
            }
        }
        Some(queue_stats::Now {
            today: row.today(now),
            longest_waiting_since: since,
            longest_wait_ms: since.map(|since| now.ms_since(since)),
            agents,
            row,
        })
    }
}

/// A page of rows in the order of their cursors, as the tables would give it.
fn list<'a, R: Clone + 'a>(
    rows: impl Iterator<Item = &'a R>,
    cursor: impl Fn(&R) -> Cursor,
    page: &Page,
) -> Slice<R> {
    let mut rows: Vec<_> = rows.map(|row| (cursor(row), row)).collect();
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    let (limit, backwards) = match page {
        Page::First(limit, after) => {
            rows.retain(|(cursor, _)| after.as_ref().is_none_or(|after| cursor > after));
            (*limit, false)
        }
        Page::Last(limit, before) => {
            rows.retain(|(cursor, _)| before.as_ref().is_none_or(|before| cursor < before));
            rows.reverse();
            (*limit, true)
        }
    };
    let slice = cut(rows, limit.clamp(1, crate::page::PAGE_MAX), backwards);
    Slice {
        has_more: slice.has_more,
        rows: slice
            .rows
            .into_iter()
            .map(|(cursor, row)| (cursor, row.clone()))
            .collect(),
    }
}
