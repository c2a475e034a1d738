//! Trunks.

use crate::{
    auth::Scope,
    paging::{self, Asked, List},
    query::{Needs, views_at},
    scalar::Cursor,
    types::Trunk,
};
use async_graphql::{Context, Object, Result};
use projections::changed::View;

#[derive(Default)]
pub(crate) struct TrunkQueries;

#[Object]
impl TrunkQueries {
    /// Trunks by name.
    #[graphql(guard = "Needs(Scope::SystemConfig)")]
    async fn trunks(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Cursor>,
    ) -> Result<List<Trunk>> {
        let views = views_at(ctx, &[View::Trunks], min_position).await?;
        let read = async |page| views.trunks(&page).await;
        paging::list(Asked::first(first, after), read, Trunk).await
    }
}
