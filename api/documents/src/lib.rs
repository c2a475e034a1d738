//! What leaves the product as a file: exports of records, invoices and what
//! belongs to them.
//!
//! Everything here is a pure function of rows that were read before, or reads
//! them through the views page by page: the same rows give the same bytes.
//!
//! It must not know: HTTP, GraphQL, the command line. Start at [`cdr_export`].

pub mod account_at;
pub mod annex;
pub mod cdr_export;
pub mod csv;
pub mod field;
pub mod html;
pub mod invoice;
mod mask;
pub mod paper;
pub mod pdf;
pub mod report_export;
pub mod statement;
