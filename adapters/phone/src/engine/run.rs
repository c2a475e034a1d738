//! The one task of a phone: its socket, its orders, its clock.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tracing::debug;

use super::{Engine, Order};

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
    fn take_output(&mut self) -> Vec<(SocketAddr, Vec<u8>)> {
        self.out
            .drain(..)
            .map(|outgoing| (outgoing.to, outgoing.bytes))
            .collect()
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
        let idle = Instant::now() + Duration::from_millis(IDLE_MS);
        let due = engine.next_deadline().unwrap_or(idle).min(idle);
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
            () = tokio::time::sleep_until(due.into()) => {}
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
