//! Ringledger server.
