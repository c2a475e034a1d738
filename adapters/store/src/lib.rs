//! Persistence: the event log, the read store, the vault and the credentials on
//! SQLite (the default), PostgreSQL, and in memory for tests; with the feature
//! `kurrentdb`, the log on KurrentDB.
//!
//! It knows the ports and ids, and must not know what an event means.
//! Start at [`open()`]; every [`commands::ports::EventLog`] obeys the suite in
//! `contract` (feature `testing`).

mod admission;
mod answers;
#[cfg(feature = "cluster")]
pub mod cluster;
#[cfg(feature = "testing")]
pub mod contract;
mod crypto;
#[cfg(any(test, feature = "kurrentdb"))]
mod fence;
mod halves;
#[cfg(feature = "kurrentdb")]
pub mod kurrent;
pub mod memory;
pub mod migrate;
mod nodes;
mod open;
pub mod postgres;
#[cfg(any(test, feature = "kurrentdb"))]
mod progress;
pub mod sqlite;
mod steps;
#[cfg(feature = "testing")]
pub mod testing;
mod vault;
mod versions;

pub use nodes::{Heartbeat, MemberRow, Nodes};
pub use open::{Look, OpenError, Stores, join, look, open};
pub use vault::KeyedVault;
