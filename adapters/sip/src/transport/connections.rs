//! The connections that phones and callers open, TCP and WebSocket: who is let in, for
//! how long, and what ends one.

use super::{Flow, Transport, room::Room, tcp, ws};
use crate::ingress::Ingress;
use socket2::{SockRef, TcpKeepalive};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// How long one write may take before the peer counts as gone.
pub(super) const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is silent before its far end is asked whether it is there,
/// how often, and how many answers may be missing: one that a NAT has forgotten costs
/// a place for two minutes and no longer.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(60), Duration::from_secs(15), 4);

/// What connections may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many at a time, of all listeners together: each costs memory for as long as
    /// its peer likes.
    pub connections_max: usize,
    /// After that a connection must be needed: a phone is registered over it, or a call
    /// goes over it.
    pub trial: Duration,
    /// How long one without a call may be silent.
    pub idle_timeout: Duration,
    /// How often the far end of a WebSocket is asked whether it is there.
    pub ping_interval: Duration,
}

/// How messages stand in the bytes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// One after the other, by their Content-Length (RFC 3261, 18.3).
    Stream,
    /// Each in a message of a WebSocket (RFC 7118, 5.1).
    WebSocket,
}

impl Framing {
    const fn transport(self) -> Transport {
        match self {
            Self::Stream => Transport::Tcp,
            Self::WebSocket => Transport::Ws,
        }
    }
}

/// Takes connections in; cheap to clone. All listeners of a server share the room.
#[derive(Clone)]
pub struct Connections {
    room: Arc<Room>,
    ingress: Arc<Ingress>,
    limits: Limits,
    shutdown: CancellationToken,
}

/// A connection that was let in.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) flow: Flow,
    pub(super) ingress: Arc<Ingress>,
    pub(super) limits: Limits,
    /// Ends it.
    pub(super) closed: CancellationToken,
}

impl Connections {
    /// Within these limits, until `shutdown`.
    pub fn new(ingress: Arc<Ingress>, limits: Limits, shutdown: CancellationToken) -> Self {
        Self {
            room: Arc::new(Room::new(limits.connections_max)),
            ingress,
            limits,
            shutdown,
        }
    }

    /// Accepts at a listener.
    pub async fn listen(self, listener: TcpListener, framing: Framing) {
        loop {
            let accepted = tokio::select! {
                () = self.shutdown.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let transport = framing.transport();
                    self.admit(stream, Flow { transport, peer }, framing);
                }
                // Out of descriptors: wait for some to come back.
                Err(error) => {
                    tracing::warn!(%error, "connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn admit(&self, stream: TcpStream, flow: Flow, framing: Framing) {
        let closed = self.shutdown.child_token();
        let needed = || self.ingress.needed();
        let Some(number) = self.room.enter(flow, Instant::now(), &closed, needed) else {
            metrics::counter!("ringledger_sip_connections_refused_total").increment(1);
            return;
        };
        let _ = stream.set_nodelay(true);
        if let Err(error) = keep_alive(&stream) {
            tracing::debug!(%error, "connection is not kept alive");
        }
        let room = self.room.clone();
        let connection = Connection {
            stream,
            flow,
            ingress: self.ingress.clone(),
            limits: self.limits,
            closed,
        };
        tokio::spawn(async move {
            match framing {
                Framing::Stream => tcp::serve(connection).await,
                Framing::WebSocket => ws::serve(connection).await,
            }
            room.leave(number);
        });
    }
}

/// Ends when a connection has had its time and nobody needs it: whoever means to call
/// or to register has done so by then.
pub(super) async fn trial(flow: Flow, ingress: &Ingress, time: Duration) {
    tokio::time::sleep(time).await;
    if ingress.needed().contains(&flow) {
        std::future::pending::<()>().await;
    }
}

fn keep_alive(stream: &TcpStream) -> std::io::Result<()> {
    let (idle, interval, retries) = KEEPALIVE;
    let keepalive = TcpKeepalive::new()
        .with_time(idle)
        .with_interval(interval)
        .with_retries(retries);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_far_end_of_a_silent_connection_is_asked_whether_it_is_there() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _far = TcpStream::connect(address).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        keep_alive(&stream).unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap());
        let (idle, interval, retries) = KEEPALIVE;
        assert_eq!(socket.tcp_keepalive_time().unwrap(), idle);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), interval);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), retries);
    }
}
