//! What a phone and a call can be told before they start.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::digest::DigestPreference;
use crate::sdp::Codec;

/// RFC 3261 17.1.1.1: T1, the estimated round trip.
pub const T1_MS_DEFAULT: u64 = 500;

/// How SIP travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transport {
    /// One datagram a message.
    #[default]
    Udp,
    /// One connection to the server, opened at bind.
    Tcp,
    /// One WebSocket to the server, opened at bind, as a phone in a browser has it: it does not know its own address,
    /// and says no lengths (RFC 7118).
    Ws,
}

/// What a phone does about RTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediaMode {
    /// Receives and sends.
    #[default]
    On,
    /// Takes a port for each call and neither reads nor writes it: for benches that hold many calls.
    PortOnly,
}

/// Everything about a phone.
#[derive(Debug, Clone)]
pub struct PhoneOptions {
    /// Where it listens; port 0 takes any free one. RTP uses the same address.
    pub bind: SocketAddr,
    /// Where its requests go.
    pub server: SocketAddr,
    /// User part of its address of record, and its name for digest.
    pub user: String,
    /// Its password; without one it answers no challenge.
    pub password: Option<String>,
    /// Host part of its address of record and of the addresses it calls.
    pub domain: String,
    /// Name shown before its address.
    pub display_name: Option<String>,
    /// Which challenge it answers when there are several.
    pub digest: DigestPreference,
    /// How SIP travels.
    pub transport: Transport,
    /// Codecs it offers and takes, the preferred one first.
    pub codecs: Vec<Codec>,
    /// Payload type it offers for RFC 4733 events; `None` offers none.
    pub telephone_event: Option<u8>,
    /// What it does about RTP.
    pub media: MediaMode,
    /// What it says that it is when it answers (User-Agent); nothing if there is none.
    pub user_agent: Option<String>,
    /// The events that it says it knows while it rings (Allow-Events); it says none if there is none.
    pub allow_events: Option<String>,
    /// What it answers a NOTIFY with that comes in a call.
    pub notify_status: u16,
    /// A Contact URI to use in place of its true address, to act like a phone behind NAT.
    pub contact: Option<String>,
    /// RFC 3261 T1 in milliseconds; every transaction timer is a multiple of it.
    pub t1_ms: u64,
    /// Incoming calls that may wait for [`crate::Phone::next_incoming`]; more are answered 486.
    pub incoming_max: usize,
}

impl PhoneOptions {
    /// A phone of `user` at `server`, on any free port of the matching loopback address.
    pub fn new(server: SocketAddr, user: impl Into<String>) -> Self {
        let ip = match server.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        };
        let domain = match server.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Self {
            bind: SocketAddr::new(ip, 0),
            server,
            user: user.into(),
            password: None,
            domain,
            display_name: None,
            digest: DigestPreference::default(),
            transport: Transport::default(),
            codecs: vec![Codec::Pcmu, Codec::Pcma],
            telephone_event: Some(101),
            media: MediaMode::default(),
            user_agent: None,
            allow_events: None,
            notify_status: 200,
            contact: None,
            t1_ms: T1_MS_DEFAULT,
            incoming_max: 64,
        }
    }

    /// The same phone with a password.
    #[must_use]
    pub fn with_password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }
}

/// What the INVITE of a call says about audio.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Offer {
    /// The phone's codecs and its RTP port.
    #[default]
    Audio,
    /// Nothing: the other side is to offer in its answer (RFC 3261 13.2.1).
    Nothing,
    /// This body, of type application/sdp, whatever it says.
    Body(String),
}

/// Everything about one outgoing call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallOptions {
    /// Headers added to the INVITE.
    pub headers: Vec<(String, String)>,
    /// User part of From in place of the phone's own: the caller's number.
    pub caller: Option<String>,
    /// The offer.
    pub offer: Offer,
    /// The 200 is never acknowledged, as if every ACK were lost.
    pub withhold_ack: bool,
}
