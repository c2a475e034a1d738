//! What the registrar reports. A refresh is not reported: streams stay bounded.

use crate::id::AgentId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A contact was added.
    RecordRegistered {
        /// Whose.
        agent: AgentId,
        /// Which contact; the address itself stays in the registrar.
        binding: Uuid,
        /// `udp`, `tcp`, `tls`, `ws`.
        transport: String,
    },
    /// A contact was removed by the phone.
    RecordDeregistered {
        /// Which contact.
        binding: Uuid,
    },
    /// A contact was not refreshed in time.
    ExpireBinding {
        /// Which contact.
        binding: Uuid,
    },
}
