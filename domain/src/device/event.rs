//! What can have happened to an agent's phones. The stored schema: handle with care.

use super::upcast;
use crate::{decider, id::AgentId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A contact was added.
    #[serde(rename = "device_registered")]
    Registered {
        /// Whose.
        agent: AgentId,
        /// Which contact.
        binding: Uuid,
        /// `udp`, `tcp`, `tls`, `ws`.
        transport: String,
    },
    /// A contact was removed by the phone.
    #[serde(rename = "device_deregistered")]
    Deregistered {
        /// Which contact.
        binding: Uuid,
        /// How many are left.
        left_count: u32,
    },
    /// A contact was not refreshed in time.
    #[serde(rename = "binding_expired")]
    Expired {
        /// Which contact.
        binding: Uuid,
        /// How many are left.
        left_count: u32,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "device_registered",
            Self::Deregistered { .. } => "device_deregistered",
            Self::Expired { .. } => "binding_expired",
        }
    }

    fn event_version(&self) -> u32 {
        match self {
            Self::Registered { .. } => 1,
            Self::Deregistered { .. } | Self::Expired { .. } => 2,
        }
    }

    fn upcast(event_type: &str, version: u32) -> Option<decider::Upcast> {
        upcast::of(event_type, version)
    }
}
