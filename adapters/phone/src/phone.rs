//! The phone's handle: register, call, be called.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::call::Call;
use crate::conformance::{Complaint, Complaints};
use crate::digest::Algorithm;
use crate::engine::run::{ORDERS_MAX, run_tcp, run_udp};
use crate::engine::websocket::{self, WebSocket};
use crate::engine::{Engine, IncomingParts, Order};
use crate::error::{Error, Result};
use crate::incoming::IncomingCall;
use crate::message::Message;
use crate::options::{CallOptions, PhoneOptions, Transport};
use crate::outgoing::OutgoingCall;

/// What a registrar answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterOutcome {
    /// 200.
    pub status: u16,
    /// Seconds granted to our contact; `None` if the answer does not list it.
    pub expires_s: Option<u32>,
    /// Every Contact value of the answer: all bindings of the address of record.
    pub contacts: Vec<String>,
    /// Challenges that had to be answered: 0 when the nonce of last time was still good.
    pub challenges: u32,
    /// The algorithm of the credentials; `None` if none were asked for.
    pub algorithm: Option<Algorithm>,
}

/// What an OPTIONS was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionsOutcome {
    /// The final status.
    pub status: u16,
    /// The methods in Allow.
    pub allow: Vec<String>,
    /// The whole response.
    pub response: Message,
}

/// A phone: one socket, one task. It ends, without a word, when it and the handles of its calls are dropped.
#[derive(Debug)]
pub struct Phone {
    options: Arc<PhoneOptions>,
    local: SocketAddr,
    orders: mpsc::Sender<Order>,
    complaints: Complaints,
    incoming: Mutex<mpsc::Receiver<IncomingParts>>,
}

impl Phone {
    /// Opens the socket and starts the task. Fails if the address cannot be bound, or over TCP or a WebSocket if the
    /// server does not accept the connection.
    pub async fn bind(options: PhoneOptions) -> Result<Self> {
        let mut seed = [0u8; 8];
        getrandom::fill(&mut seed)
            .map_err(|error| Error::Io(std::io::Error::other(error.to_string())))?;
        let socket = Socket::open(&options).await?;
        let (server, local) = (options.server, socket.local_addr()?);
        let local = reachable(local, server)?;
        let (orders, order_queue) = mpsc::channel(ORDERS_MAX);
        let (incoming_in, incoming) = mpsc::channel(options.incoming_max.max(1));
        let options = Arc::new(options);
        let seed = u64::from_ne_bytes(seed);
        let complaints = Complaints::default();
        let engine = Engine::new(
            Arc::clone(&options),
            local,
            seed,
            incoming_in,
            complaints.clone(),
        );
        match socket {
            Socket::Udp(socket) => tokio::spawn(run_udp(engine, socket, order_queue)),
            Socket::Tcp(stream) => tokio::spawn(run_tcp(engine, stream, order_queue)),
            Socket::Ws(socket) => {
                tokio::spawn(websocket::run(engine, *socket, server, order_queue))
            }
        };
        Ok(Self {
            options,
            local,
            orders,
            complaints,
            incoming: Mutex::new(incoming),
        })
    }

    /// The address of its SIP socket.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Its options.
    pub fn options(&self) -> &PhoneOptions {
        &self.options
    }

    /// What was wrong with messages that came and were used all the same, up to [`crate::COMPLAINTS_MAX`].
    pub fn complaints(&self) -> Vec<Complaint> {
        self.complaints.all()
    }

    async fn ask<T>(&self, order: impl FnOnce(oneshot::Sender<Result<T>>) -> Order) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.orders
            .send(order(reply))
            .await
            .map_err(|_| Error::PhoneGone)?;
        answer.await.map_err(|_| Error::PhoneGone)?
    }

    /// Binds its contact for `expires_s` seconds, answering challenges; called again it refreshes the binding under
    /// the same nonce. Fails with [`Error::Rejected`] or [`Error::Timeout`].
    pub async fn register(&self, expires_s: u32) -> Result<RegisterOutcome> {
        self.ask(|reply| Order::Register {
            expires_s,
            every_contact: false,
            reply,
        })
        .await
    }

    /// Removes its contact.
    pub async fn unregister(&self) -> Result<RegisterOutcome> {
        self.register(0).await
    }

    /// Removes every contact of its address of record (`Contact: *`).
    pub async fn unregister_all(&self) -> Result<RegisterOutcome> {
        self.ask(|reply| Order::Register {
            expires_s: 0,
            every_contact: true,
            reply,
        })
        .await
    }

    /// Sends OPTIONS to a user or URI, by way of the server.
    pub async fn options_ping(&self, target: &str) -> Result<OptionsOutcome> {
        self.ask(|reply| Order::Options {
            target: target.to_owned(),
            reply,
        })
        .await
    }

    /// Calls a user of the domain, or a URI. Returns as soon as the INVITE is out.
    pub async fn call(&self, target: &str, options: CallOptions) -> Result<OutgoingCall> {
        let (target, options) = (target.to_owned(), Box::new(options));
        let parts = self
            .ask(|reply| Order::Dial {
                target,
                options,
                reply,
            })
            .await?;
        let call = Call::new(
            parts.key,
            parts.call_id,
            self.orders.clone(),
            parts.media,
            parts.ends,
        );
        Ok(OutgoingCall::new(call))
    }

    /// The next call that comes in; `None` if the phone is gone. Nothing is answered until the call is told to.
    pub async fn next_incoming(&self) -> Option<IncomingCall> {
        let parts = self.incoming.lock().await.recv().await?;
        let call_id = parts
            .invite
            .header("Call-ID")
            .unwrap_or_default()
            .to_owned();
        let call = Call::new(
            parts.key,
            call_id,
            self.orders.clone(),
            parts.media,
            parts.ends,
        );
        Some(IncomingCall::new(call, parts.invite))
    }

    /// Pulls the plug or puts it back: while silent, nothing is sent and nothing that comes is seen.
    pub async fn set_silent(&self, silent: bool) -> Result<()> {
        self.orders
            .send(Order::Silent { silent })
            .await
            .map_err(|_| Error::PhoneGone)
    }
}

/// The socket of the chosen transport.
#[derive(Debug)]
enum Socket {
    Udp(UdpSocket),
    Tcp(TcpStream),
    Ws(Box<WebSocket>),
}

impl Socket {
    async fn open(options: &PhoneOptions) -> std::io::Result<Self> {
        match options.transport {
            Transport::Udp => Ok(Self::Udp(UdpSocket::bind(options.bind).await?)),
            Transport::Tcp => Ok(Self::Tcp(connect(options).await?)),
            Transport::Ws => {
                let stream = connect(options).await?;
                let socket = websocket::open(stream, options.server).await?;
                Ok(Self::Ws(Box::new(socket)))
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        match self {
            Self::Udp(socket) => socket.local_addr(),
            Self::Tcp(stream) => stream.local_addr(),
            Self::Ws(socket) => socket.get_ref().local_addr(),
        }
    }
}

async fn connect(options: &PhoneOptions) -> std::io::Result<TcpStream> {
    let socket = if options.bind.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.bind(options.bind)?;
    let stream = socket.connect(options.server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Our address as the server can reach it: an unspecified one is replaced by that of the route to the server.
fn reachable(local: SocketAddr, server: SocketAddr) -> std::io::Result<SocketAddr> {
    if !local.ip().is_unspecified() {
        return Ok(local);
    }
    // Connecting a UDP socket sends nothing; it only asks the routing table.
    let probe = std::net::UdpSocket::bind((local.ip(), 0))?;
    probe.connect(server)?;
    Ok(SocketAddr::new(probe.local_addr()?.ip(), local.port()))
}
