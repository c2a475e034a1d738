//! What SIP needs of media, over the relay: the two adapters do not know each
//! other.

use domain::id::LegId;
use media::{Direction, LocalMedia, OpenError, PayloadTypes, Relay, Remote, SourcePolicy};
use sip::media::{FarEnd, Media, NoPort};
use std::net::SocketAddr;

/// The relay as SIP sees it: ports are opened, told their far end and closed.
/// Who hears whom is the media driver's business, by committed events.
#[derive(Debug, Clone)]
pub struct MediaPort(pub Relay);

impl Media for MediaPort {
    fn open(&self, leg: LegId) -> Result<SocketAddr, NoPort> {
        opened(leg, self.0.open(leg))
    }

    fn open_caller(&self, leg: LegId) -> Result<SocketAddr, NoPort> {
        opened(leg, self.0.open_caller(leg))
    }

    fn set_remote(&self, leg: LegId, far: FarEnd) {
        self.0.set_remote(leg, remote(&far));
    }

    fn close(&self, leg: LegId) {
        self.0.close(leg);
    }
}

fn opened(leg: LegId, opened: Result<LocalMedia, OpenError>) -> Result<SocketAddr, NoPort> {
    opened.map(|local| local.rtp).map_err(|error| {
        tracing::warn!(%leg, %error, "no RTP port for a leg");
        NoPort
    })
}

fn remote(far: &FarEnd) -> Remote {
    let mut payload_types = match far.codec {
        sip::sdp::Codec::Pcmu => PayloadTypes::pcmu(far.dtmf_payload_type),
        sip::sdp::Codec::Pcma => PayloadTypes::pcma(far.dtmf_payload_type),
    };
    payload_types.audio = far.payload_type;
    let direction = match far.direction {
        sip::sdp::Direction::SendRecv => Direction::SendRecv,
        sip::sdp::Direction::SendOnly => Direction::SendOnly,
        sip::sdp::Direction::RecvOnly => Direction::RecvOnly,
        sip::sdp::Direction::Inactive => Direction::Inactive,
    };
    // A phone behind NAT writes an address that is not the one it speaks from:
    // then the first packet from there fixes the port, once.
    let policy = if far.rtp.ip() == far.signalled_from {
        SourcePolicy::Strict
    } else {
        SourcePolicy::Latch {
            registered: far.signalled_from,
        }
    };
    Remote {
        rtp: far.rtp,
        rtcp: far.rtcp,
        payload_types,
        direction,
        policy,
    }
}
