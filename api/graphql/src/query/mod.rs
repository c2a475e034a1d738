//! What can be asked: one file per noun.

mod agents;
mod billing;
mod callbacks;
mod calls;
mod cdrs;
mod nodes;
mod past;
mod projections;
mod queues;
mod refusals;
mod reports;
pub(crate) mod subjects;
mod trunks;
mod voicemails;
mod webhooks;

pub(crate) use agents::AgentFilter;
pub(crate) use billing::{in_order, invoice_of, period, uuid};
pub(crate) use calls::{ActiveCallFilter, ids};
pub(crate) use cdrs::{CdrFilter, zone};

use crate::{
    auth::{Identity, Scope},
    error::Fault,
    scalar::Cursor,
    services::Services,
};
use ::projections::{changed::View, views::Views};
use async_graphql::{Context, Guard, MergedObject, Result};
use commands::ports::Position;
use std::time::Duration;

/// All queries.
#[derive(MergedObject, Default)]
pub(crate) struct Query(
    calls::CallQueries,
    callbacks::CallbackQueries,
    voicemails::VoicemailQueries,
    cdrs::CdrQueries,
    billing::BillingQueries,
    agents::AgentQueries,
    queues::QueueQueries,
    subjects::SubjectQueries,
    refusals::RefusalQueries,
    trunks::TrunkQueries,
    nodes::NodeQueries,
    past::PastQueries,
    projections::ProjectionQueries,
    reports::ReportQueries,
    webhooks::WebhookQueries,
);

/// Lets only tokens with that scope through.
pub(crate) struct Needs(pub(crate) Scope);

impl Guard for Needs {
    async fn check(&self, ctx: &Context<'_>) -> Result<()> {
        Ok(require(ctx, self.0)?)
    }
}

/// Refuses a token that does not have the scope.
pub(crate) fn require(ctx: &Context<'_>, scope: Scope) -> Result<(), Fault> {
    if identity(ctx)?.may(scope) {
        Ok(())
    } else {
        Err(Fault::scope(scope))
    }
}

/// Whoever asks.
pub(crate) fn identity<'a>(ctx: &Context<'a>) -> Result<&'a Identity, Fault> {
    // Every way to execute puts it there; without it nobody is let in.
    ctx.data::<Identity>()
        .map_err(|_| crate::auth::AuthError::Missing.into())
}

/// What the request may reach.
pub(crate) fn services<'a>(ctx: &Context<'a>) -> Result<&'a Services> {
    ctx.data::<Services>()
}

/// The read models.
pub(crate) fn views<'a>(ctx: &Context<'a>) -> Result<&'a Views> {
    Ok(&services(ctx)?.views)
}

/// The read models, once they know everything that is on the record now, and how far
/// that is.
pub(crate) async fn views_now<'a>(
    services: &'a Services,
    needed: &[View],
) -> Result<(&'a Views, Position), Fault> {
    let views = &services.views;
    let head = views.past().head().await?;
    let timeout = Duration::from_millis(services.options.position_timeout_ms);
    views.wait_for(needed, head, timeout).await?;
    Ok((views, head))
}

/// The read models, once they know everything up to the position that the
/// client has seen.
pub(crate) async fn views_at<'a>(
    ctx: &Context<'a>,
    needed: &[View],
    min_position: Option<Cursor>,
) -> Result<&'a Views> {
    let services = services(ctx)?;
    if let Some(position) = min_position {
        let timeout = Duration::from_millis(services.options.position_timeout_ms);
        services
            .views
            .wait_for(needed, position.into(), timeout)
            .await
            .map_err(Fault::from)?;
    }
    Ok(&services.views)
}
