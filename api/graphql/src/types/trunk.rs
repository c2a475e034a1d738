//! The way to and from a carrier or PBX.

use crate::{
    id::Named,
    scalar::{Cursor, count},
    types::words::TrunkIdentity,
};
use async_graphql::{ID, Object, SimpleObject};
use projections::trunks;

/// What goes out through a trunk that has a host, and how.
#[derive(SimpleObject)]
pub(crate) struct TrunkOutbound {
    /// Starts of the numbers that it serves; empty for all.
    prefixes: Vec<String>,
    /// Of several that serve a number equally well, the lowest is tried first.
    priority: i32,
    /// Taken off the start of the number.
    strip_prefix: String,
    /// Put before what is left.
    add_prefix: String,
    /// Calls at once on a node; 0 for no limit.
    channels_max: i32,
    /// As whom the call is shown.
    identity: TrunkIdentity,
    /// The number that is shown for the account; without it, the user name.
    number: Option<String>,
}

/// A number that leads outside.
#[derive(SimpleObject)]
pub(crate) struct TrunkForward {
    /// As it is dialled here.
    number: String,
    /// Where it leads.
    to: String,
}

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

    /// What goes out here and how.
    async fn outbound(&self) -> TrunkOutbound {
        let outbound = &self.0.outbound;
        TrunkOutbound {
            prefixes: outbound.prefixes.clone(),
            priority: count(outbound.priority),
            strip_prefix: outbound.strip_prefix.clone(),
            add_prefix: outbound.add_prefix.clone(),
            channels_max: count(outbound.channels_max),
            identity: outbound.identity.into(),
            number: outbound.number.clone(),
        }
    }

    /// Numbers that are dialled here and lead outside again.
    async fn forwards(&self) -> Vec<TrunkForward> {
        let forwards = self.0.forwards.iter();
        forwards
            .map(|forward| TrunkForward {
                number: forward.number.clone(),
                to: forward.to.clone(),
            })
            .collect()
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
