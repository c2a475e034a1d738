//! What is known of a series.

use crate::billing::{Document, DocumentKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Series {
    /// The last number.
    pub last: u64,
    /// Documents that have one.
    pub documents: BTreeSet<Uuid>,
    /// Of which kind they are.
    pub kind: Option<DocumentKind>,
}

impl Series {
    /// The document has its number.
    pub fn has(&self, document: Document) -> bool {
        self.documents.contains(&document.id())
    }
}
