//! The calls in progress, as a live board wants them.

use super::{
    ChangeKind,
    board::{Board, List, Told},
    every, follow,
};
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
    changed::{Change, View},
    live_calls,
    views::Views,
};

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

    fn one(kind: ChangeKind, position: u64, id: CallId, row: Option<live_calls::Row>) -> Self {
        Self {
            call: row.map(Call::from),
            call_id: Some(id.opaque()),
            ..Self::of(kind, position)
        }
    }
}

impl List for live_calls::Filter {
    const VIEW: View = View::LiveCalls;
    type Key = CallId;
    type Row = live_calls::Row;
    type Item = ActiveCallChange;

    async fn read(&self, views: &Views) -> Result<Vec<Self::Row>, Fault> {
        every(async |page| views.live_calls(self, &page).await).await
    }

    fn of(change: &Change) -> Option<(CallId, Option<&Self::Row>)> {
        match change {
            Change::LiveCall(id, row) => Some((*id, row.as_deref())),
            Change::Timeline(..)
            | Change::AgentState(..)
            | Change::Erasure(..)
            | Change::QueueStats(..)
            | Change::Cdr(..)
            | Change::Trunk(..)
            | Change::Callback(..)
            | Change::Mailbox(..)
            | Change::Billing(..) => None,
        }
    }

    fn matches(&self, row: &Self::Row) -> bool {
        Self::matches(self, row)
    }

    fn mark(row: &Self::Row) -> (CallId, u64) {
        (row.call, row.position)
    }

    fn item(told: Told<CallId, Self::Row>, position: u64) -> ActiveCallChange {
        match told {
            Told::Snapshot(rows) => ActiveCallChange {
                calls: Some(rows.into_iter().map(Call::from).collect()),
                ..ActiveCallChange::of(ChangeKind::Snapshot, position)
            },
            Told::Added(id, row) => {
                ActiveCallChange::one(ChangeKind::Added, position, id, Some(row))
            }
            Told::Changed(id, row) => {
                ActiveCallChange::one(ChangeKind::Changed, position, id, Some(row))
            }
            Told::Removed(id) => ActiveCallChange::one(ChangeKind::Removed, position, id, None),
            Told::Lagged(missed) => ActiveCallChange {
                missed: Some(count(missed)),
                ..ActiveCallChange::of(ChangeKind::Lagged, position)
            },
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
        let list = filter.unwrap_or_default().read()?;
        Ok(follow(Board::new(list, views)))
    }
}
