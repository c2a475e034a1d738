//! What is known of a queue's configuration.

use super::{event::Config, hand::ByHand, pause::PausedMember};
use crate::id::AgentId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Queue {
    /// Its name; none before it is made.
    pub name: Option<String>,
    /// Everything that can change.
    pub config: Option<Config>,
    /// Counts the changes, from 1; also those of before it was taken away.
    pub config_version: u32,
    /// What a person has said of its doors, and counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<ByHand>,
    /// The agents that it offers nothing for now.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paused: BTreeMap<AgentId, PausedMember>,
}
