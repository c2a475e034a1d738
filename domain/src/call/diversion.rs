//! Who sent a call on to us.

use crate::sealed::{Party, Sealed};
use serde::{Deserialize, Serialize};

/// Why a call was sent on (RFC 5806, section 4; the words of RFC 4458 become these).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiversionReason {
    /// Whoever was called first was talking.
    UserBusy,
    /// Nobody answered there.
    NoAnswer,
    /// The phone there could not be reached.
    Unavailable,
    /// All calls are sent on.
    Unconditional,
    /// Calls at that time of the day are sent on.
    TimeOfDay,
    /// Whoever was called first is not to be disturbed.
    DoNotDisturb,
    /// Whoever was called first chose to while it rang.
    Deflection,
    /// Whoever was called first is to be found elsewhere.
    FollowMe,
    /// The phone there is out of service.
    OutOfService,
    /// Whoever was called first is away.
    Away,
    /// The network does not say, or in a word that is not one of these.
    Unknown,
}

/// A call that was meant for somebody else and was sent on to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diversion {
    /// Who sent it on, the last of several.
    pub by: Sealed<Party>,
    /// Why.
    pub reason: DiversionReason,
}
