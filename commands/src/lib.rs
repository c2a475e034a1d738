//! Ringledger commands.
pub mod ports;
