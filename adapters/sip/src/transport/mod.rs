//! Sockets: bytes in, stamped with where they came from; bytes out.

mod room;
pub mod tcp;
pub mod udp;

use crate::boundary::{self, Origin};
use std::{fmt, net::SocketAddr};

/// How bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream, framed by Content-Length.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

/// A way to and from one peer: the address a message came from. For TCP it
/// names the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    /// How.
    pub transport: Transport,
    /// The far end.
    pub peer: SocketAddr,
}

impl Flow {
    /// What the boundary must know of a message that came this way.
    pub const fn origin(self) -> Origin {
        Origin {
            source: self.peer,
            transport: match self.transport {
                Transport::Udp => boundary::Transport::Udp,
                Transport::Tcp => boundary::Transport::Tcp,
            },
        }
    }
}
