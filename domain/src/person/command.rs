//! What may be asked about a person.

use super::event::Reason;
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Forget the person: intent.
    Erase {
        /// Number of the newest key that the person's data is sealed under, as
        /// the key store says; 0 when it never had one.
        keys_through: u32,
        /// On what ground.
        reason: Reason,
    },
}
