//! What can be followed: one file per view. All are fed from committed rows.
//!
//! Each subscribes to the changes first and reads the tables then: what is
//! committed in between is in both, and is told apart by its position.

mod active_calls;
mod agent_states;
mod balance;
mod board;
mod call_events;
mod queue_stats;
mod voicemail_counts;

use crate::error::Fault;
use async_graphql::{Enum, MergedSubscription};
use commands::ports::Position;
use futures_util::{Stream, stream};
use projections::{
    changed::{Changes, View},
    page::{Cursor, PAGE_MAX, Page, Slice},
    views::{ViewError, Views},
};
use std::sync::Arc;
use tokio::sync::broadcast::{Receiver, error::RecvError};

/// All subscriptions.
#[derive(MergedSubscription, Default)]
pub(crate) struct Subscription(
    call_events::CallEvents,
    active_calls::ActiveCalls,
    agent_states::AgentStates,
    queue_stats::QueueStatistics,
    balance::Balances,
    voicemail_counts::MailboxCounts,
);

/// What an item of a state subscription tells.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    /// Everything as it is: the first item, the one after `LAGGED`, and whenever
    /// it has to be told anew.
    Snapshot,
    /// One came.
    Added,
    /// One changed.
    Changed,
    /// One is gone, or is not one of those asked for any more.
    Removed,
    /// The client was too slow and missed changes; a snapshot follows.
    Lagged,
}

/// Where the next item of a state subscription comes from.
pub(crate) enum Heard {
    Changes(Arc<Changes>),
    /// That many commits were missed.
    Lagged(u64),
    /// The views have ended.
    Closed,
}

pub(crate) async fn hear(changes: &mut Receiver<Arc<Changes>>) -> Heard {
    match changes.recv().await {
        Ok(heard) => Heard::Changes(heard),
        Err(RecvError::Lagged(missed)) => Heard::Lagged(missed),
        Err(RecvError::Closed) => Heard::Closed,
    }
}

/// How far a view is.
pub(crate) fn applied(views: &Views, view: View) -> Position {
    let progress = views.progress();
    let status = progress.iter().find(|status| status.view == view);
    status.map(|status| status.position).unwrap_or_default()
}

/// All pages of a list.
pub(crate) async fn every<T, Read>(mut read: impl FnMut(Page) -> Read) -> Result<Vec<T>, Fault>
where
    Read: Future<Output = Result<Slice<T>, ViewError>>,
{
    let mut all = vec![];
    let mut after: Option<Cursor> = None;
    loop {
        let slice = read(Page::First(PAGE_MAX, after)).await?;
        after = slice.rows.last().map(|(cursor, _)| cursor.clone());
        all.extend(slice.rows.into_iter().map(|(_, row)| row));
        if !slice.has_more || after.is_none() {
            return Ok(all);
        }
    }
}

/// A stream out of a follower: whoever says what comes next, until it ends or
/// fails. A failure is the last item.
pub(crate) fn follow<F, T>(follower: F) -> impl Stream<Item = async_graphql::Result<T>> + use<F, T>
where
    F: Follow<Item = T> + Send + 'static,
{
    stream::unfold(Some(follower), async |follower| {
        let mut follower = follower?;
        match follower.next().await {
            Ok(Some(item)) => Some((Ok(item), Some(follower))),
            Ok(None) => None,
            Err(fault) => Some((Err(fault.into()), None)),
        }
    })
}

/// Says what comes next.
pub(crate) trait Follow {
    type Item;
    fn next(&mut self) -> impl Future<Output = Result<Option<Self::Item>, Fault>> + Send;
}
