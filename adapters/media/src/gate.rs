//! Whose packets a socket takes and where its answers go. Pure.

use crate::remote::SourcePolicy;
use std::net::{IpAddr, SocketAddr};

/// The source check of one socket. Without signalling it never learns a second host,
/// and another port of the same one only where the caller of [`Self::move_to`] knows
/// that it is the same far end: a stranger can neither be heard nor pull the media away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Nobody is known yet: nothing is taken, nothing is sent.
    Closed,
    /// Exactly this address.
    Fixed(SocketAddr),
    /// The first packet from the address of the SDP, or from any port of the
    /// host that signals: whichever comes fixes it.
    Waiting { host: IpAddr, sdp: SocketAddr },
    /// The address that the first packet came from.
    Latched(SocketAddr),
}

impl Gate {
    /// The gate for an address in an SDP.
    pub(crate) fn of(address: SocketAddr, policy: SourcePolicy) -> Self {
        match policy {
            SourcePolicy::Strict => Self::Fixed(plain(address)),
            SourcePolicy::Latch { registered } => Self::Waiting {
                host: registered.to_canonical(),
                sdp: plain(address),
            },
        }
    }

    /// Whether a packet from there is taken; the first right one latches.
    pub(crate) fn admits(&mut self, from: SocketAddr) -> bool {
        let from = plain(from);
        match *self {
            Self::Closed => false,
            Self::Fixed(address) | Self::Latched(address) => address == from,
            Self::Waiting { host, sdp } => {
                let right = from.ip() == host || from == sdp;
                if right {
                    *self = Self::Latched(from);
                }
                right
            }
        }
    }

    /// Lets the far end speak from another port of its host from now on; false if it
    /// is not its host, or if nobody is known yet.
    pub(crate) fn move_to(&mut self, from: SocketAddr) -> bool {
        let from = plain(from);
        let (Self::Fixed(address) | Self::Latched(address)) = *self else {
            return false;
        };
        let is_host = address.ip() == from.ip();
        if is_host {
            *self = Self::Latched(from);
        }
        is_host
    }

    /// The gate beside it, for RTCP, once the far end has moved to that port: a NAT
    /// maps each port by itself.
    pub(crate) fn beside(from: SocketAddr) -> Self {
        let from = plain(from);
        Self::Waiting {
            host: from.ip(),
            sdp: SocketAddr::new(from.ip(), from.port().saturating_add(1)),
        }
    }

    /// Whether a packet has come and decided from where others are taken.
    pub(crate) const fn is_latched(&self) -> bool {
        match self {
            Self::Latched(_) => true,
            Self::Closed | Self::Fixed(_) | Self::Waiting { .. } => false,
        }
    }

    /// Whether it sends to another host than that of signalling, from which nobody has
    /// spoken yet.
    pub(crate) fn is_elsewhere(&self) -> bool {
        match self {
            Self::Waiting { host, .. } => self
                .destination()
                .is_some_and(|address| address.ip() != *host),
            Self::Closed | Self::Fixed(_) | Self::Latched(_) => false,
        }
    }

    /// Where to send. Port 0 and a wildcard address mean nowhere: a refused
    /// stream (RFC 3264 section 6) and the old form of hold (its section 8.4).
    pub(crate) fn destination(&self) -> Option<SocketAddr> {
        let address = match *self {
            Self::Closed => return None,
            Self::Fixed(address) | Self::Latched(address) => address,
            // A private address of a host that signals from a public one is
            // behind NAT; any other is where the media really is, for example
            // the gateway beside a carrier's signalling.
            Self::Waiting { host, sdp } if is_private(sdp.ip()) && !is_private(host) => {
                SocketAddr::new(host, sdp.port())
            }
            Self::Waiting { sdp, .. } => sdp,
        };
        (address.port() != 0 && !address.ip().is_unspecified()).then_some(address)
    }
}

/// Addresses that nobody outside can reach: RFC 1918, RFC 6598, RFC 4193, loopback
/// and link-local.
const fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let is_shared = first == 100 && second & 0xc0 == 64;
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || is_shared
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Without the IPv6 clothes of an IPv4 address, its flow label and its scope.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_strict_gate_takes_only_the_address_of_the_sdp() {
        let mut gate = Gate::of(at("192.0.2.1:4000"), SourcePolicy::Strict);
        assert!(gate.admits(at("192.0.2.1:4000")));
        assert!(gate.admits(at("[::ffff:192.0.2.1]:4000")));
        assert!(!gate.admits(at("192.0.2.1:4002")), "another port");
        assert!(!gate.admits(at("192.0.2.2:4000")), "another host");
        assert_eq!(gate.destination(), Some(at("192.0.2.1:4000")));
    }

    #[test]
    fn a_latch_closes_once_on_the_registered_host_and_never_again() {
        let registered = "198.51.100.7".parse().unwrap();
        let mut gate = Gate::of(at("10.0.0.5:4000"), SourcePolicy::Latch { registered });
        assert_eq!(gate.destination(), Some(at("198.51.100.7:4000")));
        assert!(!gate.is_elsewhere());
        assert!(
            !gate.admits(at("10.0.0.5:4002")),
            "neither the host nor the address"
        );
        assert!(gate.admits(at("198.51.100.7:61000")));
        assert_eq!(gate.destination(), Some(at("198.51.100.7:61000")));
        assert!(!gate.admits(at("198.51.100.7:61002")), "a second port");
        assert!(gate.admits(at("198.51.100.7:61000")));
    }

    #[test]
    fn media_of_a_carrier_may_come_from_another_host_than_its_signalling() {
        let registered = "203.0.113.10".parse().unwrap();
        let mut gate = Gate::of(at("203.0.113.20:30000"), SourcePolicy::Latch { registered });
        assert_eq!(gate.destination(), Some(at("203.0.113.20:30000")));
        assert!(gate.is_elsewhere() && !gate.is_latched());
        assert!(gate.admits(at("203.0.113.20:30000")));
        assert!(!gate.is_elsewhere() && gate.is_latched());
        assert!(!gate.admits(at("203.0.113.10:30000")), "it has latched");
    }

    #[test]
    fn a_far_end_moves_to_another_port_of_its_host_and_nowhere_else() {
        let mut gate = Gate::of(at("192.0.2.1:4000"), SourcePolicy::Strict);
        assert!(!gate.move_to(at("192.0.2.2:4000")));
        assert!(gate.move_to(at("192.0.2.1:61000")));
        assert!(gate.admits(at("192.0.2.1:61000")) && !gate.admits(at("192.0.2.1:4000")));
        assert_eq!(gate.destination(), Some(at("192.0.2.1:61000")));
        let mut beside = Gate::beside(at("192.0.2.1:61000"));
        assert_eq!(beside.destination(), Some(at("192.0.2.1:61001")));
        assert!(beside.admits(at("192.0.2.1:50123")));
        assert!(!Gate::Closed.move_to(at("192.0.2.1:4000")));
    }

    #[test]
    fn nothing_is_sent_to_a_wildcard_or_to_port_zero() {
        for address in ["0.0.0.0:4000", "192.0.2.1:0"] {
            let gate = Gate::of(at(address), SourcePolicy::Strict);
            assert_eq!(gate.destination(), None, "{address}");
        }
        assert!(!Gate::Closed.admits(at("192.0.2.1:4000")));
    }
}
