//! The rating engine: which row of a deck prices a call, and what it comes to.
//! Pure, and made to be asked often: a published deck is loaded once into a
//! [`Table`], in which the longest prefix is found by a few binary searches.

mod quote;
mod table;
#[cfg(test)]
mod tests;

pub use quote::{Quote, Step, digits, quote};
pub use table::{Match, Table};
