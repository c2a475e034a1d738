//! What can have happened to the seller. The stored schema: handle with care.

use crate::{billing::tax::TaxRate, decider};
use serde::{Deserialize, Serialize};

/// What is done about an invoice that is not paid.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dunning {
    /// Days after the due date on which a reminder is due, rising.
    pub reminder_days: Vec<u32>,
    /// Days after the due date on which the account is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend_days: Option<u32>,
}

/// Whose invoices they are, and by which rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// As it stands on an invoice.
    pub name: String,
    /// Postal address, line by line.
    pub address: Vec<String>,
    /// ISO 3166 code.
    pub country: String,
    /// Tax id, of the form of its country.
    pub tax_id: String,
    /// Bank account and the like, line by line.
    #[serde(default)]
    pub payment_lines: Vec<String>,
    /// Rates by country and day.
    pub tax_rates: Vec<TaxRate>,
    /// What stands before the digits of an invoice's number.
    pub invoice_prefix: String,
    /// What stands before the digits of a credit note's number.
    pub credit_note_prefix: String,
    /// Numbers begin again with each year, which then stands in them.
    #[serde(default)]
    pub is_yearly_series: bool,
    /// A person looks at each draft: it gets its number when it is approved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_approval_required: bool,
    /// Days from issue to the due date.
    pub due_days: u32,
    /// What is done after that.
    #[serde(default)]
    pub dunning: Dunning,
    /// Seconds of talk that a prepaid call reserves at a time.
    pub slice_s: u32,
    /// Numbers that nothing ever stops or charges.
    #[serde(default)]
    pub emergency_numbers: Vec<String>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was described.
    #[serde(rename = "seller_configured")]
    Configured {
        /// Counts the changes, from 1.
        config_version: u32,
        /// All of it.
        config: Box<Config>,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Configured { .. } => "seller_configured",
        }
    }
}
