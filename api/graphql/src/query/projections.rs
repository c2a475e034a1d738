//! The read models themselves.

use crate::{
    auth::Scope,
    error::Fault,
    query::{Needs, views},
    types::ProjectionStatus,
};
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub(crate) struct ProjectionQueries;

#[Object]
impl ProjectionQueries {
    /// Every read model and how far it is.
    #[graphql(guard = "Needs(Scope::SystemConfig)")]
    async fn projections(&self, ctx: &Context<'_>) -> Result<Vec<ProjectionStatus>> {
        let views = views(ctx)?;
        let head = views.past().head().await.map_err(Fault::from)?;
        let progress = views.progress();
        let each = progress.iter().cloned();
        Ok(each
            .map(|status| ProjectionStatus { status, head })
            .collect())
    }
}
