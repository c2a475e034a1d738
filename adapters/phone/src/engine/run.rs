//! The one task of a phone: its socket, its orders, its clock.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tracing::debug;

use super::{Engine, Order};
use crate::frames::Frames;

/// Orders that may wait for the task.
pub(crate) const ORDERS_MAX: usize = 64;
/// Larger than any message a phone of tests gets; 400 phones have one such buffer each.
const DATAGRAM_BYTES_MAX: usize = 16 * 1024;
/// How long the task sleeps when nothing is due.
const IDLE_MS: u64 = 60_000;
/// Datagrams taken in one go before orders and timers get their turn.
const BATCH_MAX: usize = 32;

impl Engine {
    /// The next bytes to send, in order.
    pub(super) fn take_output(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        self.out
            .drain(..)
            .map(|outgoing| (outgoing.to, outgoing.bytes))
            .collect()
    }

    /// When to wake up at the latest.
    pub(super) fn wake_at(&self) -> tokio::time::Instant {
        let idle = Instant::now() + Duration::from_millis(IDLE_MS);
        self.next_deadline().unwrap_or(idle).min(idle).into()
    }
}

/// Runs until the phone and the handles of its calls are gone.
pub(crate) async fn run_udp(
    mut engine: Engine,
    socket: UdpSocket,
    mut orders: mpsc::Receiver<Order>,
) {
    let mut buffer = vec![0u8; DATAGRAM_BYTES_MAX];
    loop {
        let wake_at = engine.wake_at();
        tokio::select! {
            received = socket.recv_from(&mut buffer) => {
                on_datagram(&mut engine, received, &buffer);
                for _ in 1..BATCH_MAX {
                    match socket.try_recv_from(&mut buffer) {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                        received => on_datagram(&mut engine, received, &buffer),
                    }
                }
            }
            order = orders.recv() => match order {
                Some(order) => engine.on_order(Instant::now(), order),
                None => break,
            },
            () = tokio::time::sleep_until(wake_at) => {}
        }
        engine.on_time(Instant::now());
        for (to, bytes) in engine.take_output() {
            if let Err(error) = socket.send_to(&bytes, to).await {
                debug!(%error, %to, "datagram was not sent"); // like one that was lost: it is repeated
            }
        }
    }
    engine.close(Instant::now());
}

fn on_datagram(engine: &mut Engine, received: io::Result<(usize, SocketAddr)>, buffer: &[u8]) {
    match received {
        Ok((length, from)) => engine.on_bytes(Instant::now(), from, &buffer[..length]),
        Err(error) => debug!(%error, "datagram was not received"),
    }
}

/// Runs until the phone and the handles of its calls are gone, or the connection is. Whatever is sent goes over the one
/// connection to the server (RFC 5626 in spirit): there is no second one to find.
pub(crate) async fn run_tcp(
    mut engine: Engine,
    mut stream: TcpStream,
    mut orders: mpsc::Receiver<Order>,
) {
    let mut buffer = vec![0u8; DATAGRAM_BYTES_MAX];
    let mut frames = Frames::default();
    let Ok(peer) = stream.peer_addr() else { return };
    let reason = loop {
        let wake_at = engine.wake_at();
        tokio::select! {
            received = stream.read(&mut buffer) => match received {
                Ok(0) => break "closed by the server",
                Ok(length) => frames.push(&buffer[..length]),
                Err(_) => break "reset",
            },
            order = orders.recv() => match order {
                Some(order) => engine.on_order(Instant::now(), order),
                None => break "phone is put away",
            },
            () = tokio::time::sleep_until(wake_at) => {}
        }
        let framed = loop {
            match frames.next() {
                Ok(Some(message)) => engine.on_bytes(Instant::now(), peer, &message),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        if !framed {
            break "unframed";
        }
        engine.on_time(Instant::now());
        let bytes = engine
            .take_output()
            .into_iter()
            .flat_map(|(_, bytes)| bytes)
            .collect::<Vec<_>>();
        if stream.write_all(&bytes).await.is_err() {
            break "reset";
        }
    };
    debug!(reason, "connection ended");
    engine.close(Instant::now());
}
