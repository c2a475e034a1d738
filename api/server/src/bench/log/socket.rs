//! A client of `graphql-transport-ws` that follows the events of calls.

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

const QUERY: &str = "subscription { callEvents { cursor type callId } }";

/// A follower.
pub(super) struct Follower(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Follower {
    /// Is let in and subscribes; what is committed from now on comes.
    pub(super) async fn start(address: SocketAddr, token: &str) -> anyhow::Result<Self> {
        let mut request = format!("ws://{address}/graphql/ws").into_client_request()?;
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let (socket, _) = connect_async(request).await?;
        let mut follower = Self(socket);
        let payload = json!({ "authorization": format!("Bearer {token}") });
        follower
            .say(json!({ "type": "connection_init", "payload": payload }))
            .await?;
        let message = follower.next().await?;
        anyhow::ensure!(message["type"] == "connection_ack", "{message}");
        let payload = json!({ "query": QUERY });
        follower
            .say(json!({ "type": "subscribe", "id": "1", "payload": payload }))
            .await?;
        Ok(follower)
    }

    async fn say(&mut self, message: Value) -> anyhow::Result<()> {
        Ok(self.0.send(Message::text(message.to_string())).await?)
    }

    async fn next(&mut self) -> anyhow::Result<Value> {
        loop {
            match self.0.next().await.context("the server has closed")?? {
                Message::Text(text) => return Ok(serde_json::from_str(&text)?),
                Message::Ping(_) | Message::Pong(_) => {}
                other @ (Message::Binary(_) | Message::Close(_) | Message::Frame(_)) => {
                    bail!("unexpected: {other}")
                }
            }
        }
    }

    /// Position of the next event.
    pub(super) async fn position(&mut self) -> anyhow::Result<u64> {
        let message = self.next().await?;
        let cursor = &message["payload"]["data"]["callEvents"]["cursor"];
        let cursor = cursor.as_str().with_context(|| format!("{message}"))?;
        cursor
            .parse()
            .with_context(|| format!("{cursor} is no position"))
    }
}
