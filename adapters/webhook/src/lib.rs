//! Tells systems outside of events: one POST each, at least once, in order for
//! each stream, signed as Standard Webhooks 1.0 says.
//!
//! The log is the outbox (see [`commands::outbox`]): an event is told of after
//! it is committed, and a read model that is built anew tells nobody anything.
//! Start at [`relay`].

mod letter;
mod options;
mod relay;
mod signature;

pub use options::{InvalidOptions, Options};
pub use relay::{Relay, Tools};
