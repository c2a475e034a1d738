//! The relay with real sockets on loopback.

mod announcements;
mod bridge;
mod chosen;
mod driver;
mod keys;
mod load;
mod log;
mod music;
mod port;
mod prompts;
mod silence;
mod source;
mod support;
