//! What can have happened to a person's data. The stored schema: handle with care.

use crate::decider;
use serde::{Deserialize, Serialize};

/// On what ground somebody is forgotten (GDPR, article 17(1)). A closed list: a
/// free text could hold the very data that is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The data is not needed any more, or its time is over.
    Retention,
    /// The person took a consent back.
    ConsentWithdrawn,
    /// The person objected.
    Objection,
    /// The data should never have been there.
    Unlawful,
    /// A law or an authority demands it.
    LegalObligation,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The person is forgotten: from here on, what is sealed under these keys
    /// can not be opened, and who holds it open lets go of it.
    #[serde(rename = "subject_erased")]
    Erased {
        /// Every key of the person up to this number is destroyed. A value that
        /// is sealed later gets a key with a higher number.
        keys_through: u32,
        /// On what ground.
        reason: Reason,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Erased { .. } => "subject_erased",
        }
    }
}
