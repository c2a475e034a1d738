//! Reads many rows by id at once, however many fields ask for one of them.

use async_graphql::dataloader::{DataLoader, Loader};
use commands::ports::Clock;
use domain::id::{AgentId, CallId, QueueId};
use projections::{
    agent_states,
    billing::charges,
    estimate::{Pace, Place},
    queue_stats,
    views::{ViewError, Views},
};
use std::{collections::HashMap, sync::Arc};

/// Loads rows from the views.
pub(crate) struct Rows {
    views: Views,
    clock: Arc<dyn Clock>,
}

/// The loader as resolvers use it. It keeps nothing between two batches.
pub(crate) type Loaded = DataLoader<Rows>;

pub(crate) fn loader(views: Views, clock: Arc<dyn Clock>) -> Loaded {
    DataLoader::new(Rows { views, clock }, tokio::spawn)
}

impl Loader<AgentId> for Rows {
    type Value = agent_states::Row;
    type Error = ViewError;

    async fn load(&self, keys: &[AgentId]) -> Result<HashMap<AgentId, Self::Value>, ViewError> {
        let rows = self.views.agents_by_id(keys).await?;
        Ok(rows.into_iter().map(|row| (row.agent, row)).collect())
    }
}

impl Loader<QueueId> for Rows {
    type Value = queue_stats::Row;
    type Error = ViewError;

    async fn load(&self, keys: &[QueueId]) -> Result<HashMap<QueueId, Self::Value>, ViewError> {
        let rows = self.views.queues_by_id(keys).await?;
        Ok(rows.into_iter().map(|row| (row.queue, row)).collect())
    }
}

/// Asks for the statistics of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Statistics(pub(crate) QueueId);

impl Loader<Statistics> for Rows {
    type Value = queue_stats::Now;
    type Error = ViewError;

    async fn load(
        &self,
        keys: &[Statistics],
    ) -> Result<HashMap<Statistics, Self::Value>, ViewError> {
        let queues: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.views.queues_now(&queues, self.clock.now()).await?;
        Ok(rows
            .into_iter()
            .map(|now| (Statistics(now.row.queue), now))
            .collect())
    }
}

/// Asks for the place of a call in its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PlaceOf(pub(crate) CallId);

impl Loader<PlaceOf> for Rows {
    type Value = Place;
    type Error = ViewError;

    async fn load(&self, keys: &[PlaceOf]) -> Result<HashMap<PlaceOf, Place>, ViewError> {
        let calls: Vec<_> = keys.iter().map(|key| key.0).collect();
        let places = self.views.places_of(&calls).await?;
        let places = places
            .into_iter()
            .map(|(call, place)| (PlaceOf(call), place));
        Ok(places.collect())
    }
}

/// Asks how fast a queue serves its callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PaceOf(pub(crate) QueueId);

impl Loader<PaceOf> for Rows {
    type Value = Pace;
    type Error = ViewError;

    async fn load(&self, keys: &[PaceOf]) -> Result<HashMap<PaceOf, Pace>, ViewError> {
        let queues: Vec<_> = keys.iter().map(|key| key.0).collect();
        let paces = self.views.paces_of(&queues, self.clock.now()).await?;
        Ok(paces
            .into_iter()
            .map(|(queue, pace)| (PaceOf(queue), pace))
            .collect())
    }
}

/// Asks what a call costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ChargeOf(pub(crate) CallId);

impl Loader<ChargeOf> for Rows {
    type Value = charges::Row;
    type Error = ViewError;

    async fn load(&self, keys: &[ChargeOf]) -> Result<HashMap<ChargeOf, Self::Value>, ViewError> {
        let calls: Vec<_> = keys.iter().map(|key| key.0).collect();
        let rows = self.views.charges_of(&calls).await?;
        Ok(rows
            .into_iter()
            .map(|row| (ChargeOf(row.call), row))
            .collect())
    }
}
