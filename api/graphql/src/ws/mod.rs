//! Subscriptions over WebSocket: the protocol `graphql-transport-ws`
//! (enisdenjo/graphql-ws, PROTOCOL.md), and only that.

mod message;
mod session;

use crate::execute::App;
use axum::{
    extract::{State, WebSocketUpgrade},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

const PROTOCOL: &str = "graphql-transport-ws";

/// GET /graphql/ws. The token comes in `connection_init`: a browser can send
/// no header with a WebSocket.
pub(crate) async fn upgrade(State(app): State<Arc<App>>, upgrade: WebSocketUpgrade) -> Response {
    let bytes_max = app.options().body_bytes_max;
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(bytes_max)
        .max_frame_size(bytes_max);
    if upgrade.selected_protocol().is_none() {
        let message = format!("subprotocol {PROTOCOL} is required");
        return (StatusCode::BAD_REQUEST, message).into_response();
    }
    let Ok(permit) = Arc::clone(&app.connections).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many connections").into_response();
    };
    upgrade.on_upgrade(async move |socket| {
        let open = metrics::gauge!("ringledger_graphql_connections_count");
        open.increment(1);
        session::run(socket, app).await;
        open.decrement(1);
        drop(permit);
    })
}
