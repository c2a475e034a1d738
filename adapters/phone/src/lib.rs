//! Ringledger phone.
