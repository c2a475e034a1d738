//! What a projection is: pure functions from facts to rows, and the names of
//! its columns.

use crate::{
    changed::Change,
    table::Table,
    value::{Columns, Corrupt},
};
use commands::ports::Value;
use domain::{any::Fact, id::SubjectId, sealed::Party};
use std::{fmt, hash::Hash};

/// A fact, with the personal value that it carries opened by the vault before:
/// folding stays pure.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// What happened.
    pub fact: &'a Fact,
    /// The party in it; none if it has none or the subject's key was destroyed.
    pub party: Option<&'a Party>,
}

/// What a fact did to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: the row stays as it is stored.
    Kept,
    /// The row was made, changed or taken away.
    Changed,
}

/// A row of a read model.
pub trait Row: Clone + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// Position of the event that last changed it: what is not later than that
    /// is known already, so that a redelivered fact changes nothing.
    fn position(&self) -> u64;
    /// Which of the projection's tables it stands in.
    fn table(&self) -> usize {
        0
    }
    /// Its columns, in the order of that table.
    fn values(&self) -> Vec<Value>;
    /// Reads a row of that table back.
    ///
    /// # Errors
    /// When a column does not have the shape that `values` writes.
    fn read(table: usize, columns: &mut Columns) -> Result<Self, Corrupt>;
    /// Lets go of what it holds of a person who was forgotten at `position`, if
    /// it is about that person. Asked only of rows that do not know it already,
    /// in tables that are [`Personal::Rows`](crate::table::Personal).
    fn forget(&mut self, subject: SubjectId, position: u64) -> Effect {
        let _ = (subject, position);
        Effect::Kept
    }
}

/// A read model. Each fact touches at most one of its rows. It has no way to
/// cause anything, so that folding the record again has no effect outside it.
pub trait Projection: Send + 'static {
    /// Its name, in the table of checkpoints and on the command line.
    const NAME: &'static str;
    /// Counts the changes of its rows or rules. Rows of another stored version
    /// are built anew from the log beside the old ones, which readers see until
    /// then: a migration must leave them readable.
    const VERSION: u32;
    /// Its tables. A row stands in one of them at a time.
    const TABLES: &'static [Table];
    /// Rows kept in memory between batches; 0 for rows that never change.
    const ROWS_CACHED_MAX: usize;
    /// Whether its rows show who is behind a fact: it needs what is sealed.
    const SHOWS_PEOPLE: bool = true;
    /// What finds a row.
    type Key: Clone + Ord + Hash + fmt::Debug + fmt::Display + Send + Sync + 'static;
    /// A row.
    type Row: Row;

    /// The row that the fact may touch.
    fn key(fact: &Fact) -> Option<Self::Key>;
    /// The key as it stands in the key column.
    fn key_value(key: &Self::Key) -> Value;
    /// There can be no such row before this fact, so none needs to be loaded.
    fn creates(fact: &Fact) -> bool;
    /// The row's key.
    fn key_of(row: &Self::Row) -> Self::Key;
    /// Folds the fact into its row; no row before and after means that there
    /// is none. Called only with facts that are later than the row.
    fn apply(row: &mut Option<Self::Row>, input: &Input<'_>) -> Effect;
    /// What subscribers hear when the row has changed, or is gone; `None` when
    /// that is nothing to them.
    fn changed(key: &Self::Key, row: Option<&Self::Row>) -> Option<Change>;
}

/// Folds one fact, unless the row knows it already.
pub fn fold<P: Projection>(row: &mut Option<P::Row>, input: &Input<'_>) -> Effect {
    if row
        .as_ref()
        .is_some_and(|row| row.position() >= input.fact.position)
    {
        return Effect::Kept;
    }
    P::apply(row, input)
}
