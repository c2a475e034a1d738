//! Calls over real sockets: SIP, media and the write side in one process, our
//! own phones on loopback.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for one event among all"
)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_docs_in_private_items,
    unreachable_pub,
    reason = "a test may, also in its helpers"
)]

mod answered;
mod capacity;
mod connections;
mod crowd;
mod ends;
mod faults;
mod hold;
mod limits;
mod line;
mod matching;
mod media;
mod offers;
mod outage;
mod outside;
mod preparing;
mod races;
mod refused;
mod registered;
mod supervised;
mod taken_over;
mod transferred;
mod unanswered;
mod unrecorded;
mod vanished;
mod waiting;
mod websockets;
mod wire;
mod world;
