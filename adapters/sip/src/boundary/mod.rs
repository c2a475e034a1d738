//! The one way in for bytes. Every datagram and every message of a connection
//! is inspected here before the stack sees it: passed on in the one form that
//! the stack reads right, answered statelessly, or dropped.
//!
//! Pure: no socket, no clock. It knows RFC 3261's syntax and nothing of calls.

mod answer;
mod name_addr;
mod outgoing;
mod passing;
mod request;
mod response;
pub mod stream;
mod syntax;
mod uri;
mod via;
mod wire;

use std::net::SocketAddr;

pub use outgoing::outgoing;
pub use passing::Passing;

/// Most bytes of start line and headers. RFC 4475's longest message has 3.5 KB.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Most bytes of a body: a session description has 0.3 to 4 KB.
pub const BODY_BYTES_MAX: usize = 32 * 1024;

/// Most bytes of a message on any transport.
pub const MESSAGE_BYTES_MAX: usize = HEAD_BYTES_MAX + BODY_BYTES_MAX;

/// Longest Call-ID, in bytes: it is a key in every map of the stack.
pub const CALL_ID_BYTES_MAX: usize = 512;

/// The option tags this server understands in `Require` (RFC 3261, 8.2.2.3).
/// 100rel is not among them: provisional responses are sent unreliably.
pub const SUPPORTED_OPTIONS: [&str; 0] = [];

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One datagram, one message.
    Udp,
    /// Cut out of a byte stream by [`stream::Framer`].
    Tcp,
    /// One message of a WebSocket, one message (RFC 7118, 5.1).
    Ws,
}

/// Where a message came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The address the packet or connection came from.
    pub source: SocketAddr,
    /// How it came.
    pub transport: Transport,
}

/// What to do with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Hand it to the stack, in these bytes: headers unfolded and in long form,
    /// Content-Length true, `received` and `rport` set in the top Via.
    Pass(Vec<u8>),
    /// Send these bytes back, and forget the request.
    Answer {
        /// The whole response.
        bytes: Vec<u8>,
        /// Where it goes over UDP; else it goes back on the connection.
        to: SocketAddr,
        /// Its status code.
        status: u16,
    },
    /// Say nothing.
    Drop(DropReason),
}

/// Why a message is dropped in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// Only line ends, or a STUN keepalive (RFC 5626, 4.4.2).
    Keepalive,
    /// No SIP message at all.
    NotSip,
    /// A malformed ACK: an ACK is never answered (RFC 3261, 17).
    BadAck,
    /// A malformed request without a Via to answer along.
    Unanswerable,
    /// A response that no request of ours can have caused, or that is malformed.
    BadResponse,
}

impl DropReason {
    /// Label for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keepalive => "keepalive",
            Self::NotSip => "not_sip",
            Self::BadAck => "bad_ack",
            Self::Unanswerable => "unanswerable",
            Self::BadResponse => "bad_response",
        }
    }
}

/// Judges one message.
pub fn inspect(bytes: &[u8], origin: Origin) -> Verdict {
    // The first two bits of STUN are zero, so that its first byte is below any
    // letter; line ends alone keep a NAT binding open.
    if bytes
        .iter()
        .all(|byte| byte.is_ascii_whitespace() || *byte == 0)
        || bytes[0] < 4
    {
        return Verdict::Drop(DropReason::Keepalive);
    }
    let Some(wire) = wire::split(bytes) else {
        return Verdict::Drop(DropReason::NotSip);
    };
    if wire.start.starts_with(b"SIP/") {
        return response::inspect(&wire, origin.transport);
    }
    request::inspect(&wire, origin)
}

/// Where the answer to a request with that top Via goes (RFC 3261, 18.2.2; RFC 3581, 4);
/// none when nobody can be there.
pub fn reply_to(via: &str, origin: Origin) -> Option<SocketAddr> {
    let to = via::Via::parse(via).map_or(origin.source, |via| via.reply_to(origin));
    (via::is_unicast(to.ip()) && to.port() != 0).then_some(to)
}

/// The body by Content-Length: the rest of a datagram (RFC 3261, 18.3) or of a
/// WebSocket's message (RFC 7118, 5.1) if there is none, cut to it if there is more,
/// refused if there is less.
fn body<'a>(wire: &wire::Wire<'a>, transport: Transport) -> Result<&'a [u8], syntax::Fault> {
    let Some(length) = wire.get("Content-Length") else {
        return match transport {
            Transport::Udp | Transport::Ws => Ok(wire.body),
            Transport::Tcp => Err("missing Content-Length"),
        };
    };
    let length = syntax::number(length).ok_or("malformed Content-Length")?;
    usize::try_from(length)
        .ok()
        .and_then(|length| wire.body.get(..length))
        .ok_or("Content-Length does not match the body")
}

/// Prints a message with its true Content-Length.
fn print(start: &str, fields: &[(&str, String)], body: &[u8]) -> Vec<u8> {
    let size: usize = fields
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    let mut out = Vec::with_capacity(start.len() + size + body.len() + 32);
    out.extend_from_slice(start.as_bytes());
    out.extend_from_slice(b"\r\n");
    for (name, value) in fields {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend(value.bytes().map(printable));
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    out.extend_from_slice(body);
    out
}

/// Control characters in quoted pairs are legal; the stack and our own answers
/// are spared them.
fn printable(byte: u8) -> u8 {
    if byte.is_ascii_control() && byte != b'\t' {
        b' '
    } else {
        byte
    }
}
