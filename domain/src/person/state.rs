//! What is known of a person: not who it is.

use serde::{Deserialize, Serialize};

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Person {
    /// Every key up to this number is destroyed; 0 before anything was erased.
    pub erased_through: u32,
}
