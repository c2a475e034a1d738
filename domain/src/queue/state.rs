//! What is known of a queue's configuration.

use super::{event::Config, hand::ByHand};
use serde::{Deserialize, Serialize};

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Queue {
    /// Its name; none before it is made.
    pub name: Option<String>,
    /// Everything that can change.
    pub config: Option<Config>,
    /// Counts the changes, from 1.
    pub config_version: u32,
    /// What a person has said of its doors, and counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<ByHand>,
}
