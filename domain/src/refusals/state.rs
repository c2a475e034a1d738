//! What is known of one sum.

use serde::{Deserialize, Serialize};

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Refusals {
    /// Calls in the sum; 0 before there is one.
    pub calls_count: u64,
}
