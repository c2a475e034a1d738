//! TCP connections: messages framed by their Content-Length (RFC 3261, 18.3).

use super::{Flow, Transport, room::Room};
use crate::{
    boundary::stream::{Frame, Framer},
    ingress::Ingress,
};
use socket2::{SockRef, TcpKeepalive};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

/// How long one write may take before the peer counts as gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is silent before its far end is asked whether it is there,
/// how often, and how many answers may be missing: one that a NAT has forgotten costs
/// a place for two minutes and no longer.
const KEEPALIVE: (Duration, Duration, u32) = (Duration::from_secs(60), Duration::from_secs(15), 4);

/// How much is read at once, in bytes.
const READ_BYTES: usize = 4096;

/// What connections may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many at a time: each costs memory for as long as its peer likes.
    pub connections_max: usize,
    /// After that a connection must be needed: a phone is registered over it, or a call
    /// goes over it.
    pub trial: Duration,
    /// How long one without a call may be silent.
    pub idle_timeout: Duration,
}

/// Accepts connections within these limits until `shutdown`.
pub async fn listen(
    listener: TcpListener,
    ingress: Arc<Ingress>,
    limits: Limits,
    shutdown: CancellationToken,
) {
    let room = Arc::new(Room::new(limits.connections_max));
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let closed = shutdown.child_token();
                let needed = || ingress.needed();
                let Some(number) = room.enter(peer, Instant::now(), &closed, needed) else {
                    metrics::counter!("ringledger_sip_connections_refused_total").increment(1);
                    continue;
                };
                let (room, ingress) = (room.clone(), ingress.clone());
                tokio::spawn(async move {
                    serve(stream, peer, ingress, limits, closed).await;
                    room.leave(number);
                });
            }
            // Out of descriptors: wait for some to come back.
            Err(error) => {
                tracing::warn!(%error, "tcp connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    ingress: Arc<Ingress>,
    limits: Limits,
    closed: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    if let Err(error) = keep_alive(&stream) {
        tracing::debug!(%error, "connection is not kept alive");
    }
    let (reader, writer) = stream.into_split();
    let outgoing = ingress.stack().open_tcp(peer).await;
    let writing = tokio::spawn(write(writer, outgoing, closed.clone()));
    tokio::select! {
        () = closed.cancelled() => {}
        () = read(reader, peer, &ingress, limits.idle_timeout) => {}
        () = trial(peer, &ingress, limits.trial) => {}
    }
    ingress.closed(peer);
    closed.cancel();
    let _ = writing.await;
}

/// Ends when a connection has had its time and nobody needs it: whoever means to call
/// or to register has done so by then.
async fn trial(peer: SocketAddr, ingress: &Ingress, time: Duration) {
    tokio::time::sleep(time).await;
    if ingress.needed().contains(&peer) {
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

/// Writes until told to stop; what is queued by then still goes out, so that
/// the answer to a broken frame is heard.
async fn write(
    mut writer: OwnedWriteHalf,
    mut outgoing: mpsc::Receiver<Vec<u8>>,
    closed: CancellationToken,
) {
    loop {
        let bytes = tokio::select! {
            biased;
            bytes = outgoing.recv() => bytes,
            () = closed.cancelled() => return,
        };
        let Some(bytes) = bytes else { return };
        let written = tokio::time::timeout(WRITE_TIMEOUT, writer.write_all(&bytes)).await;
        if !matches!(written, Ok(Ok(()))) {
            closed.cancel();
            return;
        }
    }
}

async fn read(
    mut reader: OwnedReadHalf,
    peer: SocketAddr,
    ingress: &Ingress,
    idle_timeout: Duration,
) {
    let flow = Flow {
        transport: Transport::Tcp,
        peer,
    };
    let mut framer = Framer::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        while let Some(frame) = framer.next_frame() {
            match frame {
                Frame::Message(message) => ingress.receive(&message, flow).await,
                // RFC 5626, 4.4.1: a double CRLF is answered with one.
                Frame::Ping => ingress.stack().send_raw(b"\r\n", flow).await,
                // Where the next message starts is unknown from here on.
                Frame::Last(message) => {
                    ingress.receive(&message, flow).await;
                    return;
                }
                Frame::Overflow => return,
            }
        }
        let read = tokio::time::timeout(idle_timeout, reader.read(&mut buffer)).await;
        match read {
            Ok(Ok(length @ 1..)) => framer.push(&buffer[..length]),
            // Nothing need be said during a call, and its BYE must find a way.
            Err(_) if ingress.is_used(flow) => {}
            Ok(_) | Err(_) => return,
        }
    }
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
