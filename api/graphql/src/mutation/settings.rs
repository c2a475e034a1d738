//! The order to read the settings anew. What it changes of queues, trunks and
//! agents is on the record as at every start; the order itself is in the log.

use super::UserError;
use crate::{
    auth::Scope,
    query::{Needs, identity, services},
};
use async_graphql::{Context, Object, Result, SimpleObject};

#[derive(Default)]
pub(crate) struct SettingsMutations;

/// What came of it.
#[derive(SimpleObject)]
pub(crate) struct ReloadConfigurationPayload {
    /// Something has changed that counts only after a restart; null when the
    /// settings were refused.
    needs_restart: Option<bool>,
    /// Why the settings were refused: all that counted before goes on to count.
    user_errors: Vec<UserError>,
}

/// The key that a message begins with: `queue[0].overflow: calls would ..`.
fn key(message: &str) -> Option<&str> {
    let (key, _) = message.split_once(": ")?;
    let is_key = |sign: char| sign.is_ascii_alphanumeric() || "_.[]".contains(sign);
    (!key.is_empty() && key.chars().all(is_key)).then_some(key)
}

#[Object]
impl SettingsMutations {
    /// Reads the configuration file anew. It is checked as a whole first: it
    /// counts, or nothing of it. Calls in progress go on.
    #[graphql(guard = "Needs(Scope::SystemConfig)")]
    async fn reload_configuration(&self, ctx: &Context<'_>) -> Result<ReloadConfigurationPayload> {
        let actor = identity(ctx)?.actor();
        match services(ctx)?.settings.reload().await {
            Ok(reloaded) => {
                tracing::info!(actor, "configuration was read anew");
                Ok(ReloadConfigurationPayload {
                    needs_restart: Some(reloaded.needs_restart),
                    user_errors: vec![],
                })
            }
            Err(message) => {
                tracing::warn!(actor, message, "configuration was refused");
                let error = UserError::new("config.invalid", &message, key(&message));
                Ok(ReloadConfigurationPayload {
                    needs_restart: None,
                    user_errors: vec![error],
                })
            }
        }
    }
}
