//! Ringledger store.
