//! Orders about read models. They change no record: nothing of them is an
//! event, and the same one again is harmless.

use super::UserError;
use crate::{
    auth::Scope,
    error::Fault,
    query::{Needs, identity, views},
    types::ProjectionStatus,
};
use ::projections::{changed::View, orders::Refused, views::ViewError};
use async_graphql::{Context, InputObject, Object, Result};

#[derive(Default)]
pub(crate) struct ProjectionMutations;

/// A read model to be built anew.
#[derive(InputObject)]
pub(crate) struct RebuildProjectionInput {
    /// Its name.
    name: String,
    /// Switch as soon as the new rows are as far as the live ones.
    #[graphql(default)]
    then_switch: bool,
}

/// A read model.
#[derive(InputObject)]
pub(crate) struct ProjectionInput {
    /// Its name.
    name: String,
}

/// What came of it.
pub(crate) struct ProjectionPayload {
    view: Option<View>,
    user_errors: Vec<UserError>,
}

#[Object]
impl ProjectionPayload {
    /// The read model as it is now.
    async fn projection(&self, ctx: &Context<'_>) -> Result<Option<ProjectionStatus>> {
        let views = views(ctx)?;
        let head = views.past().head().await.map_err(Fault::from)?;
        let progress = views.progress();
        let status = progress
            .iter()
            .find(|status| Some(status.view) == self.view);
        Ok(status
            .cloned()
            .map(|status| ProjectionStatus { status, head }))
    }

    /// Why nothing was done; empty when it was.
    async fn user_errors(&self) -> &[UserError] {
        &self.user_errors
    }
}

fn unknown() -> ProjectionPayload {
    let message = "there is no read model of that name";
    ProjectionPayload {
        view: None,
        user_errors: vec![UserError::new("projection.unknown", message, Some("name"))],
    }
}

fn payload(
    ctx: &Context<'_>,
    order: &str,
    view: View,
    answer: Result<Result<(), Refused>, ViewError>,
) -> Result<ProjectionPayload> {
    let (projection, actor) = (view.name(), identity(ctx)?.actor());
    let user_errors = match answer.map_err(Fault::from)? {
        Ok(()) => {
            tracing::info!(projection, actor, order, "order for a read model");
            vec![]
        }
        Err(refused) => vec![UserError::new(refused.code(), &refused.to_string(), None)],
    };
    Ok(ProjectionPayload {
        view: Some(view),
        user_errors,
    })
}

#[Object]
impl ProjectionMutations {
    /// Builds the rows of a read model anew, from the first event on and beside
    /// the live ones, which readers see until the switch.
    #[graphql(guard = "Needs(Scope::SystemConfig)")]
    async fn rebuild_projection(
        &self,
        ctx: &Context<'_>,
        input: RebuildProjectionInput,
    ) -> Result<ProjectionPayload> {
        let Some(view) = View::named(&input.name) else {
            return Ok(unknown());
        };
        let answer = views(ctx)?.rebuild(view, input.then_switch).await;
        payload(ctx, "rebuild", view, answer)
    }

    /// Puts the rows that were built in the place of the live ones: a reader
    /// sees the one or the other, each complete.
    #[graphql(guard = "Needs(Scope::SystemConfig)")]
    async fn switch_projection(
        &self,
        ctx: &Context<'_>,
        input: ProjectionInput,
    ) -> Result<ProjectionPayload> {
        let Some(view) = View::named(&input.name) else {
            return Ok(unknown());
        };
        let answer = views(ctx)?.switch(view).await;
        payload(ctx, "switch", view, answer)
    }

    /// Lets a parked read model try its event again, after the cause is gone.
    #[graphql(guard = "Needs(Scope::SystemConfig)")]
    async fn retry_projection(
        &self,
        ctx: &Context<'_>,
        input: ProjectionInput,
    ) -> Result<ProjectionPayload> {
        let Some(view) = View::named(&input.name) else {
            return Ok(unknown());
        };
        let answer = views(ctx)?.retry(view).await;
        payload(ctx, "retry", view, answer)
    }
}
