//! Offer and answer for one audio stream of G.711 with telephone-event
//! (RFC 3264, RFC 8866). Reads leniently, writes strictly; pure.

mod parse;
mod write;

use std::net::SocketAddr;

pub use parse::parse;
pub use write::{Local, Origin};

/// Most media lines of a description; more is an attack, not a phone.
pub const MEDIA_MAX: usize = 16;

/// The codecs that are relayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Codec {
    /// G.711 µ-law (RFC 3551, static payload type 0).
    Pcmu,
    /// G.711 A-law (static payload type 8).
    Pcma,
}

impl Codec {
    /// In the order that is offered.
    pub const ALL: [Self; 2] = [Self::Pcmu, Self::Pcma];

    /// Encoding name of `a=rtpmap`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// The static payload type (RFC 3551, table 4).
    pub const fn static_payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }
}

/// Which way media goes, seen from the side that wrote the attribute
/// (RFC 3264, 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Both ways; what a missing attribute means.
    #[default]
    SendRecv,
    /// The writer sends only: it holds the other side.
    SendOnly,
    /// The writer receives only.
    RecvOnly,
    /// Neither.
    Inactive,
}

impl Direction {
    /// Builds one from its two halves.
    pub const fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Name of the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Whether the writer sends.
    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether the writer receives.
    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The answer to an offer of this direction, from a side that would like
    /// `wanted` (RFC 3264, 6.1).
    pub const fn answered_by(self, wanted: Self) -> Self {
        Self::of(
            wanted.sends() && self.receives(),
            wanted.receives() && self.sends(),
        )
    }
}

/// A codec as the other side numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Which codec.
    pub codec: Codec,
    /// Its payload type in this session, both ways.
    pub payload_type: u8,
}

/// The audio stream of the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audio {
    /// Codecs we have too, the other side's favourite first; never empty.
    pub formats: Vec<Format>,
    /// Payload type of telephone-event/8000 (RFC 4733), if it has that.
    pub dtmf_payload_type: Option<u8>,
    /// Where it wants RTP; `None` with the address 0.0.0.0 of an RFC 2543 hold.
    pub rtp: Option<SocketAddr>,
    /// Where it wants RTCP: the next port, or `a=rtcp` (RFC 3605).
    pub rtcp: Option<SocketAddr>,
    /// Its direction; an RFC 2543 hold counts as send-only.
    pub direction: Direction,
    /// Milliseconds of audio a packet it would like to get.
    pub ptime_ms: Option<u16>,
    /// Which of the media lines it is.
    index: usize,
}

impl Audio {
    /// The number of a codec, if the other side has it.
    pub fn format(&self, codec: Codec) -> Option<Format> {
        self.formats
            .iter()
            .copied()
            .find(|format| format.codec == codec)
    }

    /// Whether the other side holds us: it takes no media.
    pub const fn holds(&self) -> bool {
        !self.direction.receives()
    }
}

/// A media line as it must be kept in every later offer and answer (RFC 3264, 8).
#[derive(Debug, Clone, PartialEq, Eq)]
struct MediaLine {
    kind: String,
    protocol: String,
    formats: String,
}

/// The other side's description, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its audio.
    pub audio: Audio,
    media: Vec<MediaLine>,
    /// The `t=` value, which an answer repeats (RFC 3264, 6).
    timing: String,
}

/// Why a description cannot be used. All are 488 to an offer
/// (RFC 3261, 13.3.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no SDP, or breaks its limits.
    #[error("session description is malformed")]
    Malformed,
    /// No audio line over RTP that is not refused.
    #[error("no audio stream over RTP")]
    NoAudio,
    /// No codec in common.
    #[error("no common codec")]
    NoCommonCodec,
    /// The connection address is a name, or no address media can go to.
    #[error("connection address is not usable")]
    BadAddress,
}

impl Error {
    /// The warn-code of RFC 3261, 20.43 that goes with a 488.
    pub const fn warning(self) -> u16 {
        match self {
            Self::Malformed => 399,
            Self::NoAudio => 304,
            Self::NoCommonCodec => 305,
            Self::BadAddress => 301,
        }
    }
}

#[cfg(test)]
mod tests;
