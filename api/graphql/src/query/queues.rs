//! Queues.

use crate::{
    auth::Scope,
    error::Fault,
    id::Named,
    paging::{self, Asked, List},
    query::{Needs, views_at},
    scalar::Cursor,
    types::Queue,
};
use async_graphql::{Context, ID, Object, Result};
use domain::id::QueueId;
use projections::changed::View;

#[derive(Default)]
pub(crate) struct QueueQueries;

#[Object]
impl QueueQueries {
    /// The queue.
    #[graphql(guard = "Needs(Scope::QueueRead)")]
    async fn queue(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Cursor>,
    ) -> Result<Option<Queue>> {
        let views = views_at(ctx, &[View::QueueStats], min_position).await?;
        let row = views.queue(QueueId::read(&id, "id")?).await;
        Ok(row.map_err(Fault::from)?.map(Queue::from))
    }

    /// Queues by name.
    #[graphql(guard = "Needs(Scope::QueueRead)")]
    async fn queues(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Those that were taken away too", default = false)] include_deleted: bool,
        min_position: Option<Cursor>,
    ) -> Result<List<Queue>> {
        let views = views_at(ctx, &[View::QueueStats], min_position).await?;
        let read = async |page| views.queues(&page, include_deleted).await;
        paging::list(Asked::first(first, after), read, Queue::from).await
    }
}
