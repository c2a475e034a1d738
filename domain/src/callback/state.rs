//! What is known of a callback.

use super::event::Terms;
use crate::{cause::EndReason, id::CallId, time::Timestamp};
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
    /// Attempts that could not be made, and were no burden to anybody.
    #[serde(default)]
    pub idle_count: u32,
    /// The next attempt is not before this instant.
    pub not_before: Timestamp,
    /// From then on nobody is rung any more.
    pub expires_at: Timestamp,
}

/// Whether an attempt that ended so could not be made at all, for what is no doing of the
/// person: it is no burden to anybody, and time heals it.
pub(super) const fn is_idle(reason: EndReason) -> bool {
    matches!(
        reason,
        EndReason::NoTrunk
            | EndReason::Shutdown
            | EndReason::NodeLost
            | EndReason::NoCredit
            | EndReason::NoPrice
            | EndReason::AccountSuspended
    )
}
