//! What may be asked of a plan.

use super::event::Config;
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Make it; refused when there is one of that name.
    Create {
        /// Its name.
        name: String,
        /// Everything that can change.
        config: Config,
    },
    /// Make it, or give it this configuration; nothing happens when it has it.
    Configure {
        /// Its name; fixed when it is made.
        name: String,
        /// Everything that can change.
        config: Config,
    },
}
