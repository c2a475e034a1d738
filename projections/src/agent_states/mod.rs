//! Agents and what they are doing: the live board of the floor.

mod apply;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use apply::shown_name;
pub use row::*;
pub use store::*;

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt},
};
use commands::ports::Value;
use domain::{
    any::Fact,
    id::{AgentId, SubjectId},
};
use std::sync::Arc;

/// See the module.
#[derive(Debug)]
pub struct AgentStates;

impl projection::Row for Row {
    fn position(&self) -> u64 {
        self.position
    }
    fn values(&self) -> Vec<Value> {
        Row::values(self)
    }
    fn read(_table: usize, columns: &mut Columns) -> Result<Self, Corrupt> {
        Row::read(columns)
    }
    fn forget(&mut self, subject: SubjectId, position: u64) -> Effect {
        if !Row::forget(self, subject) {
            return Effect::Kept;
        }
        self.position = position;
        Effect::Changed
    }
}

impl Projection for AgentStates {
    const NAME: &'static str = "agent_states";
    const VERSION: u32 = 7;
    const TABLES: &'static [Table] = &[Table {
        name: "agent_states",
        key: "agent_id",
        columns: row::COLUMNS,
        personal: Personal::Rows,
    }];
    const ROWS_CACHED_MAX: usize = 16_384;
    type Key = AgentId;
    type Row = Row;

    fn key(fact: &Fact) -> Option<AgentId> {
        apply::key(fact)
    }
    fn key_value(key: &AgentId) -> Value {
        crate::value::text(key)
    }
    fn creates(_fact: &Fact) -> bool {
        false
    }
    fn key_of(row: &Row) -> AgentId {
        row.agent
    }
    fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(key: &AgentId, row: Option<&Row>) -> Option<Change> {
        Some(Change::AgentState(*key, row.cloned().map(Arc::new)))
    }
}
