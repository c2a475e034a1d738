//! A phone whose SIP goes over a WebSocket (RFC 7118).

use std::net::SocketAddr;
use std::time::Instant;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use tracing::debug;

use super::{Engine, Order};

/// A WebSocket of a phone.
pub(crate) type WebSocket = WebSocketStream<TcpStream>;

/// Opens one on a connection to that server. It must take the subprotocol (RFC 7118 4.1).
pub(crate) async fn open(stream: TcpStream, server: SocketAddr) -> std::io::Result<WebSocket> {
    let opened = async {
        let mut request = format!("ws://{server}/").into_client_request()?;
        let protocol = HeaderValue::from_static("sip");
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        client_async(request, stream).await
    };
    match opened.await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Io(error)) => Err(error),
        Err(error) => Err(std::io::Error::other(error)),
    }
}

/// Runs until the phone and the handles of its calls are gone, or the WebSocket is.
pub(crate) async fn run(
    mut engine: Engine,
    mut socket: WebSocket,
    server: SocketAddr,
    mut orders: mpsc::Receiver<Order>,
) {
    let reason = 'open: loop {
        let wake_at = engine.wake_at();
        tokio::select! {
            received = socket.next() => match received {
                Some(Ok(message)) if message.is_text() || message.is_binary() => {
                    engine.on_bytes(Instant::now(), server, &message.into_data());
                }
                // Pings and a close are answered below us.
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break "closed by the server",
            },
            order = orders.recv() => match order {
                Some(order) => engine.on_order(Instant::now(), order),
                None => break "phone is put away",
            },
            () = tokio::time::sleep_until(wake_at) => {}
        }
        engine.on_time(Instant::now());
        for (_, bytes) in engine.take_output() {
            if socket.send(message(&bytes)).await.is_err() {
                break 'open "reset";
            }
        }
    };
    debug!(reason, "websocket ended");
    engine.close(Instant::now());
}

/// The message without its length: what carries it says that (RFC 7118 5.1).
fn message(bytes: &[u8]) -> Message {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&*text, ""));
    let lines = head
        .split("\r\n")
        .filter(|line| !line.starts_with("Content-Length:"));
    let head: Vec<&str> = lines.collect();
    Message::text(format!("{}\r\n\r\n{body}", head.join("\r\n")))
}
