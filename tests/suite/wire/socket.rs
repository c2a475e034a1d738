//! A client of `graphql-transport-ws` at the real server.

use anyhow::{Context as _, bail, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use ringledger_tests::server::{Server, TOKEN};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

/// Whatever a client waits for comes within this.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came.
#[derive(Debug, PartialEq)]
pub(crate) enum Came {
    Message(Value),
    Closed(u16),
}

pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    /// Opens a socket and says nothing.
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let mut request = format!("ws://{address}/graphql/ws").into_client_request()?;
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", protocol);
        let (socket, _) = tokio::time::timeout(PATIENCE, connect_async(request)).await??;
        Ok(Self { socket })
    }

    /// Opens a socket and is let in.
    pub(crate) async fn admitted(address: SocketAddr) -> anyhow::Result<Self> {
        let mut client = Self::open(address).await?;
        client.init(TOKEN).await?;
        let message = client.next().await?;
        ensure!(message["type"] == "connection_ack", "{message}");
        Ok(client)
    }

    /// Is let in and subscribes, under the id `1`.
    pub(crate) async fn following(server: &Server, query: &str) -> anyhow::Result<Self> {
        let mut client = Self::admitted(server.http).await?;
        client.subscribe(query, json!({})).await?;
        Ok(client)
    }

    pub(crate) async fn init(&mut self, token: &str) -> anyhow::Result<()> {
        let payload = json!({ "authorization": format!("Bearer {token}") });
        self.say(json!({ "type": "connection_init", "payload": payload }))
            .await
    }

    pub(crate) async fn subscribe(&mut self, query: &str, variables: Value) -> anyhow::Result<()> {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": "1", "payload": payload }))
            .await
    }

    pub(crate) async fn say(&mut self, message: Value) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::text(message.to_string())).await?)
    }

    /// The next message, or the end.
    pub(crate) async fn came(&mut self) -> anyhow::Result<Came> {
        let came = async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => {
                        return Ok(Came::Message(serde_json::from_str(&text)?));
                    }
                    Some(Ok(Message::Close(frame))) => {
                        return Ok(Came::Closed(frame.map_or(0, |frame| frame.code.into())));
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(other)) => bail!("{other:?}"),
                    Some(Err(_)) | None => return Ok(Came::Closed(0)),
                }
            }
        };
        tokio::time::timeout(PATIENCE, came)
            .await
            .context("nothing came")?
    }

    pub(crate) async fn next(&mut self) -> anyhow::Result<Value> {
        match self.came().await? {
            Came::Message(message) => Ok(message),
            Came::Closed(code) => bail!("closed with {code}"),
        }
    }

    /// The data of the next result.
    pub(crate) async fn data(&mut self) -> anyhow::Result<Value> {
        let message = self.next().await?;
        ensure!(
            message["type"] == "next" && message["id"] == "1",
            "{message}"
        );
        ensure!(message["payload"]["errors"].is_null(), "{message:#}");
        Ok(message["payload"]["data"].clone())
    }
}
