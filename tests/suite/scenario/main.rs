//! User stories without a network: the real deciders, processes, gateway and
//! feed over the in-memory store.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one event among all"
)]

mod away;
mod commands_are_exactly_once;
mod history;
mod late_usage;
mod one_call;
mod wishes;
