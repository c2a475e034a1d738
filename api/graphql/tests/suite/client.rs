//! A client of graphql-transport-ws.

use crate::world::World;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest as _, http::HeaderValue},
};

/// Nothing takes longer here than a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// What came.
#[derive(Debug, PartialEq)]
pub(crate) enum Came {
    Message(Value),
    Closed(u16),
}

impl Client {
    /// Opens a socket and says nothing.
    pub(crate) async fn open(world: &World) -> Self {
        Self::open_as(world, Some("graphql-transport-ws"))
            .await
            .unwrap()
    }

    pub(crate) async fn open_as(
        world: &World,
        protocol: Option<&'static str>,
    ) -> Result<Self, tungstenite::Error> {
        let url = format!("ws://{}/graphql/ws", world.address);
        let mut request = url.into_client_request().unwrap();
        if let Some(protocol) = protocol {
            let value = HeaderValue::from_static(protocol);
            request
                .headers_mut()
                .insert("sec-websocket-protocol", value);
        }
        let (socket, _) = connect_async(request).await?;
        Ok(Self { socket })
    }

    /// Opens a socket and is let in.
    pub(crate) async fn admitted(world: &World, token: &str) -> Self {
        let mut client = Self::open(world).await;
        client.init(token).await;
        assert_eq!(client.next().await, json!({"type": "connection_ack"}));
        client
    }

    pub(crate) async fn init(&mut self, token: &str) {
        let payload = json!({"authorization": format!("Bearer {token}")});
        self.say(json!({"type": "connection_init", "payload": payload}))
            .await;
    }

    pub(crate) async fn say(&mut self, message: Value) {
        self.raw(Message::text(message.to_string())).await;
    }

    pub(crate) async fn raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({"query": query, "variables": variables});
        self.say(json!({"type": "subscribe", "id": id, "payload": payload}))
            .await;
    }

    pub(crate) async fn came(&mut self) -> Came {
        let until = Instant::now() + PATIENCE;
        loop {
            let message = timeout_at(until, self.socket.next())
                .await
                .expect("nothing came");
            match message {
                Some(Ok(Message::Text(text))) => {
                    return Came::Message(serde_json::from_str(&text).unwrap());
                }
                Some(Ok(Message::Close(frame))) => {
                    return Came::Closed(frame.map_or(0, |frame| frame.code.into()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("{other:?}"),
                Some(Err(_)) | None => return Came::Closed(0),
            }
        }
    }

    pub(crate) async fn next(&mut self) -> Value {
        match self.came().await {
            Came::Message(message) => message,
            Came::Closed(code) => panic!("closed with {code}"),
        }
    }

    /// The code that the server closes with.
    pub(crate) async fn closed(&mut self) -> u16 {
        match self.came().await {
            Came::Message(message) => panic!("{message}"),
            Came::Closed(code) => code,
        }
    }

    /// The data of the next result of that operation.
    pub(crate) async fn data(&mut self, id: &str) -> Value {
        let message = self.next().await;
        assert_eq!(
            (&message["type"], &message["id"]),
            (&json!("next"), &json!(id)),
            "{message}"
        );
        assert_eq!(message["payload"].get("errors"), None, "{message:#}");
        message["payload"]["data"].clone()
    }
}
