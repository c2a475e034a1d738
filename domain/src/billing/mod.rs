//! Money owed: accounts, plans, decks, usage, invoices and what belongs to
//! them. Each is an aggregate of its own; this is their sum.
//!
//! A call that ends is *rated* (on its own stream), which makes *usage* of the
//! account's month; a month that is over is *invoiced*, with a number from the
//! *series*; the *account* is the ledger. Start reading at [`rating`].

pub mod account;
pub mod bill_of;
pub mod credit_note;
pub mod deck;
mod document;
pub mod fees;
pub mod invoice;
mod key;
mod names;
pub mod plan;
pub mod rating;
pub mod seller;
pub mod series;
pub mod settle;
pub mod stretch;
mod sum;
pub mod tariff;
pub mod tax;
pub mod tax_id;
pub mod usage;
mod usage_type;

pub use document::{Line, LineKind, TaxLine, Totals};
pub use key::{DeckVersionId, InvalidKey, SeriesId};
pub use key::{Document, DocumentKind, UsageId};
pub use sum::{CATEGORIES, Command, Event};
pub use usage_type::UsageType;
