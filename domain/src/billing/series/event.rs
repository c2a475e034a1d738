//! What can have happened to a series. The stored schema: handle with care.

use crate::{billing::Document, decider};
use serde::{Deserialize, Serialize};

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// A document has a number. It is the version of the stream.
    #[serde(rename = "number_issued")]
    NumberIssued {
        /// Which.
        document: Document,
        /// From 1, without a gap.
        number: u64,
        /// As it is written: `INV-00000001`.
        text: String,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::NumberIssued { .. } => "number_issued",
        }
    }
}
