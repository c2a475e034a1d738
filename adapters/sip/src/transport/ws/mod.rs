//! WebSockets: a browser's phone, or one behind a proxy that speaks HTTP (RFC 7118).
//! Each of its messages is one SIP message, as text or binary (5.1 and 4.2 there).

mod end;
mod handshake;

use super::{
    Flow,
    connections::{Connection, WRITE_TIMEOUT, trial},
};
use crate::{
    boundary::{self, DropReason},
    ingress::Ingress,
};
use end::End;
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Bytes, Message,
        protocol::{CloseFrame, WebSocketConfig},
    },
};

/// How many pings in a row may be without an answer.
const PINGS_UNANSWERED_MAX: u32 = 3;

/// How long a far end has to hear why its connection is closed, and to close it.
const LEAVE_TIME_MAX: Duration = Duration::from_secs(1);

/// What a connection reads ahead at least, in bytes; there may be thousands of them.
const READ_BYTES: usize = 4096;

/// What waits inside the socket to be written, in bytes: a message, and the answers to
/// a ping and a close.
const WRITE_BYTES_MAX: usize = 2 * boundary::MESSAGE_BYTES_MAX;

type Socket = WebSocketStream<TcpStream>;
type Sender = SplitSink<Socket, Message>;

/// Bounds what a far end can make us keep.
fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BYTES_MAX)
        .max_message_size(Some(boundary::MESSAGE_BYTES_MAX))
        .max_frame_size(Some(boundary::MESSAGE_BYTES_MAX))
}

/// Serves a connection to its end.
pub(super) async fn serve(connection: Connection) {
    let Connection {
        stream,
        flow,
        ingress,
        limits,
        closed,
    } = connection;
    let opened = tokio::select! {
        () = closed.cancelled() => None,
        opened = handshake::accept(stream) => opened,
    };
    let Some(socket) = opened else { return };
    let (mut sender, mut receiver) = socket.split();
    let mut outgoing = ingress.stack().open(flow).await;
    let unanswered = AtomicU32::new(0);
    // One task for both ways, but neither waits for the other: what is read may have to
    // wait until what it asks for is written.
    let end = tokio::select! {
        () = closed.cancelled() => End::Stopped,
        () = trial(flow, &ingress, limits.trial) => End::Unneeded,
        end = read(&mut receiver, flow, &ingress, limits.idle_timeout, &unanswered) => end,
        end = write(&mut sender, &mut outgoing, limits.ping_interval, &unanswered) => end,
    };
    ingress.closed(flow);
    metrics::counter!("ringledger_sip_websockets_closed_total", "reason" => end.as_str())
        .increment(1);
    if let Ok(socket) = sender.reunite(receiver) {
        let _ = timeout(LEAVE_TIME_MAX, leave(socket, outgoing, end)).await;
    }
}

async fn read(
    receiver: &mut SplitStream<Socket>,
    flow: Flow,
    ingress: &Ingress,
    idle_timeout: Duration,
    unanswered: &AtomicU32,
) -> End {
    let mut heard = Instant::now();
    loop {
        // Pings and their answers show that the far end is there, not that it is needed.
        let left = idle_timeout.saturating_sub(heard.elapsed());
        let message = match timeout(left, receiver.next()).await {
            Ok(Some(Ok(message))) => message,
            Ok(Some(Err(error))) => return End::of(&error),
            Ok(None) => return End::Gone,
            // Nothing need be said during a call, and its BYE must find a way.
            Err(_) if ingress.is_used(flow) => {
                heard = Instant::now();
                continue;
            }
            Err(_) => return End::Idle,
        };
        unanswered.store(0, Ordering::Relaxed);
        let bytes = match &message {
            Message::Text(text) => text.as_bytes(),
            Message::Binary(bytes) => bytes,
            // Pings and a close are answered below us.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => continue,
        };
        heard = Instant::now();
        if is_ping(bytes) {
            ingress.stack().send_raw(b"\r\n", flow).await;
        } else if ingress.receive(bytes, flow).await == Some(DropReason::NotSip) {
            return End::NotSip;
        }
    }
}

/// The keep-alive of phones that have it from TCP: a double CRLF, which is answered with
/// one (RFC 5626, 4.4.1). A single one is such an answer.
fn is_ping(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\r\n\r\n") && bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
}

async fn write(
    sender: &mut Sender,
    outgoing: &mut mpsc::Receiver<Vec<u8>>,
    ping_interval: Duration,
    unanswered: &AtomicU32,
) -> End {
    let mut pings = interval_at(Instant::now() + ping_interval, ping_interval);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            bytes = outgoing.recv() => match bytes {
                Some(bytes) => message(bytes),
                None => return End::Stopped,
            },
            _ = pings.tick() => {
                if unanswered.fetch_add(1, Ordering::Relaxed) >= PINGS_UNANSWERED_MAX {
                    return End::Silent;
                }
                Message::Ping(Bytes::new())
            }
        };
        match timeout(WRITE_TIMEOUT, sender.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Gone,
            Err(_) => return End::Silent,
        }
    }
}

/// Text where it can be: what scripts in browsers are written for. A body that is none
/// makes the whole message binary.
fn message(bytes: Vec<u8>) -> Message {
    match String::from_utf8(bytes) {
        Ok(text) => Message::text(text),
        Err(not_text) => Message::binary(not_text.into_bytes()),
    }
}

/// What is queued by now still goes out, so that the answer to a last message is heard;
/// then the far end is told why, if it can hear that, and closes.
async fn leave(mut socket: Socket, mut outgoing: mpsc::Receiver<Vec<u8>>, end: End) -> Option<()> {
    let code = end.code()?;
    while let Ok(bytes) = outgoing.try_recv() {
        socket.send(message(bytes)).await.ok()?;
    }
    let reason = end.as_str().into();
    let close = Message::Close(Some(CloseFrame { code, reason }));
    socket.send(close).await.ok()?;
    // What comes meanwhile is no frame any more, perhaps, but must be read: closed over
    // bytes that are not, a connection is reset, and the reason lost.
    let mut rest = vec![0; READ_BYTES];
    while socket.get_mut().read(&mut rest).await.ok()? > 0 {}
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_line_ends_that_begin_with_two_ask_for_an_answer() {
        for (bytes, asks) in [
            (&b"\r\n\r\n"[..], true),
            (b"\r\n\r\n\r\n", true),
            (b"\r\n", false),
            (b"", false),
            (b"\r\n\r\nBYE sip:a@b SIP/2.0\r\n\r\n", false),
        ] {
            assert_eq!(is_ping(bytes), asks, "{bytes:?}");
        }
    }

    #[test]
    fn a_message_is_text_unless_its_body_is_none() {
        assert!(message(b"SIP/2.0 200 OK\r\n\r\n".to_vec()).is_text());
        assert!(message(b"SIP/2.0 200 OK\r\n\r\n\xff".to_vec()).is_binary());
    }
}
