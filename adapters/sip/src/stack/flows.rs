//! Our sockets as the crate's connections, one per peer, so that a transaction
//! knows where its request came from.

use crate::{
    boundary,
    transport::{Flow, Transport},
};
use async_trait::async_trait;
use rsipstack::{
    platform::{mpsc, net},
    sip::SipMessage,
    transport::{
        SipAddr, SipConnection, TransportEvent,
        channel::ChannelConnection,
        udp::{UdpConnection, UdpInner},
    },
};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::net::UdpSocket;

/// Messages that wait for the slow peer of a connection before its transactions wait too.
const QUEUE_MAX: usize = 256;

/// Our UDP socket, as the crate sends through it. Reading is ours alone.
struct Port {
    socket: Arc<UdpSocket>,
    /// What can not be sent counts as lost on the way. A response is repeated by the
    /// timers of its transaction, or asked for again; the crate would stay where it is
    /// on an error, without any timer and for ever.
    loses: bool,
}

#[async_trait]
impl net::UdpSocket for Port {
    async fn recv_from(&self, _: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        std::future::pending().await
    }

    async fn send_to(&self, bytes: &[u8], peer: SocketAddr) -> rsipstack::Result<usize> {
        let sent = self.socket.send_to(&boundary::outgoing(bytes), peer).await;
        match sent {
            Err(error) if self.loses => {
                tracing::debug!(%error, "response was not sent");
                Ok(bytes.len())
            }
            sent => Ok(sent?),
        }
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }
}

pub(super) struct Flows {
    /// For responses.
    answers: Arc<Port>,
    /// For requests.
    requests: Arc<Port>,
    connections: Mutex<HashMap<Flow, Connection>>,
}

/// A connection that is open.
#[derive(Clone)]
struct Connection {
    channel: ChannelConnection,
    raw: tokio::sync::mpsc::Sender<Vec<u8>>,
}

/// The crate's form of a flow's far end.
pub(super) fn address(flow: Flow) -> SipAddr {
    let transport = match flow.transport {
        Transport::Udp => rsipstack::sip::Transport::Udp,
        Transport::Tcp => rsipstack::sip::Transport::Tcp,
        Transport::Ws => rsipstack::sip::Transport::Ws,
    };
    SipAddr {
        r#type: Some(transport),
        addr: flow.peer.into(),
    }
}

impl Flows {
    pub(super) fn new(udp: Arc<UdpSocket>) -> std::io::Result<Self> {
        udp.local_addr()?;
        let port = |loses| {
            let socket = udp.clone();
            Arc::new(Port { socket, loses })
        };
        Ok(Self {
            answers: port(true),
            requests: port(false),
            connections: Mutex::default(),
        })
    }

    /// The way back to whom a message came from; `None` when its connection is
    /// gone.
    pub(super) async fn way_back(&self, flow: Flow) -> Option<SipConnection> {
        self.connection(flow, &self.answers).await
    }

    /// The way out for a request of ours; `None` when the peer's connection is
    /// gone.
    pub(super) async fn way_out(&self, flow: Flow) -> Option<SipConnection> {
        self.connection(flow, &self.requests).await
    }

    async fn connection(&self, flow: Flow, port: &Arc<Port>) -> Option<SipConnection> {
        match flow.transport {
            Transport::Udp => {
                // Its "own" address is the peer's: the only one that the crate
                // hands back with a request.
                let inner = UdpInner {
                    conn: port.clone(),
                    addr: address(flow),
                };
                Some(UdpConnection::attach(inner, None, None).await.into())
            }
            Transport::Tcp | Transport::Ws => self
                .open_one(flow)
                .map(|open| SipConnection::Channel(open.channel)),
        }
    }

    pub(super) async fn send_raw(&self, bytes: &[u8], flow: Flow) {
        match flow.transport {
            Transport::Udp => {
                if let Err(error) = self.requests.socket.send_to(bytes, flow.peer).await {
                    tracing::debug!(%error, "datagram was not sent");
                }
            }
            Transport::Tcp | Transport::Ws => {
                if let Some(open) = self.open_one(flow)
                    && open.raw.try_send(bytes.to_vec()).is_err()
                {
                    tracing::debug!(transport = %flow.transport, "peer does not read");
                }
            }
        }
    }

    pub(super) async fn open(&self, flow: Flow) -> tokio::sync::mpsc::Receiver<Vec<u8>> {
        let (raw, bytes) = tokio::sync::mpsc::channel(QUEUE_MAX);
        let (outgoing, messages) = mpsc::channel(QUEUE_MAX);
        let (_, nothing) = mpsc::unbounded_channel();
        let channel =
            ChannelConnection::create_connection_bounded(nothing, outgoing, address(flow), None)
                .await;
        if let Ok(channel) = channel {
            tokio::spawn(pump(messages, raw.clone()));
            self.lock().insert(flow, Connection { channel, raw });
        }
        bytes
    }

    pub(super) fn close(&self, flow: Flow) {
        self.lock().remove(&flow);
    }

    pub(super) fn is_open(&self, flow: Flow) -> bool {
        match flow.transport {
            Transport::Udp => true,
            Transport::Tcp | Transport::Ws => self.lock().contains_key(&flow),
        }
    }

    fn open_one(&self, flow: Flow) -> Option<Connection> {
        self.lock().get(&flow).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Flow, Connection>> {
        let connections = self.connections.lock();
        connections.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Turns the crate's messages for one connection into bytes. What comes for one that
/// is gone is lost, as over UDP (see [`Port`]); it ends with the last transaction that
/// knows the connection.
async fn pump(
    mut messages: mpsc::Receiver<TransportEvent>,
    bytes: tokio::sync::mpsc::Sender<Vec<u8>>,
) {
    while let Some(event) = messages.recv().await {
        let message: SipMessage = match event {
            TransportEvent::Incoming(message, _, _) => message,
            TransportEvent::New(_) | TransportEvent::Closed(_) => continue,
        };
        let message = boundary::outgoing(&message.to_bytes()).into_owned();
        if bytes.send(message).await.is_err() {
            tracing::debug!("message for a closed connection");
        }
    }
}
