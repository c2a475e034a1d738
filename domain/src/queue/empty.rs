//! When a queue counts as empty, and that nobody waits in it then.

use serde::{Deserialize, Serialize};

/// What makes an agent who is logged in count as away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Away {
    /// Takes no calls, for whatever reason.
    NotReady,
    /// Takes no calls because the phone could not be reached.
    Unreachable,
    /// Taken for another call: the phone is to ring or rings.
    Ringing,
    /// With a caller.
    OnContact,
    /// At work after a call.
    WrapUp,
    /// In a later tier of the queue than the first.
    LaterTier,
    /// With a penalty in the queue.
    Penalty,
    /// Paused in the queue by a person.
    Paused,
}

/// Whether calls wait where nobody is there, and who counts as there. Whoever is
/// not logged in never does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Empty {
    /// Calls that find nobody, counted so, are not let in. Without it they wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<Vec<Away>>,
    /// Calls that wait leave when nobody is there any more, counted so. Without it
    /// they wait on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leave: Option<Vec<Away>>,
}

impl Empty {
    /// Nothing is set.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }
}
