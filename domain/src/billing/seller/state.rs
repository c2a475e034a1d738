//! What is known of the seller.

use super::event::Config;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What has been folded from the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seller {
    /// All of it; none before it is described.
    pub config: Option<Box<Config>>,
    /// Counts the changes.
    pub config_version: u32,
    /// Prefixes of invoices there ever were, each with whether a year stood behind it.
    #[serde(default)]
    pub invoice_prefixes: BTreeSet<(String, bool)>,
    /// The same of credit notes.
    #[serde(default)]
    pub credit_note_prefixes: BTreeSet<(String, bool)>,
}
