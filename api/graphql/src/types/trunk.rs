//! The way to and from a carrier or PBX.

use crate::{
    id::Named,
    scalar::{Cursor, count},
};
use async_graphql::{ID, Object};
use projections::trunks;

/// A trunk.
pub(crate) struct Trunk(pub(crate) trunks::Row);

/// The way to and from a carrier or PBX.
#[Object]
impl Trunk {
    /// Opaque.
    pub(crate) async fn id(&self) -> ID {
        self.0.trunk.opaque()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Networks that calls may come from, in CIDR form.
    async fn allow(&self) -> &[String] {
        &self.0.allow
    }

    /// Where outbound calls go.
    async fn host(&self) -> Option<&str> {
        self.0.host.as_deref()
    }

    /// User name for outbound calls.
    async fn user(&self) -> Option<&str> {
        self.0.user.as_deref()
    }

    /// Version of the configuration.
    async fn revision(&self) -> i32 {
        count(self.0.config_version)
    }

    /// The event that last changed it.
    async fn position(&self) -> Cursor {
        Cursor(self.0.position)
    }
}
