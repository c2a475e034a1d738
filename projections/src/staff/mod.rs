//! Who was there for which queue when: logins, and which queues each agent served since
//! when. What reports count the staff of a queue from.

mod apply;
mod row;
mod store;
#[cfg(test)]
mod tests;

pub use row::{Entry, Key, Login, Serves};
pub(crate) use store::{logins, served};

use crate::{
    changed::Change,
    projection::{self, Effect, Input, Projection},
    table::{Personal, Table},
    value::{Columns, Corrupt},
};
use commands::ports::Value;
use domain::{
    any::{AnyEvent, Fact},
    session::Event,
};

/// See the module.
#[derive(Debug)]
pub struct Staff;

impl projection::Row for Entry {
    fn position(&self) -> u64 {
        match self {
            Self::Login(login) => login.position,
            Self::Serves(serves) => serves.position,
        }
    }
    fn table(&self) -> usize {
        match self {
            Self::Login(_) => 0,
            Self::Serves(_) => 1,
        }
    }
    fn values(&self) -> Vec<Value> {
        match self {
            Self::Login(login) => login.values(),
            Self::Serves(serves) => serves.values(),
        }
    }
    fn read(table: usize, columns: &mut Columns) -> Result<Self, Corrupt> {
        Ok(match table {
            0 => Self::Login(Login::read(columns)?),
            _ => Self::Serves(Serves::read(columns)?),
        })
    }
}

impl Projection for Staff {
    const NAME: &'static str = "staff";
    const VERSION: u32 = 1;
    const TABLES: &'static [Table] = &[
        Table {
            name: "logins",
            key: "entry",
            columns: row::LOGIN_COLUMNS,
            personal: Personal::Nothing,
        },
        Table {
            name: "served_queues",
            key: "entry",
            columns: row::SERVES_COLUMNS,
            personal: Personal::Nothing,
        },
    ];
    const ROWS_CACHED_MAX: usize = 1_024;
    const SHOWS_PEOPLE: bool = false;
    type Key = Key;
    type Row = Entry;

    fn key(fact: &Fact) -> Option<Key> {
        apply::key(fact)
    }
    fn key_value(key: &Key) -> Value {
        crate::value::text(key)
    }
    fn creates(fact: &Fact) -> bool {
        matches!(
            &fact.event,
            AnyEvent::Agent(..) | AnyEvent::Session(_, Event::LoggedIn { .. })
        )
    }
    fn key_of(row: &Entry) -> Key {
        row.key()
    }
    fn apply(row: &mut Option<Entry>, input: &Input<'_>) -> Effect {
        apply::apply(row, input)
    }
    fn changed(_key: &Key, _row: Option<&Entry>) -> Option<Change> {
        None
    }
}
