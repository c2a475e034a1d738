//! What is known of the seller.

use super::event::Config;
use serde::{Deserialize, Serialize};

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seller {
    /// All of it; none before it is described.
    pub config: Option<Box<Config>>,
    /// Counts the changes.
    pub config_version: u32,
}
