//! The paths.

use crate::{
    download,
    execute::App,
    http, papers,
    services::{Probes, Services},
    voicemails, ws,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use std::sync::Arc;
use tower_http::limit::RequestBodyLimitLayer;

/// All of the API: `POST /graphql`, `GET /graphql/ws` (graphql-transport-ws),
/// `GET /` (a page to ask from), `GET /health`, `GET /ready`, `GET /metrics`,
/// `GET /exports/cdrs/FILE`, `GET /documents/..`, `GET /voicemails/FILE`.
///
/// A token is required on all but `/`, `/health` and `/ready`.
pub fn router(services: Services, probes: Probes) -> Router {
    // Outside of every handler: a body that says that it is too long is not
    // even read.
    let limit = RequestBodyLimitLayer::new(services.options.body_bytes_max);
    let app = Arc::new(App::new(services, probes));
    Router::new()
        .route("/", get(http::page))
        .route("/graphql", post(http::graphql))
        .route("/graphql/ws", get(ws::upgrade))
        .route(&format!("{}{{file}}", download::CDRS), get(download::cdrs))
        .route("/documents/invoices/{file}", get(papers::invoices))
        .route(
            "/documents/invoices/{invoice}/credit-notes/{file}",
            get(papers::credit_notes),
        )
        .route(
            "/documents/accounts/{account}/{file}",
            get(papers::accounts),
        )
        .route("/documents/reports/{file}", get(papers::reports))
        .route(
            &format!("{}{{file}}", voicemails::VOICEMAILS),
            get(voicemails::voicemail),
        )
        .route("/health", get(http::health))
        .route("/ready", get(http::ready))
        .route("/metrics", get(http::metrics))
        .with_state(app)
        .layer(DefaultBodyLimit::disable())
        .layer(limit)
}
