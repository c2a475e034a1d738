//! Ringledger projections.
