//! Calls over real sockets: SIP, media and the write side in one process, our
//! own phones on loopback.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one event among all"
)]

mod answered;
mod refused;
mod registered;
mod unanswered;
mod world;
