//! Ringledger media: an RTP relay for G.711 with telephone-event, and music
//! for waiting callers.
//!
//! What it does: each leg of a call has one pair of sockets (RTP on an even
//! port, RTCP on the next). Legs are spread over a few threads; a thread owns
//! its legs, waits for them with epoll and relays without a lock. Two legs that
//! are bridged hear each other, and a third may hear them; a leg alone hears music, silence or nothing, or is
//! recorded: into memory, which the driver writes when the message is over.
//! Its receiver sees one continuous RTP stream all the while.
//!
//! What it must not know: SIP, SDP text, queues and agents. Signalling opens legs
//! and names their far ends; committed events say who hears whom.
//!
//! The driver (`driver.rs`) reads the feed and `flow.rs` says what follows.
//!
//! Start in `relay.rs` (the handle), then `shard.rs` (the thread), `leg.rs`
//! (one leg), `outgoing.rs` (the continuous stream) and `gate.rs` (whose
//! packets are believed).

mod announcements;
mod beep;
pub mod bench;
mod directory;
pub mod driver;
mod event;
mod flow;
mod g711;
mod gate;
mod hears;
mod keys;
mod leg;
mod library;
mod messages;
mod meters;
mod mixer;
mod music;
mod notice;
mod options;
mod outgoing;
mod ports;
mod prompts;
mod reception;
mod recorder;
mod relay;
mod remote;
mod reports;
mod ringback;
mod rtcp;
mod rtp;
mod shard;
mod supervised;
mod sys;
mod table;
mod tone;
mod watch;

pub use event::{MediaEvent, Stats};
pub use g711::{FRAME_SAMPLES, Law, SAMPLE_RATE_HZ};
pub use music::Track;
pub use options::{Options, StartError};
pub use prompts::{missing_prompt, prompts_count};
pub use recorder::Recording;
pub use relay::{LocalMedia, OpenError, Relay};
pub use remote::{Direction, PayloadTypes, Remote, SourcePolicy};
