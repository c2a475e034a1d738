//! Ringledger media.
