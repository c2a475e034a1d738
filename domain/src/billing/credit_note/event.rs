//! What can have happened to a credit note. The stored schema: handle with care.

use crate::{
    billing::invoice::CreditDocument,
    calendar::Date,
    decider,
    id::{AccountId, InvoiceId},
    money::Decimal,
};
use serde::{Deserialize, Serialize};

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was drafted.
    #[serde(rename = "credit_note_drafted")]
    Drafted {
        /// What it says.
        document: Box<CreditDocument>,
    },
    /// It has its number and never changes again.
    #[serde(rename = "credit_note_issued")]
    Issued {
        /// As it is written.
        number: String,
        /// The day there.
        issued_on: Date,
        /// Who gets it.
        account: AccountId,
        /// What it takes back.
        invoice: InvoiceId,
        /// How much, with tax.
        total: Decimal,
    },
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Drafted { .. } => "credit_note_drafted",
            Self::Issued { .. } => "credit_note_issued",
        }
    }
}
