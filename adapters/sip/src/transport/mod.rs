//! Sockets: bytes in, stamped with where they came from; bytes out.

pub mod connections;
mod room;
mod tcp;
pub mod udp;
mod ws;

use crate::boundary::{self, Origin};
use std::{fmt, net::SocketAddr};

/// How bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream, framed by Content-Length.
    Tcp,
    /// A WebSocket, one message in each of its messages (RFC 7118).
    Ws,
}

impl Transport {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Ws];

    /// As in a Via (RFC 3261, 20.42; RFC 7118, 5.2.1).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Ws => "WS",
        }
    }

    /// As at the end of a URI of ours (RFC 3261, 19.1.1; RFC 7118, 5.2.2). UDP is what
    /// a URI without it means.
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Udp => "",
            Self::Tcp => ";transport=tcp",
            Self::Ws => ";transport=ws",
        }
    }

    /// The one of that name in a Via.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// Whether a flow is a connection: its far end is reached over it and in no other
    /// way (RFC 5923; RFC 7118, 5), and it can be gone.
    pub const fn is_connection(self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp | Self::Ws => true,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Transport> for boundary::Transport {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp => Self::Udp,
            Transport::Tcp => Self::Tcp,
            Transport::Ws => Self::Ws,
        }
    }
}

/// A way to and from one peer: the address a message came from. With a connection
/// it names that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    /// How.
    pub transport: Transport,
    /// The far end.
    pub peer: SocketAddr,
}

impl Flow {
    /// What the boundary must know of a message that came this way.
    pub fn origin(self) -> Origin {
        Origin {
            source: self.peer,
            transport: self.transport.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transport_is_found_again_by_its_name_and_only_udp_has_no_connections() {
        for transport in Transport::ALL {
            assert_eq!(Transport::named(transport.name()), Some(transport));
            let is_udp = transport == Transport::Udp;
            assert_eq!(transport.is_connection(), !is_udp);
            assert_eq!(transport.parameter().is_empty(), is_udp);
        }
        assert_eq!(Transport::named("SCTP"), None);
    }
}
