//! What can have happened to refused calls. The stored schema: handle with care.

use crate::{cause::EndReason, decider, time::Timestamp};
use serde::{Deserialize, Serialize};

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// So many calls were refused from `since` to this instant, and have no record of
    /// their own.
    #[serde(rename = "refusals_summed")]
    Summed {
        /// Why.
        reason: EndReason,
        /// How many.
        calls_count: u64,
        /// When the first of them was.
        since: Timestamp,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Summed { .. } => "refusals_summed",
        }
    }
}
