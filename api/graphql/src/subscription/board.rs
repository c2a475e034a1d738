//! A live board of any list: all rows first, then every change of them, each
//! told once and in order.

use super::{Follow, Heard, applied, hear};
use crate::error::Fault;
use projections::{
    changed::{Change, Changes, View},
    views::Views,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use tokio::sync::broadcast::Receiver;

/// What a board tells.
pub(crate) enum Told<K, R> {
    /// Everything as it is.
    Snapshot(Vec<R>),
    /// A row came.
    Added(K, R),
    /// A row changed.
    Changed(K, R),
    /// A row is gone, or is not one of those asked for any more.
    Removed(K),
    /// So many commits were missed; a snapshot follows.
    Lagged(u64),
}

/// A list that can be followed.
pub(crate) trait List: Send + Sync + 'static {
    /// The view that its rows are in.
    const VIEW: View;
    /// What finds a row.
    type Key: Ord + Copy + Send + Sync;
    /// A row.
    type Row: Clone + Send + Sync;
    /// What the client gets.
    type Item: Send;

    /// All rows that were asked for.
    fn read(&self, views: &Views) -> impl Future<Output = Result<Vec<Self::Row>, Fault>> + Send;
    /// The row that a change is about, if it is one of this list's; none behind
    /// the key when it is gone.
    fn of(change: &Change) -> Option<(Self::Key, Option<&Self::Row>)>;
    /// Whether the row was asked for.
    fn matches(&self, row: &Self::Row) -> bool;
    /// The row's key and the position that last changed it.
    fn mark(row: &Self::Row) -> (Self::Key, u64);
    /// What is told, as the client gets it; everything up to `position` is told
    /// with it.
    fn item(told: Told<Self::Key, Self::Row>, position: u64) -> Self::Item;
}

/// Follows a list for one client.
pub(crate) struct Board<L: List> {
    list: L,
    views: Views,
    changes: Receiver<Arc<Changes>>,
    /// Positions of the rows that the client has.
    known: BTreeMap<L::Key, u64>,
    /// The snapshot had every change up to here.
    snapshot_position: u64,
    /// The latest commit that was heard of.
    position: u64,
    ready: VecDeque<L::Item>,
    needs_snapshot: bool,
}

impl<L: List> Board<L> {
    /// Hears the changes from now on; the snapshot is read after that.
    pub(crate) fn new(list: L, views: Views) -> Self {
        Self {
            changes: views.subscribe(),
            known: BTreeMap::new(),
            snapshot_position: 0,
            position: 0,
            ready: VecDeque::new(),
            needs_snapshot: true,
            list,
            views,
        }
    }

    async fn snapshot(&mut self) -> Result<L::Item, Fault> {
        // Read before the table: changes up to here are in the snapshot.
        self.snapshot_position = applied(&self.views, L::VIEW).0;
        let rows = self.list.read(&self.views).await?;
        self.known = rows.iter().map(L::mark).collect();
        self.position = self.position.max(self.snapshot_position);
        self.needs_snapshot = false;
        Ok(L::item(Told::Snapshot(rows), self.position))
    }

    fn take(&mut self, changes: &Changes) {
        self.position = self.position.max(changes.position.0);
        // See [`Changes::rows`].
        self.needs_snapshot |= changes.rows.is_empty();
        for (key, row) in changes.rows.iter().filter_map(L::of) {
            self.change(key, row);
        }
    }

    fn change(&mut self, key: L::Key, row: Option<&L::Row>) {
        let known = self.known.get(&key).copied();
        // Heard late: the client has that, or the snapshot had it no more.
        let told = known.unwrap_or(self.snapshot_position);
        if row.is_some_and(|row| L::mark(row).1 <= told) {
            return;
        }
        let row = row.filter(|row| self.list.matches(row));
        let told = match (known, row) {
            (None, None) => return,
            (Some(_), Some(row)) => Told::Changed(key, row.clone()),
            (None, Some(row)) => Told::Added(key, row.clone()),
            (Some(_), None) => Told::Removed(key),
        };
        match row {
            Some(row) => self.known.insert(key, L::mark(row).1),
            None => self.known.remove(&key),
        };
        self.ready.push_back(L::item(told, self.position));
    }
}

impl<L: List> Follow for Board<L> {
    type Item = L::Item;

    async fn next(&mut self) -> Result<Option<L::Item>, Fault> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            if self.needs_snapshot {
                return Ok(Some(self.snapshot().await?));
            }
            match hear(&mut self.changes).await {
                Heard::Changes(changes) => self.take(&changes),
                Heard::Lagged(missed) => {
                    self.needs_snapshot = true;
                    return Ok(Some(L::item(Told::Lagged(missed), self.position)));
                }
                Heard::Closed => return Ok(None),
            }
        }
    }
}
