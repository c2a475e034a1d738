//! TCP connections: messages framed by their Content-Length (RFC 3261, 18.3).

use super::{
    Flow,
    connections::{Connection, WRITE_TIMEOUT, trial},
};
use crate::{
    boundary::stream::{Frame, Framer},
    ingress::Ingress,
};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::tcp::{OwnedReadHalf, OwnedWriteHalf},
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;

/// How much is read at once, in bytes.
const READ_BYTES: usize = 4096;

/// Serves a connection to its end.
pub(super) async fn serve(connection: Connection) {
    let Connection {
        stream,
        flow,
        ingress,
        limits,
        closed,
    } = connection;
    let (reader, writer) = stream.into_split();
    let outgoing = ingress.stack().open(flow).await;
    let writing = tokio::spawn(write(writer, outgoing, closed.clone()));
    tokio::select! {
        () = closed.cancelled() => {}
        () = read(reader, flow, &ingress, limits.idle_timeout) => {}
        () = trial(flow, &ingress, limits.trial) => {}
    }
    ingress.closed(flow);
    closed.cancel();
    let _ = writing.await;
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

async fn read(mut reader: OwnedReadHalf, flow: Flow, ingress: &Ingress, idle_timeout: Duration) {
    let mut framer = Framer::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        while let Some(frame) = framer.next_frame() {
            match frame {
                Frame::Message(message) => {
                    ingress.receive(&message, flow).await;
                }
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
