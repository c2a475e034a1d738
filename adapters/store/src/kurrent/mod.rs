//! The log on KurrentDB, with everything else in SQL beside it.
//!
//! Each stream of ours is a stream of KurrentDB: version `n` is revision `n - 1`,
//! and the expected version is KurrentDB's, but for what a server has sent that had lost
//! the log: [`crate::fence`] leaves that out. The order of all events is that of
//! `$all`. A position is the rank of an event in it, counted by an index in SQL
//! (`0300_kurrent_index`), because KurrentDB's own positions are offsets with
//! holes. The index is made from `$all` alone, so it can be deleted.

mod append;
mod event_log;
mod index;
mod wire;

pub use event_log::KurrentLog;
pub(crate) use wire::Address;
