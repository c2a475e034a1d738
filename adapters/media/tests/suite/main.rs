//! The relay with real sockets on loopback.

mod bridge;
mod load;
mod music;
mod port;
mod silence;
mod source;
mod support;
