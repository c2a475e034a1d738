//! The statistics of queues: as they are, then whenever they have changed, but
//! not more often than a person can read.

use super::{Follow, Heard, follow, hear};
use crate::{
    auth::Scope,
    error::Fault,
    query::{Needs, ids, services},
    services::Services,
    types::QueueStats,
};
use async_graphql::{Context, ID, Result, Subscription};
use domain::id::{CallId, QueueId};
use futures_util::Stream;
use projections::changed::{Change, Changes};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::broadcast::Receiver,
    time::{Instant, sleep_until},
};

/// The longest interval that can be asked for.
const INTERVAL_MS_MAX: u64 = 3_600_000;

#[derive(Default)]
pub(crate) struct QueueStatistics;

struct Meter {
    services: Services,
    /// Only these; empty for all.
    queues: BTreeSet<QueueId>,
    changes: Receiver<Arc<Changes>>,
    interval: Duration,
    /// Nothing is told before.
    next_at: Instant,
    /// Have changed since they were told.
    dirty: BTreeSet<QueueId>,
    /// All may have changed.
    all_dirty: bool,
    /// The queue of each call in progress that was heard of, for when it is
    /// gone.
    calls: BTreeMap<CallId, QueueId>,
    ready: VecDeque<QueueStats>,
}

impl Meter {
    fn mark(&mut self, queue: QueueId) {
        if self.queues.is_empty() || self.queues.contains(&queue) {
            self.dirty.insert(queue);
        }
    }

    /// Statistics are as they are: what was in between is no loss.
    fn miss(&mut self) {
        self.all_dirty = true;
        self.calls.clear();
    }

    fn take(&mut self, changes: &Changes) {
        if changes.rows.is_empty() {
            // See [`Changes::rows`].
            self.miss();
        }
        for change in &changes.rows {
            match change {
                Change::QueueStats(queue, _) => self.mark(*queue),
                Change::LiveCall(call, Some(row)) => {
                    if let Some(queue) = row.queue {
                        self.calls.insert(*call, queue);
                        self.mark(queue);
                    }
                }
                Change::LiveCall(call, None) => {
                    if let Some(queue) = self.calls.remove(call) {
                        self.mark(queue);
                    }
                }
                Change::AgentState(_, Some(row)) => {
                    for queue in &row.queues {
                        self.mark(*queue);
                    }
                }
                Change::AgentState(_, None)
                | Change::Timeline(..)
                | Change::Erasure(..)
                | Change::Cdr(..)
                | Change::Trunk(..)
                | Change::Callback(..)
                | Change::Mailbox(..)
                | Change::Billing(..) => {}
            }
        }
    }

    async fn read(&mut self) -> Result<(), Fault> {
        let wanted: Vec<_> = if self.all_dirty {
            self.queues.iter().copied().collect()
        } else {
            self.dirty.iter().copied().collect()
        };
        self.all_dirty = false;
        self.dirty.clear();
        let at = self.services.clock.now();
        let all = self.services.views.queues_now(&wanted, at).await?;
        self.ready
            .extend(all.into_iter().map(|now| QueueStats { now, at }));
        self.next_at = Instant::now() + self.interval;
        Ok(())
    }
}

impl Follow for Meter {
    type Item = QueueStats;

    async fn next(&mut self) -> Result<Option<QueueStats>, Fault> {
        loop {
            if let Some(statistics) = self.ready.pop_front() {
                return Ok(Some(statistics));
            }
            let has_news = self.all_dirty || !self.dirty.is_empty();
            let heard = tokio::select! {
                heard = hear(&mut self.changes) => Some(heard),
                () = sleep_until(self.next_at), if has_news => None,
            };
            match heard {
                None => self.read().await?,
                Some(Heard::Changes(changes)) => self.take(&changes),
                Some(Heard::Lagged(_)) => self.miss(),
                Some(Heard::Closed) => return Ok(None),
            }
        }
    }
}

#[Subscription]
impl QueueStatistics {
    /// The statistics of these queues, or of all: each of them first, then each
    /// that has changed, at most once in `everyMs`, which is at least a second.
    #[graphql(guard = "Needs(Scope::QueueRead)")]
    async fn queue_stats(
        &self,
        ctx: &Context<'_>,
        queue_ids: Option<Vec<ID>>,
        every_ms: Option<i32>,
    ) -> Result<impl Stream<Item = Result<QueueStats>>> {
        let services = services(ctx)?.clone();
        let shortest = services.options.statistics_interval_ms;
        let asked = every_ms.and_then(|ms| u64::try_from(ms).ok());
        let interval_ms = asked.unwrap_or(shortest).min(INTERVAL_MS_MAX).max(shortest);
        Ok(follow(Meter {
            queues: ids::<QueueId>(queue_ids, "queueIds")?.into_iter().collect(),
            changes: services.views.subscribe(),
            interval: Duration::from_millis(interval_ms),
            next_at: Instant::now(),
            dirty: BTreeSet::new(),
            all_dirty: true,
            calls: BTreeMap::new(),
            ready: VecDeque::new(),
            services,
        }))
    }
}
