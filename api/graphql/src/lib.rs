//! Ringledger graphql.
