//! Phones whose flow ends at another node, and the key that all nodes sign flows
//! with.

use super::Driver;
use crate::{
    bindings::Phone,
    edge::{self, FlowKey},
    transport::{Flow, Transport},
};
use commands::ports::{Secrets, StoreError};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Kind and key of the entry in the credential store.
const KIND: &str = "sip_flow_key";
const KEY: &str = "nodes";

/// How long a call waits for the address of a node that has just joined: the orders
/// behind it do, too.
const FIND_MAX: Duration = Duration::from_secs(1);

/// How a phone is reached.
pub(super) struct Way {
    /// Where the INVITE is sent.
    pub(super) flow: Flow,
    /// Its Route, through another node.
    pub(super) route: Option<String>,
    /// Our Contact in it.
    pub(super) contact: String,
    /// Whether there is one at all.
    pub(super) is_open: bool,
}

impl Driver {
    /// Looks again at who is there if one of these phones is reached through a node
    /// that has not been seen yet. Phones register as soon as a node listens, a
    /// moment before it can tell the others where.
    pub(super) async fn find_ways_to(&self, phones: &[Phone]) {
        let nodes = || phones.iter().filter_map(|phone| phone.through.as_deref());
        if nodes().next().is_none() {
            return;
        }
        let roster = &self.parts.roster;
        let until = Instant::now() + FIND_MAX;
        let left = || until.saturating_duration_since(Instant::now());
        if nodes().any(|node| self.sip_of(node).is_none()) {
            roster.look(left()).await;
        }
        let is_starting = |node| {
            roster
                .member(node)
                .is_some_and(|member| member.sip.is_none())
        };
        while nodes().any(is_starting) && !left().is_zero() {
            roster.look(left()).await;
        }
        if self.edge.key().is_none() {
            self.learn_flow_key().await;
        }
    }

    fn sip_of(&self, node: &str) -> Option<SocketAddr> {
        self.parts.roster.member(node)?.sip
    }

    /// The way to a phone: straight, or through the node that has its flow.
    pub(super) fn way_to(&self, phone: &Phone) -> Way {
        let Some(node) = &phone.through else {
            return Way {
                flow: phone.flow,
                route: None,
                contact: self.stack.contact(phone.flow.transport),
                is_open: true,
            };
        };
        let at = self.sip_of(node);
        // That node finds us by the address under which it knows us.
        let own = self.sip_of(self.parts.roster.name()).unwrap_or(self.peer);
        let route = match (at, self.edge.key()) {
            (Some(at), Some(key)) => Some(edge::route(&key, at, phone.flow)),
            _ => None,
        };
        Way {
            flow: Flow {
                transport: Transport::Udp,
                peer: at.unwrap_or(phone.flow.peer),
            },
            is_open: route.is_some(),
            route,
            contact: format!("sip:{own}"),
        }
    }

    /// Learns the key of all nodes; the first node makes it.
    pub(super) async fn learn_flow_key(&self) -> bool {
        match flow_key(self.parts.secrets.as_ref(), || self.random()).await {
            Ok(key) => {
                self.edge.set_key(key);
                true
            }
            Err(error) => {
                tracing::warn!(%error, "phones at other nodes can not be reached yet");
                false
            }
        }
    }

    fn random(&self) -> FlowKey {
        let mut key = [0; 32];
        for chunk in key.chunks_mut(8) {
            chunk.copy_from_slice(&self.parts.entropy.number().to_be_bytes()[..chunk.len()]);
        }
        FlowKey::new(key)
    }
}

async fn flow_key(
    secrets: &dyn Secrets,
    fresh: impl FnOnce() -> FlowKey,
) -> Result<FlowKey, StoreError> {
    if secrets.get(KIND, KEY).await?.is_none() {
        secrets.put_new(KIND, KEY, &fresh().to_stored()).await?;
    }
    let stored = secrets.get(KIND, KEY).await?;
    stored
        .and_then(|text| FlowKey::from_stored(&text))
        .ok_or_else(|| StoreError::Unavailable("the key of flows can not be read".into()))
}
