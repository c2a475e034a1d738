//! The read side as the API sees it: queries, how far each view is, and what
//! changes.

use crate::{
    changed::{Changes, View},
    orders::Orders,
    page::Query,
    past::Past,
    value::{Columns, Corrupt},
};
use commands::ports::{Position, ReadStore, StoreError, Value};
use std::{sync::Arc, time::Duration};
use tokio::sync::{broadcast, watch};

/// Why a query has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// The read store can not be reached.
    #[error("read store is unavailable: {0}")]
    Unavailable(String),
    /// A stored row can not be understood.
    #[error("stored row is corrupt")]
    Corrupt(#[from] Corrupt),
    /// An event of the record can not be understood, or what is sealed in it
    /// not be opened.
    #[error("{0}")]
    Unreadable(String),
    /// That text was never given out as a cursor of this list.
    #[error("cursor is not valid")]
    InvalidCursor,
}

impl From<StoreError> for ViewError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// The views did not get as far as the reader needs in the time it gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("view is at position {applied}, not yet at {wanted}")]
pub struct Stale {
    /// How far the slowest of the views is.
    pub applied: Position,
    /// What was asked for.
    pub wanted: Position,
}

/// Why a view does not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The event that can not be applied.
    pub position: u64,
    /// Why.
    pub reason: String,
}

/// Rows that are built beside those that readers see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// Version of their rules.
    pub version: u32,
    /// They know every event up to here.
    pub position: Position,
    /// They follow beside the live ones and can take their place.
    pub is_ready: bool,
    /// Why they do not go on; none while they do.
    pub parked: Option<Arc<Parked>>,
}

/// How far one view is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Which view.
    pub view: View,
    /// Version of the rules that its rows were made by; 0 for rows that are not
    /// whole yet.
    pub version: u32,
    /// It knows every event up to here.
    pub position: Position,
    /// Why it does not go on; none while it runs.
    pub parked: Option<Arc<Parked>>,
    /// Rows that are built beside its own.
    pub next: Option<Next>,
}

/// How far all views are, one entry for each of [`View::ALL`].
pub type Progress = Arc<[Status]>;

/// The way to the read models; cheap to clone.
#[derive(Clone)]
pub struct Views {
    read: Arc<dyn ReadStore>,
    progress: watch::Receiver<Progress>,
    changes: broadcast::Sender<Arc<Changes>>,
    past: Past,
    orders: Orders,
}

impl Views {
    pub(crate) const fn new(
        read: Arc<dyn ReadStore>,
        progress: watch::Receiver<Progress>,
        changes: broadcast::Sender<Arc<Changes>>,
        past: Past,
        orders: Orders,
    ) -> Self {
        Self {
            read,
            progress,
            changes,
            past,
            orders,
        }
    }

    pub(crate) const fn orders(&self) -> &Orders {
        &self.orders
    }

    /// What was, at any place in the record.
    pub const fn past(&self) -> &Past {
        &self.past
    }

    /// How far one view is.
    pub fn position_of(&self, view: View) -> Position {
        applied(&self.progress.borrow(), &[view])
    }

    /// Hears every commit from now on. A receiver that is too slow is told how
    /// many it missed; what they changed is in the tables.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Changes>> {
        self.changes.subscribe()
    }

    /// How far each view is, in the order of [`View::ALL`].
    pub fn progress(&self) -> Progress {
        Arc::clone(&self.progress.borrow())
    }

    /// Becomes new after every commit.
    pub fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Waits until all of `views` know everything up to `position`, so that a
    /// client reads its own write.
    ///
    /// # Errors
    /// [`Stale`] when that takes longer than `timeout`, or one of the views has
    /// stopped before.
    pub async fn wait_for(
        &self,
        views: &[View],
        position: Position,
        timeout: Duration,
    ) -> Result<(), Stale> {
        let mut progress = self.progress.clone();
        let reached = progress.wait_for(|progress| {
            applied(progress, views) >= position || has_stopped(progress, views)
        });
        // Late or not: how far the views are by now decides.
        let _ = tokio::time::timeout(timeout, reached).await;
        let applied = applied(&self.progress.borrow(), views);
        if applied >= position {
            return Ok(());
        }
        Err(Stale {
            applied,
            wanted: position,
        })
    }

    /// The store of the rows.
    pub(crate) fn store(&self) -> &dyn ReadStore {
        self.read.as_ref()
    }

    /// Runs a query and reads each of its rows.
    pub(crate) async fn rows<T>(
        &self,
        sql: &str,
        parameters: Vec<Value>,
        read: impl Fn(&mut Columns) -> Result<T, Corrupt>,
    ) -> Result<Vec<T>, ViewError> {
        read_all(self.store(), sql, parameters, read).await
    }

    /// The one number that a query asks for; 0 where there is none.
    pub(crate) async fn number(&self, query: Query) -> Result<u64, ViewError> {
        let (sql, parameters) = query.all("");
        let numbers = self.rows(&sql, parameters, Columns::number).await?;
        Ok(numbers.into_iter().next().unwrap_or(0))
    }

    /// Runs a query.
    pub(crate) async fn query(
        &self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Vec<Vec<Value>>, ViewError> {
        Ok(self.read.query(sql, parameters).await?)
    }
}

/// Runs a query and reads each of its rows.
pub(crate) async fn read_all<T>(
    store: &dyn ReadStore,
    sql: &str,
    parameters: Vec<Value>,
    read: impl Fn(&mut Columns) -> Result<T, Corrupt>,
) -> Result<Vec<T>, ViewError> {
    let rows = store.query(sql, parameters).await?;
    let rows = rows.into_iter().map(|row| read(&mut Columns::new(row)));
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How far the slowest of the views is.
fn applied(progress: &Progress, views: &[View]) -> Position {
    views
        .iter()
        .filter_map(|view| progress.get(view.index()))
        .map(|status| status.position)
        .min()
        .unwrap_or_default()
}

/// Whether one of the views does not go on.
fn has_stopped(progress: &Progress, views: &[View]) -> bool {
    views
        .iter()
        .filter_map(|view| progress.get(view.index()))
        .any(|status| status.parked.is_some())
}
