//! Ringledger commands.
