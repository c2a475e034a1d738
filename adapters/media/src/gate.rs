//! Whose packets a socket takes and where its answers go. Pure.

use crate::remote::SourcePolicy;
use std::net::{IpAddr, SocketAddr};

/// The source check of one socket. It never learns a second address without
/// signalling, so a stranger can neither be heard nor pull the media away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Nobody is known yet: nothing is taken, nothing is sent.
    Closed,
    /// Exactly this address.
    Fixed(SocketAddr),
    /// The first packet from this host; until then we send to the port of the SDP.
    Waiting { host: IpAddr, port: u16 },
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
                port: address.port(),
            },
        }
    }

    /// Whether a packet from there is taken; the first right one latches.
    pub(crate) fn admits(&mut self, from: SocketAddr) -> bool {
        let from = plain(from);
        match *self {
            Self::Closed => false,
            Self::Fixed(address) | Self::Latched(address) => address == from,
            Self::Waiting { host, .. } => {
                let right = from.ip() == host;
                if right {
                    *self = Self::Latched(from);
                }
                right
            }
        }
    }

    /// Where to send. Port 0 and a wildcard address mean nowhere: a refused
    /// stream (RFC 3264 section 6) and the old form of hold (its section 8.4).
    pub(crate) fn destination(&self) -> Option<SocketAddr> {
        let address = match *self {
            Self::Closed => return None,
            Self::Fixed(address) | Self::Latched(address) => address,
            Self::Waiting { host, port } => SocketAddr::new(host, port),
        };
        (address.port() != 0 && !address.ip().is_unspecified()).then_some(address)
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
        assert!(!gate.admits(at("10.0.0.5:4000")), "not the registered host");
        assert!(gate.admits(at("198.51.100.7:61000")));
        assert_eq!(gate.destination(), Some(at("198.51.100.7:61000")));
        assert!(!gate.admits(at("198.51.100.7:61002")), "a second port");
        assert!(gate.admits(at("198.51.100.7:61000")));
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
