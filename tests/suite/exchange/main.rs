//! Real phones on real sockets: every way a call can go, told by what the
//! phones see and by what the record says.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one event among all"
)]

mod answered;
