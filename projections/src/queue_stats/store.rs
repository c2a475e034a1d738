//! Queries over queues.

use super::row::{COLUMNS, Counters, Row};
use crate::{
    agent_states::State,
    page::{Cursor, Order, Page, Query, Slice, SortKey},
    value::text,
    views::{ViewError, Views},
};
use domain::{calendar::Zone, id::QueueId, line::Measure, queue::Config, time::Timestamp};
use std::collections::BTreeMap;

/// A queue at one instant, with what other views know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Now {
    /// The queue.
    pub row: Row,
    /// The counters of the day, of the queue's zone, of that instant.
    pub today: Counters,
    /// When the caller who waits longest was enqueued.
    pub longest_waiting_since: Option<Timestamp>,
    /// How long that caller has been waiting.
    pub longest_wait_ms: Option<u64>,
    /// The queue's agents, by state; states without agents are not in it.
    pub agents: BTreeMap<State, u32>,
}

impl Row {
    /// The first instant of the day that `at` is in, in the queue's zone: a day may have 23 or
    /// 25 hours.
    pub fn day_of(&self, at: Timestamp) -> Timestamp {
        let zone = self.config.as_ref().map_or(Zone::UTC, Config::zone);
        zone.start_of(zone.date_of(at))
    }

    /// By which calls are measured that come now.
    pub fn measure(&self) -> Measure {
        let own = self.config.as_ref().map(Config::measure);
        own.unwrap_or_else(|| Config::default().measure())
    }

    /// The counters of the day that `now` is in.
    pub fn today(&self, now: Timestamp) -> Counters {
        if self.day_start == self.day_of(now) {
            self.day
        } else {
            Counters::default()
        }
    }
}

impl Views {
    /// The queue.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn queue(&self, queue: QueueId) -> Result<Option<Row>, ViewError> {
        Ok(self.queues_by_id(&[queue]).await?.pop())
    }

    /// These queues, those that there are, in no special order.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn queues_by_id(&self, queues: &[QueueId]) -> Result<Vec<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "queue_stats");
        query.and_in("queue_id", queues.iter().map(text).collect());
        let (sql, parameters) = query.all("");
        self.rows(&sql, parameters, Row::read).await
    }

    /// Queues by name; those that were taken away too, if they are asked for.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn queues(&self, page: &Page, with_deleted: bool) -> Result<Slice<Row>, ViewError> {
        let mut query = Query::select(COLUMNS, "queue_stats");
        if !with_deleted {
            query.and("deleted IS NULL", []);
        }
        let query = query.page("name", "queue_id", Order::Ascending, page);
        let rows = self.query(&query.sql, query.parameters.clone()).await?;
        Ok(query.slice(rows, Row::read, cursor)?)
    }

    /// How many queues there are.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn queues_count(&self) -> Result<u64, ViewError> {
        let mut query = Query::select(&["COUNT(*)"], "queue_stats");
        query.and("deleted IS NULL", []);
        self.number(query).await
    }

    /// The statistics of these queues, or of all that are there when the list is
    /// empty, as they are at `now`. Sorted by name.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn queues_now(
        &self,
        queues: &[QueueId],
        now: Timestamp,
    ) -> Result<Vec<Now>, ViewError> {
        let mut query = Query::select(COLUMNS, "queue_stats");
        match queues.is_empty() {
            true => query.and("deleted IS NULL", []),
            false => query.and_in("queue_id", queues.iter().map(text).collect()),
        }
        let (sql, parameters) = query.all(" ORDER BY name, queue_id");
        let rows = self.rows(&sql, parameters, Row::read).await?;
        let longest = self.longest_waiting().await?;
        let mut agents = self.agents_by_state().await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let since = longest.get(&row.queue).copied();
                Now {
                    today: row.today(now),
                    longest_waiting_since: since,
                    longest_wait_ms: since.map(|since| now.ms_since(since)),
                    agents: agents.remove(&row.queue).unwrap_or_default(),
                    row,
                }
            })
            .collect())
    }

    /// When the caller who waits longest was enqueued, for each queue with one.
    async fn longest_waiting(&self) -> Result<BTreeMap<QueueId, Timestamp>, ViewError> {
        let rows = self
            .rows(
                "SELECT queue_id, MIN(enqueued_at) FROM live_calls \
                 WHERE state IN ('waiting', 'offering') AND queue_id IS NOT NULL \
                 GROUP BY queue_id",
                vec![],
                |columns| Ok((columns.id()?, columns.time()?)),
            )
            .await?;
        Ok(rows.into_iter().collect())
    }
}

/// Queues are sorted by name.
pub(crate) fn cursor(row: &Row) -> Cursor {
    Cursor {
        key: SortKey::Text(row.name.clone()),
        id: row.queue.to_string(),
    }
}
