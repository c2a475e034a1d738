//! Ringledger domain.
pub mod decider;
pub mod id;
pub mod sealed;
pub mod time;
