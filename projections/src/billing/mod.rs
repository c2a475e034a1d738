//! Money owed, as people look at it: accounts, plans, decks, what each call
//! costs, invoices with their payments and credit notes.
//!
//! Where a row is the state of one aggregate, it is folded by the aggregate's
//! own `evolve`: what the API shows is what the rules go by.

pub mod accounts;
pub mod charges;
pub mod decks;
pub mod invoices;
pub mod plans;
mod record;
pub mod usage;

use crate::changed::View;
use domain::id::{AccountId, CallId, InvoiceId};
use std::sync::Arc;

/// Something of billing that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// An account.
    Account(AccountId, Option<Arc<accounts::Row>>),
    /// The price of a call, and who pays it.
    Charge(CallId, AccountId),
    /// What an account used.
    Usage(AccountId),
    /// An invoice.
    Invoice(InvoiceId, Option<Arc<invoices::Row>>),
}

impl Changed {
    /// Where it belongs.
    pub const fn view(&self) -> View {
        match self {
            Self::Account(..) => View::Accounts,
            Self::Charge(..) => View::Charges,
            Self::Usage(..) => View::Usage,
            Self::Invoice(..) => View::Invoices,
        }
    }
}
