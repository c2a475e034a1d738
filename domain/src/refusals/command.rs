//! What may be asked about refused calls.

use crate::{cause::EndReason, time::Timestamp};
use serde::{Deserialize, Serialize};

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// So many calls were refused since then, and have no record: fact.
    Sum {
        /// Why.
        reason: EndReason,
        /// How many, at least one.
        calls_count: u64,
        /// When the first of them was.
        since: Timestamp,
    },
}
