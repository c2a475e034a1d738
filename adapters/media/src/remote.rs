//! What signalling knows about the far end of a leg.

use crate::g711::Law;
use domain::call::Codec;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};

/// The far end of a leg as its SDP describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Where it wants RTP.
    pub rtp: SocketAddr,
    /// Where it wants RTCP; without it the port after RTP (RFC 3550 section
    /// 11), with `a=rtcp` that address (RFC 3605).
    pub rtcp: Option<SocketAddr>,
    /// The agreed payload types.
    pub payload_types: PayloadTypes,
    /// Which way media may flow, as **our own** description of this leg says
    /// it: the mirror of what the far end wrote.
    pub direction: Direction,
    /// Whom to believe.
    pub policy: SourcePolicy,
}

/// Payload type numbers that one leg agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadTypes {
    /// The law of the audio.
    pub law: Law,
    /// The number of the audio: 0 for PCMU and 8 for PCMA, unless the SDP has
    /// mapped it otherwise.
    pub audio: u8,
    /// The number of telephone-event at 8000 Hz (RFC 4733), if agreed.
    pub telephone_event: Option<u8>,
}

impl PayloadTypes {
    /// PCMU on 0 with telephone-event on the number given.
    pub const fn pcmu(telephone_event: Option<u8>) -> Self {
        Self {
            law: Law::Mu,
            audio: 0,
            telephone_event,
        }
    }

    /// PCMA on 8 with telephone-event on the number given.
    pub const fn pcma(telephone_event: Option<u8>) -> Self {
        Self {
            law: Law::A,
            audio: 8,
            telephone_event,
        }
    }

    /// The codec of the audio, as it is recorded.
    pub(crate) const fn codec(&self) -> Codec {
        match self.law {
            Law::Mu => Codec::Pcmu,
            Law::A => Codec::Pcma,
        }
    }

    /// What a payload type number means on this leg.
    pub(crate) fn kind(&self, payload_type: u8) -> Option<Kind> {
        if payload_type == self.audio {
            Some(Kind::Audio)
        } else if Some(payload_type) == self.telephone_event {
            Some(Kind::TelephoneEvent)
        } else {
            None
        }
    }

    /// The number of a meaning on this leg.
    pub(crate) fn number(&self, kind: Kind) -> Option<u8> {
        match kind {
            Kind::Audio => Some(self.audio),
            Kind::TelephoneEvent => self.telephone_event,
        }
    }
}

/// What a packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Audio,
    TelephoneEvent,
}

/// The direction of media on a leg, seen from us (RFC 3264 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// We send, the far end does not.
    SendOnly,
    /// The far end sends, we do not.
    RecvOnly,
    /// Neither: on hold both ways.
    Inactive,
}

impl Direction {
    /// Whether we may send to the far end.
    pub const fn sends(self) -> bool {
        match self {
            Self::SendRecv | Self::SendOnly => true,
            Self::RecvOnly | Self::Inactive => false,
        }
    }

    /// Whether the far end may send to us.
    pub const fn receives(self) -> bool {
        match self {
            Self::SendRecv | Self::RecvOnly => true,
            Self::SendOnly | Self::Inactive => false,
        }
    }

    /// The same, seen from the far end.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::SendRecv => Self::SendRecv,
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            Self::Inactive => Self::Inactive,
        }
    }
}

/// Whose packets are taken. Everybody else's are dropped and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourcePolicy {
    /// Only the address and port in the SDP.
    Strict,
    /// The far end is behind NAT, and its SDP is not what we see: the first
    /// packet from this address decides the port, once.
    Latch {
        /// Where its registration or INVITE came from.
        registered: IpAddr,
    },
}
