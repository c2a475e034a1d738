//! Systems outside that are told of events.

use crate::{
    auth::Scope,
    query::{Needs, services},
    types::Webhook,
};
use async_graphql::{Context, Object, Result};

#[derive(Default)]
pub(crate) struct WebhookQueries;

#[Object]
impl WebhookQueries {
    /// Every webhook of the configuration and how it is getting on.
    #[graphql(guard = "Needs(Scope::SystemConfig)")]
    async fn webhooks(&self, ctx: &Context<'_>) -> Result<Vec<Webhook>> {
        let mut all = vec![];
        for configured in services(ctx)?.webhooks.iter() {
            all.push(Webhook::of(ctx, configured).await?);
        }
        Ok(all)
    }
}
