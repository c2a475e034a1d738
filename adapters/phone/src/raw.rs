//! A bare UDP socket for torture tests: any bytes out, everything that comes back in.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::time::timeout_at;

use crate::error::Result;
use crate::message::Message;

/// The largest UDP datagram.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// Datagrams kept of one collection; a flood is cut off here.
pub const COLLECTED_MAX: usize = 1000;

/// One datagram that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Who sent it.
    pub from: SocketAddr,
    /// When it came.
    pub at: Instant,
}

impl Received {
    /// The SIP message in it, if it is one.
    pub fn message(&self) -> Option<Message> {
        Message::parse(&self.bytes).ok()
    }

    /// The status, if it is a response.
    pub fn status(&self) -> Option<u16> {
        self.message()?.status()
    }
}

/// A socket without any SIP behind it.
#[derive(Debug)]
pub struct RawSocket {
    socket: UdpSocket,
    server: SocketAddr,
    local: SocketAddr,
}

impl RawSocket {
    /// Binds `bind` (port 0 for any) and remembers where to send.
    pub async fn bind(bind: SocketAddr, server: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind(bind).await?;
        let local = socket.local_addr()?;
        Ok(Self {
            socket,
            server,
            local,
        })
    }

    /// The same socket, sending to another server.
    #[must_use]
    pub fn aimed_at(self, server: SocketAddr) -> Self {
        Self { server, ..self }
    }

    /// Its own address, for Via and Contact.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Sends one datagram to the server.
    pub async fn send(&self, bytes: &[u8]) -> Result<()> {
        self.socket.send_to(bytes, self.server).await?;
        Ok(())
    }

    /// The next datagram, or `None` if none comes in time.
    pub async fn receive(&self, within: Duration) -> Result<Option<Received>> {
        let deadline = tokio::time::Instant::now() + within;
        let mut buffer = vec![0u8; DATAGRAM_BYTES_MAX];
        match timeout_at(deadline, self.socket.recv_from(&mut buffer)).await {
            Ok(received) => {
                let (length, from) = received?;
                buffer.truncate(length);
                Ok(Some(Received {
                    bytes: buffer,
                    from,
                    at: Instant::now(),
                }))
            }
            Err(_) => Ok(None),
        }
    }

    /// Sends one datagram and collects everything that comes until `within` has passed.
    pub async fn send_and_collect(&self, bytes: &[u8], within: Duration) -> Result<Vec<Received>> {
        self.send_and_collect_until(bytes, within, |_| false).await
    }

    /// The same, but returns at once when `enough` is satisfied with what came so far.
    pub async fn send_and_collect_until(
        &self,
        bytes: &[u8],
        within: Duration,
        enough: impl Fn(&[Received]) -> bool,
    ) -> Result<Vec<Received>> {
        self.send(bytes).await?;
        let deadline = Instant::now() + within;
        let mut collected = Vec::new();
        while collected.len() < COLLECTED_MAX && !enough(&collected) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.receive(left).await? {
                Some(received) => collected.push(received),
                None => break,
            }
        }
        Ok(collected)
    }

    /// Sends one datagram and returns the first final response that comes.
    pub async fn send_and_wait_final(
        &self,
        bytes: &[u8],
        within: Duration,
    ) -> Result<Option<Message>> {
        let last = |all: &[Received]| all.last().and_then(Received::status);
        let collected = self
            .send_and_collect_until(bytes, within, |all| last(all).is_some_and(|s| s >= 200))
            .await?;
        Ok(collected
            .last()
            .and_then(Received::message)
            .filter(|m| m.status().is_some_and(|s| s >= 200)))
    }
}
