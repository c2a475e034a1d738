//! Ringledger domain.
pub mod id;
pub mod time;
