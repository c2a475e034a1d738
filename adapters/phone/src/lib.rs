//! A small SIP/RTP phone for the demo, the benches and the tests on real sockets.
//!
//! It is a second, independent implementation of SIP: it must not know the product's crates nor its SIP stack, so that
//! a bug there meets somebody who reads the RFC differently. Start at [`Phone`]; the protocol is in `engine`, which owns
//! no socket. Everything here is for loopback and test networks: no DNS, no TLS, no SRTP.

pub mod address;
mod agent;
mod call;
pub mod conformance;
pub mod digest;
mod engine;
mod error;
mod frames;
pub mod g711;
mod incoming;
mod media;
pub mod message;
mod options;
mod outgoing;
mod phone;
mod progress;
mod raw;
pub mod rtp;
pub mod sdp;
pub mod tone;

pub use agent::{
    AGENT_RECORDS_MAX, AgentAnswer, AgentRecord, AgentScript, AgentStats, CallerScript,
    CallerStats, Talk,
};
pub use call::Call;
pub use conformance::{COMPLAINTS_MAX, Complaint};
pub use digest::{Algorithm, DigestPreference};
pub use error::{Error, Result};
pub use incoming::{IncomingCall, LateAnswer};
pub use media::{DIGITS_QUEUED_MAX, Media, MediaStats, RECORDED_SAMPLES_MAX};
pub use message::{Message, Method};
pub use options::{CallOptions, MediaMode, Offer, PhoneOptions, T1_MS_DEFAULT, Transport};
pub use outgoing::{CancelOutcome, OutgoingCall};
pub use phone::{OptionsOutcome, Phone, RegisterOutcome};
pub use progress::{CallEvent, EndedBy, Phase, Progress, Rejection, Steps};
pub use raw::{COLLECTED_MAX, RawSocket, Received};
pub use sdp::{Codec, Direction};
