//! Ringledger sip.
