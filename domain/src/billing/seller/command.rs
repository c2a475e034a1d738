//! What may be asked of the seller.

use super::event::Config;
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Give it this configuration; nothing happens when it has it.
    Configure {
        /// All of it.
        config: Config,
    },
}
