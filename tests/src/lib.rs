//! What the suites share: a write side without a network, and (in `server`)
//! the real binary with real sockets.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one event among all"
)]

pub mod capture;
pub mod database;
pub mod disk;
pub mod gate;
pub mod luck;
pub mod machine;
pub mod office;
pub mod receiver;
pub mod server;
