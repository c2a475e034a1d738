//! A command on its way, and what comes back.

use crate::ports::Position;
use domain::{
    any::AnyCommand,
    id::{CommandId, TenantId},
    time::Timestamp,
};
use uuid::Uuid;

/// A command with everything that is not its own business.
#[derive(Debug, Clone, PartialEq)]
pub struct Envelope {
    /// What is asked.
    pub command: AnyCommand,
    /// The idempotency key: the same id has one effect and hears the first
    /// result again.
    pub command_id: CommandId,
    /// When it is asked.
    pub at: Timestamp,
    /// What belongs together: the call's id where there is a call.
    pub correlation_id: Uuid,
    /// The event or request that caused it.
    pub causation_id: Uuid,
    /// Who asks: `adapter:sip`, `process:routing`, `token:dashboard`, `config`.
    pub actor: String,
    /// Whose installation.
    pub tenant: TenantId,
}

impl Envelope {
    /// Whether a process asks. A refusal of its command is kept in the log, so
    /// that it hears the same after a crash and goes the same way again.
    pub fn is_by_process(&self) -> bool {
        self.actor.starts_with("process:")
    }
}

/// A command that was carried out, or had nothing to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Version of the stream after it.
    pub version: u64,
    /// Position of its last event: what a reader must have reached to see it.
    pub position: Position,
    /// False when it had nothing to change.
    pub changed: bool,
}
