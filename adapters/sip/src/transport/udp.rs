//! The UDP socket: one datagram, one message.

use super::{Flow, Transport};
use crate::ingress::Ingress;
use std::{net::SocketAddr, sync::Arc};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

/// The largest datagram there is.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// Kernel buffer for datagrams that have come but are not read yet, in bytes:
/// a burst of INVITEs must survive a pause of the reader.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Binds the socket.
///
/// # Errors
/// If the address is taken or not ours.
pub fn bind(listen: SocketAddr) -> std::io::Result<UdpSocket> {
    let domain = socket2::Domain::for_address(listen);
    let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None)?;
    // The kernel gives what it allows; less is no reason not to start.
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
    socket.set_nonblocking(true)?;
    socket.bind(&listen.into())?;
    UdpSocket::from_std(socket.into())
}

/// Reads datagrams until `shutdown`.
pub async fn run(socket: Arc<UdpSocket>, ingress: Arc<Ingress>, shutdown: CancellationToken) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        let received = tokio::select! {
            () = shutdown.cancelled() => return,
            received = socket.recv_from(&mut buffer) => received,
        };
        match received {
            Ok((length, peer)) => {
                let flow = Flow {
                    transport: Transport::Udp,
                    peer,
                };
                ingress.receive(&buffer[..length], flow).await;
            }
            // An ICMP error of an earlier datagram; the socket lives on.
            Err(error) => tracing::debug!(%error, "datagram was not received"),
        }
    }
}
