//! What is known of a callback.

use super::event::Terms;
use crate::{id::CallId, time::Timestamp};
use serde::{Deserialize, Serialize};

/// An attempt that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which, from 1.
    pub attempt: u32,
    /// Its call.
    pub call: CallId,
}

/// Where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Phase {
    /// Not asked for.
    #[default]
    Unborn,
    /// Waits for its time.
    Pending,
    /// A call is under way.
    Trying(Attempt),
    /// The person was reached, was not, or is not to be any more.
    Over,
}

/// What has been folded from a callback's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Callback {
    /// Where it is.
    pub phase: Phase,
    /// How often, how soon and how long.
    pub terms: Terms,
    /// Attempts that were started.
    pub attempts_count: u32,
    /// Attempts in which the person was rung in vain.
    pub missed_count: u32,
    /// The next attempt is not before this instant.
    pub not_before: Timestamp,
    /// From then on nobody is rung any more.
    pub expires_at: Timestamp,
}
