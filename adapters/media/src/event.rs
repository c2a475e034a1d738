//! What the relay tells, and what it counts.

use crate::recorder::Recording;
use domain::{call::LegMedia, id::LegId};
use std::time::Instant;

/// A change that somebody should know about.
#[derive(Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// A leg that should send has been silent for `silence_timeout_ms`. Told
    /// once until it is heard again. A leg should send when both directions
    /// are open and it hears something (another leg, music or silence).
    Silent {
        /// Which.
        leg: LegId,
        /// Its last RTP packet, or since when one was due.
        since: Instant,
    },
    /// A key was pressed on a leg that hears no other leg. What is pressed in a
    /// conversation is nobody's business.
    Key {
        /// Which leg.
        leg: LegId,
        /// Its event code (RFC 4733, section 3.2).
        code: u8,
    },
    /// A leg has heard an announcement to its end. Told once.
    Announced {
        /// Which.
        leg: LegId,
    },
    /// What a leg had to say is over. Told once of each that was to be recorded.
    Recorded {
        /// Which.
        leg: LegId,
        /// What was said; none when there was no memory for it.
        recording: Option<Recording>,
        /// It is over because the leg was closed.
        is_closed: bool,
    },
    /// A leg was closed: told once of each that was open, with what was measured.
    Closed(LegMedia),
    /// A leg that was told silent sends again.
    Heard {
        /// Which.
        leg: LegId,
    },
}

/// The counts of one leg. "In" is from its far end to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// RTP packets taken.
    pub packets_in: u64,
    /// Their bytes, headers included.
    pub bytes_in: u64,
    /// RTP packets sent: relayed, music and silence.
    pub packets_out: u64,
    /// Their bytes, headers included.
    pub bytes_out: u64,
    /// RTCP packets taken.
    pub rtcp_in: u64,
    /// RTCP packets sent.
    pub rtcp_out: u64,
    /// RTP and RTCP from somebody else than the far end.
    pub dropped_source: u64,
    /// Datagrams that are not RTP.
    pub dropped_malformed: u64,
    /// RTP with a payload type that was not agreed on, here or on the other leg.
    pub dropped_payload_type: u64,
    /// RTP against the agreed direction.
    pub dropped_direction: u64,
    /// When the last RTP packet was taken.
    pub last_packet_at: Option<Instant>,
    /// Where the far end sends from, once that is known.
    pub far_end: Option<std::net::SocketAddr>,
}
