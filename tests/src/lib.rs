//! Ringledger tests.
