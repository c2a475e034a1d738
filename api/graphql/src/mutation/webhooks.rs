//! Orders about letters to systems outside. They change no record.

use super::UserError;
use crate::{
    auth::Scope,
    error::Fault,
    query::{Needs, identity, services},
    types::Webhook,
};
use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

#[derive(Default)]
pub(crate) struct WebhookMutations;

/// A webhook.
#[derive(InputObject)]
pub(crate) struct WebhookInput {
    /// Its name.
    name: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct WebhookPayload {
    /// The webhook as it is now.
    webhook: Option<Webhook>,
    /// Why nothing was done; empty when it was.
    user_errors: Vec<UserError>,
}

#[Object]
impl WebhookMutations {
    /// Sends again, under the same ids, what was given up.
    #[graphql(guard = "Needs(Scope::SystemConfig)")]
    async fn retry_webhook(
        &self,
        ctx: &Context<'_>,
        input: WebhookInput,
    ) -> Result<WebhookPayload> {
        let services = services(ctx)?;
        let mut all = services.webhooks.iter();
        let Some(configured) = all.find(|one| one.name == input.name) else {
            let message = "there is no webhook of that name";
            return Ok(WebhookPayload {
                webhook: None,
                user_errors: vec![UserError::new("webhook.unknown", message, Some("name"))],
            });
        };
        let revived = services.outbox.revive(&input.name, services.clock.now());
        revived.await.map_err(Fault::from)?;
        let (webhook, actor) = (&input.name, identity(ctx)?.actor());
        tracing::info!(webhook, actor, "letters that were given up are sent again");
        Ok(WebhookPayload {
            webhook: Some(Webhook::of(ctx, configured).await?),
            user_errors: vec![],
        })
    }
}
