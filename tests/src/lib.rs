//! What the suites share: a write side without a network, and (in `server`)
//! the real binary with real sockets.

pub mod capture;
pub mod exchange;
pub mod office;
pub mod server;
