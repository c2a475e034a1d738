//! A server among those that share the record.

use crate::scalar::DateTime;
use async_graphql::{Enum, Object};
use commands::roster::{Health, Member};

/// How a server is.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerHealth {
    /// It shows signs of life.
    Live,
    /// It has been silent for half of its lease; soon another takes its place.
    Late,
}

/// A server.
pub(crate) struct ServerNode {
    pub(crate) member: Member,
    pub(crate) is_self: bool,
}

/// A server among those that share the record.
#[Object]
impl ServerNode {
    /// Its name.
    async fn name(&self) -> &str {
        &self.member.name
    }

    /// Number of this run of it; grows with every start of any server.
    async fn run(&self) -> String {
        self.member.node_epoch.to_string()
    }

    /// Whether it is the one that answers this.
    async fn is_self(&self) -> bool {
        self.is_self
    }

    /// Whether it runs the processes and the read models.
    async fn leads(&self) -> bool {
        self.member.leads
    }

    /// How it is.
    async fn health(&self) -> ServerHealth {
        match self.member.health {
            Health::Live => ServerHealth::Live,
            Health::Late => ServerHealth::Late,
        }
    }

    /// Where other servers reach its SIP.
    async fn sip_address(&self) -> Option<String> {
        self.member.sip.map(|address| address.to_string())
    }

    /// Where its HTTP listens.
    async fn http_address(&self) -> Option<String> {
        self.member.http.map(|address| address.to_string())
    }

    /// When this run began.
    async fn started_at(&self) -> DateTime {
        DateTime(self.member.started_at)
    }

    /// Its last sign of life, by its own clock.
    async fn last_beat_at(&self) -> DateTime {
        DateTime(self.member.last_beat_at)
    }
}
