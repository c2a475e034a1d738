//! The events of calls, from any place on. The timeline is append-only, so a
//! client that goes on after the last event it saw misses nothing and sees
//! nothing twice, however long it was away and however slow it is.

use super::{Follow, Heard, applied, follow, hear};
use crate::{
    auth::Scope,
    error::{Code, Fault},
    id::Named,
    query::{Needs, services},
    scalar::Cursor,
    types::TimelineItem,
};
use async_graphql::{Context, ID, InputObject, Result, Subscription};
use domain::id::{AgentId, CallId, QueueId};
use futures_util::Stream;
use projections::{
    changed::{Change, Changes, View},
    timeline::{self, EVENTS_MAX},
    views::Views,
};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::sync::broadcast::Receiver;

#[derive(Default)]
pub(crate) struct CallEvents;

/// Which events; what is not given lets every event through.
#[derive(InputObject, Default)]
pub(crate) struct CallEventFilter {
    /// Of this call.
    call_id: Option<ID>,
    /// About this agent.
    agent_id: Option<ID>,
    /// Naming this queue.
    queue_id: Option<ID>,
    /// Of these types, for example `call_ended`.
    types: Option<Vec<String>>,
}

impl CallEventFilter {
    fn read(self) -> Result<timeline::Filter, Fault> {
        Ok(timeline::Filter {
            categories: vec![],
            types: self.types.unwrap_or_default(),
            call: CallId::read_some(self.call_id.as_ref(), "callId")?,
            agent: AgentId::read_some(self.agent_id.as_ref(), "agentId")?,
            queue: QueueId::read_some(self.queue_id.as_ref(), "queueId")?,
        })
    }
}

/// A reader of the timeline.
struct Reader {
    views: Views,
    filter: timeline::Filter,
    changes: Receiver<Arc<Changes>>,
    /// Everything up to here was told, or is in `ready`.
    position: u64,
    ready: VecDeque<timeline::Row>,
    /// Whether the table may hold events after `position` that the changes
    /// will not tell.
    behind: bool,
}

impl Reader {
    fn wanted(&self, row: &timeline::Row) -> bool {
        row.call.is_some() && self.filter.matches(row)
    }

    /// Reads one stretch of the table.
    async fn catch_up(&mut self) -> Result<(), Fault> {
        // Read before the table: what it holds up to here is in the stretch.
        let reached = applied(&self.views, View::Timeline).0;
        let rows = self
            .views
            .events(&self.filter, self.position, EVENTS_MAX)
            .await?;
        if rows.len() < EVENTS_MAX {
            self.behind = false;
            self.position = self.position.max(reached);
        }
        if let Some(last) = rows.last() {
            self.position = self.position.max(last.position);
        }
        self.ready
            .extend(rows.into_iter().filter(|row| row.call.is_some()));
        Ok(())
    }

    fn take(&mut self, changes: &Changes) {
        // See [`Changes::rows`].
        self.behind |= changes.rows.is_empty();
        for change in &changes.rows {
            if let Change::Timeline(position, Some(row)) = change
                && *position > self.position
            {
                self.position = *position;
                if self.wanted(row) {
                    self.ready.push_back(timeline::Row::clone(row));
                }
            }
        }
    }
}

impl Follow for Reader {
    type Item = TimelineItem;

    async fn next(&mut self) -> Result<Option<TimelineItem>, Fault> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Ok(Some(TimelineItem(row)));
            }
            if self.behind {
                self.catch_up().await?;
                continue;
            }
            match hear(&mut self.changes).await {
                Heard::Changes(changes) => self.take(&changes),
                // What was missed is in the table.
                Heard::Lagged(_) => self.behind = true,
                Heard::Closed => return Ok(None),
            }
        }
    }
}

#[Subscription]
impl CallEvents {
    /// Events of calls as they are committed: those `after` a cursor, then the
    /// live ones, in one order, each exactly once. Without `after` it starts
    /// now.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn call_events(
        &self,
        ctx: &Context<'_>,
        filter: Option<CallEventFilter>,
        after: Option<Cursor>,
    ) -> Result<impl Stream<Item = Result<TimelineItem>>> {
        let services = services(ctx)?;
        let views = services.views.clone();
        let filter = filter.unwrap_or_default().read()?;
        if let Some(after) = after {
            // A cursor of another record would wait for ever.
            let timeout = Duration::from_millis(services.options.position_timeout_ms);
            let reached = views.wait_for(&[View::Timeline], after.into(), timeout);
            reached
                .await
                .map_err(|stale| Fault::new(Code::Stale, stale.to_string()))?;
        }
        let changes = views.subscribe();
        let now = applied(&views, View::Timeline).0;
        Ok(follow(Reader {
            filter,
            changes,
            position: after.map_or(now, |cursor| cursor.0),
            ready: VecDeque::new(),
            behind: true,
            views,
        }))
    }
}
