//! Callbacks.

use crate::{
    auth::Scope,
    id::Named as _,
    paging::{self, Asked, List},
    query::{Needs, calls::ids, views_at},
    scalar::Cursor,
    types::{Callback, words::CallbackState},
};
use async_graphql::{Context, ID, Object, Result};
use domain::id::{CallbackId, QueueId};
use projections::{callbacks, changed::View};

#[derive(Default)]
pub(crate) struct CallbackQueries;

#[Object]
impl CallbackQueries {
    /// People who are to be rung back and who were, whoever asked first before the
    /// others.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn callbacks(
        &self,
        ctx: &Context<'_>,
        queue_ids: Option<Vec<ID>>,
        states: Option<Vec<CallbackState>>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Callback>> {
        let views = views_at(ctx, &[View::Callbacks], min_position).await?;
        let states = states.unwrap_or_default();
        let filter = callbacks::Filter {
            queues: ids::<QueueId>(queue_ids, "queueIds")?,
            states: states.into_iter().map(Into::into).collect(),
        };
        let read = async |page| views.callbacks(&filter, &page).await;
        paging::list(Asked::first(first, after), read, Callback).await
    }

    /// A callback; null if there is none of that id.
    #[graphql(guard = "Needs(Scope::CallRead)")]
    async fn callback(
        &self,
        ctx: &Context<'_>,
        id: ID,
        min_position: Option<Cursor>,
    ) -> Result<Option<Callback>> {
        let views = views_at(ctx, &[View::Callbacks], min_position).await?;
        let row = views.callback(CallbackId::read(&id, "id")?).await;
        Ok(row.map_err(crate::error::Fault::from)?.map(Callback))
    }
}
