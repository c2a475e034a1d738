//! What this crate needs from media. The server implements it over the relay.

use crate::sdp::{Codec, Direction};
use domain::id::LegId;
use std::net::{IpAddr, SocketAddr};

/// The far end of a leg as its description says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FarEnd {
    /// Where it wants RTP.
    pub rtp: SocketAddr,
    /// Where it wants RTCP, if it said so.
    pub rtcp: Option<SocketAddr>,
    /// The agreed codec.
    pub codec: Codec,
    /// Its payload type.
    pub payload_type: u8,
    /// Payload type of telephone-event, if agreed.
    pub dtmf_payload_type: Option<u8>,
    /// Which way media may flow, as our own description says it.
    pub direction: Direction,
    /// Where its signalling came from.
    pub signalled_from: IpAddr,
}

/// No RTP port is free.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no RTP port is free")]
pub struct NoPort;

/// The media of legs. Nothing here waits. Who hears whom is not said here: the
/// media adapter reads that from the same committed events.
pub trait Media: Send + Sync + 'static {
    /// Opens the ports of a leg and says where its far end must send RTP; the
    /// same again for a leg that is open.
    ///
    /// # Errors
    /// When no port is free.
    fn open(&self, leg: LegId) -> Result<SocketAddr, NoPort>;
    /// The same for the leg of a caller, for whom the last ports are not free: they are
    /// kept for those who answer.
    ///
    /// # Errors
    /// When no port is free for a caller.
    fn open_caller(&self, leg: LegId) -> Result<SocketAddr, NoPort>;
    /// Tells a leg's far end, again after every new description.
    fn set_remote(&self, leg: LegId, far: FarEnd);
    /// Closes the ports of a leg.
    fn close(&self, leg: LegId);
}
