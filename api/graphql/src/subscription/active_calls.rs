//! The calls in progress, as a live board wants them.

use super::{ChangeKind, Follow, Heard, applied, every, follow, hear};
use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    query::{ActiveCallFilter, Needs, services},
    scalar::{Cursor, count},
    types::Call,
};
use async_graphql::{Context, ID, Result, SimpleObject, Subscription};
use domain::id::CallId;
use futures_util::Stream;
use projections::{
    changed::{Change, Changes, View},
    live_calls,
    views::Views,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};
use tokio::sync::broadcast::Receiver;

#[derive(Default)]
pub(crate) struct ActiveCalls;

/// A change of the list of calls in progress.
#[derive(SimpleObject)]
pub(crate) struct ActiveCallChange {
    /// What this item tells.
    kind: ChangeKind,
    /// All of them, the one that came first before the others; of a snapshot.
    calls: Option<Vec<Call>>,
    /// The one that came or changed.
    call: Option<Call>,
    /// Id of the one that came, changed or is gone.
    call_id: Option<ID>,
    /// How many commits were missed; of `LAGGED`.
    missed: Option<i32>,
    /// This and everything before is told.
    cursor: Cursor,
}

impl ActiveCallChange {
    const fn of(kind: ChangeKind, position: u64) -> Self {
        Self {
            kind,
            calls: None,
            call: None,
            call_id: None,
            missed: None,
            cursor: Cursor(position),
        }
    }
}

struct Board {
    views: Views,
    filter: live_calls::Filter,
    changes: Receiver<Arc<Changes>>,
    /// Positions of the rows that the client has.
    known: BTreeMap<CallId, u64>,
    /// The snapshot had every change up to here.
    snapshot_position: u64,
    /// The latest commit that was heard of.
    position: u64,
    ready: VecDeque<ActiveCallChange>,
    needs_snapshot: bool,
}

impl Board {
    async fn snapshot(&mut self) -> Result<ActiveCallChange, Fault> {
        // Read before the table: changes up to here are in the snapshot.
        self.snapshot_position = applied(&self.views, View::LiveCalls).0;
        let (views, filter) = (&self.views, &self.filter);
        let read = async |page| views.live_calls(filter, &page).await;
        let rows = every(read).await?;
        self.known = rows.iter().map(|row| (row.call, row.position)).collect();
        self.position = self.position.max(self.snapshot_position);
        self.needs_snapshot = false;
        Ok(ActiveCallChange {
            calls: Some(rows.into_iter().map(Call::from).collect()),
            ..ActiveCallChange::of(ChangeKind::Snapshot, self.position)
        })
    }

    fn take(&mut self, changes: &Changes) {
        self.position = self.position.max(changes.position.0);
        // See [`Changes::rows`].
        self.needs_snapshot |= changes.rows.is_empty();
        for change in &changes.rows {
            if let Change::LiveCall(call, row) = change {
                self.change(*call, row.as_deref());
            }
        }
    }

    fn change(&mut self, call: CallId, row: Option<&live_calls::Row>) {
        let known = self.known.get(&call).copied();
        // Heard late: the client has that, or the snapshot had it no more.
        let told = known.unwrap_or(self.snapshot_position);
        if row.is_some_and(|row| row.position <= told) {
            return;
        }
        let row = row.filter(|row| self.filter.matches(row));
        let (kind, call_row) = match (known, row) {
            (None, None) => return,
            (Some(_), Some(row)) => (ChangeKind::Changed, Some(row)),
            (None, Some(row)) => (ChangeKind::Added, Some(row)),
            (Some(_), None) => (ChangeKind::Removed, None),
        };
        match call_row {
            Some(row) => self.known.insert(call, row.position),
            None => self.known.remove(&call),
        };
        self.ready.push_back(ActiveCallChange {
            call: call_row.cloned().map(Call::from),
            call_id: Some(call.opaque()),
            ..ActiveCallChange::of(kind, self.position)
        });
    }
}

impl Follow for Board {
    type Item = ActiveCallChange;

    async fn next(&mut self) -> Result<Option<ActiveCallChange>, Fault> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Ok(Some(change));
            }
            if self.needs_snapshot {
                return Ok(Some(self.snapshot().await?));
            }
            match hear(&mut self.changes).await {
                Heard::Changes(changes) => self.take(&changes),
                Heard::Lagged(missed) => {
                    self.needs_snapshot = true;
                    return Ok(Some(ActiveCallChange {
                        missed: Some(count(missed)),
                        ..ActiveCallChange::of(ChangeKind::Lagged, self.position)
                    }));
                }
                Heard::Closed => return Ok(None),
            }
        }
    }
}

#[Subscription]
impl ActiveCalls {
    /// The calls in progress: all of them first, then every change.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn active_calls(
        &self,
        ctx: &Context<'_>,
        filter: Option<ActiveCallFilter>,
    ) -> Result<impl Stream<Item = Result<ActiveCallChange>>> {
        let views = services(ctx)?.views.clone();
        Ok(follow(Board {
            filter: filter.unwrap_or_default().read()?,
            changes: views.subscribe(),
            known: BTreeMap::new(),
            snapshot_position: 0,
            position: 0,
            ready: VecDeque::new(),
            needs_snapshot: true,
            views,
        }))
    }
}
