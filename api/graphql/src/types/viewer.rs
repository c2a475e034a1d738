//! Whoever asks.

use crate::{auth::Identity, id::Named};
use async_graphql::{ID, Object};

/// Whoever asks.
pub(crate) struct Viewer(pub(crate) Identity);

/// The holder of the token.
#[Object]
impl Viewer {
    /// What the token is called.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The tenant that it acts for.
    async fn tenant_id(&self) -> ID {
        ID(self.0.tenant.to_string())
    }

    /// What it may do.
    async fn scopes(&self) -> Vec<&'static str> {
        self.0.scopes.iter().map(|scope| scope.name()).collect()
    }

    /// The agent whose desktop holds it.
    async fn agent_id(&self) -> Option<ID> {
        self.0.agent.map(Named::opaque)
    }
}
