//! The record for people and auditors: exported with a chain of hashes,
//! verified, and shown call by call. All of it reads beside a running server.

mod chain;
mod export;
mod ladder;
mod timeline;
mod verify;

pub use export::{Range, export};
pub use timeline::timeline;
pub use verify::{Against, verify};
