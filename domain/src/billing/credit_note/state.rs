//! What is known of a credit note.

use crate::billing::invoice::CreditDocument;
use serde::{Deserialize, Serialize};

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CreditNote {
    /// What it says.
    pub document: Option<Box<CreditDocument>>,
    /// As it is written; none before it is issued.
    pub number: Option<String>,
}
