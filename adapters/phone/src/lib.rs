//! A small SIP/RTP phone for the demo, the benches and the tests on real sockets.
//!
//! It is a second, independent implementation of SIP: it must not know the product's crates nor its SIP stack, so that
//! a bug there meets somebody who reads the RFC differently. Start at [`Phone`]; the protocol is in `engine`, which owns
//! no socket. Everything here is for loopback and test networks: no DNS, no TLS, no SRTP.
//!
//! ```no_run
//! use std::time::Duration;
//! use ringledger_phone::{CallOptions, Phone, PhoneOptions, Result, tone};
//!
//! # async fn example(server: std::net::SocketAddr) -> Result<()> {
//! let agent = Phone::bind(PhoneOptions::new(server, "ann").with_password("secret")).await?;
//! agent.register(60).await?;
//! let caller = Phone::bind(PhoneOptions::new(server, "4411")).await?;
//! let call = caller.call("sales", CallOptions::default()).await?;
//!
//! let offered = agent.next_incoming().await.expect("the agent's phone is there");
//! offered.ring().await?;
//! offered.answer().await?;
//! call.wait_answered(Duration::from_secs(5)).await?;
//! call.media().play_tone(440.0, 0.3);
//! let heard = offered.media().record(4000, Duration::from_secs(5)).await;
//! assert!(tone::tone_share(&heard, 440.0) > 0.9);
//! call.hang_up().await?;
//! # Ok(())
//! # }
//! ```

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
