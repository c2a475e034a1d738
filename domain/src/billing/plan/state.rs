//! What is known of a plan.

use super::event::Config;
use serde::{Deserialize, Serialize};

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Its name; none before it is made.
    pub name: Option<String>,
    /// Everything that can change.
    pub config: Option<Config>,
    /// Counts the changes, from 1.
    pub config_version: u32,
}
