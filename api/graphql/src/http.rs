//! Queries and mutations over HTTP, and what a load balancer or a collector of
//! metrics asks.

use crate::{
    auth::Scope,
    error::{Code, Fault},
    execute::App,
};
use async_graphql::{Request, Response as GraphQlResponse};
use axum::{
    body::{Body, to_bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// What a POST carries. Anything that a browser sends to another site without
/// asking first is none of them.
const JSON: &str = "application/json";
/// What the answer is called when the client knows the newer word.
const GRAPHQL: &str = "application/graphql-response+json";

const PAGE: &str = include_str!("page.html");

/// POST /graphql
pub(crate) async fn graphql(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match serve(&app, &headers, body).await {
        Ok(response) => answer(StatusCode::OK, &headers, &response),
        Err((status, fault)) => refuse(&app, status, &headers, fault),
    }
}

async fn serve(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<GraphQlResponse, (StatusCode, Fault)> {
    let identity = admit(app, headers).await?;
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let is_json = content_type.is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case(JSON)
    });
    if !is_json {
        let fault = Fault::validation(format!("content type is not {JSON}"));
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, fault));
    }
    let request = read(app, body).await?;
    Ok(app.execute(request, identity).await)
}

pub(crate) async fn admit(
    app: &App,
    headers: &HeaderMap,
) -> Result<crate::auth::Identity, (StatusCode, Fault)> {
    let authorization = headers.get(header::AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok());
    let (token, identity) = app.identify(authorization).await.map_err(with_status)?;
    app.admit(&token).map_err(with_status)?;
    Ok(identity)
}

/// Whoever may, by a scope, have a file.
pub(crate) async fn allow(
    app: &App,
    headers: &HeaderMap,
    scope: Scope,
) -> Result<(), (StatusCode, Fault)> {
    if admit(app, headers).await?.may(scope) {
        Ok(())
    } else {
        Err(with_status(Fault::scope(scope)))
    }
}

pub(crate) fn with_status(fault: Fault) -> (StatusCode, Fault) {
    let status = match fault.code {
        Code::Validation | Code::NotFound | Code::Stale | Code::Conflict => StatusCode::BAD_REQUEST,
        Code::Authentication => StatusCode::UNAUTHORIZED,
        Code::Authorization => StatusCode::FORBIDDEN,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, fault)
}

async fn read(app: &App, body: Body) -> Result<Request, (StatusCode, Fault)> {
    let options = app.options();
    let limit = Duration::from_millis(options.body_timeout_ms);
    let body = timeout(limit, to_bytes(body, options.body_bytes_max)).await;
    let body = body.map_err(|_| {
        let fault = Fault::validation("body took too long to arrive");
        (StatusCode::REQUEST_TIMEOUT, fault)
    })?;
    let body = body.map_err(|_| {
        let message = format!(
            "body is over {} bytes, or was cut off",
            options.body_bytes_max
        );
        (StatusCode::PAYLOAD_TOO_LARGE, Fault::validation(message))
    })?;
    let refuse = |reason: &str| {
        let message = format!("body is not one GraphQL request: {reason}");
        (StatusCode::BAD_REQUEST, Fault::validation(message))
    };
    // The parser would also take the fields in order, as a list.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(refuse("it is no JSON object"));
    }
    serde_json::from_slice(&body).map_err(|error| refuse(&error.to_string()))
}

pub(crate) fn refuse(app: &App, status: StatusCode, headers: &HeaderMap, fault: Fault) -> Response {
    let mut response = answer(status, headers, &fault.response(&app.trace()));
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

fn answer(status: StatusCode, headers: &HeaderMap, response: &GraphQlResponse) -> Response {
    let accepts = headers.get(header::ACCEPT);
    let accepts = accepts.and_then(|value| value.to_str().ok());
    let content_type = if accepts.is_some_and(|value| value.contains(GRAPHQL)) {
        GRAPHQL
    } else {
        JSON
    };
    let body = serde_json::to_string(response)
        .expect("a response is plain data: maps with string keys and no custom failure");
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body).into_response()
}

/// GET /metrics
pub(crate) async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let allowed = admit(&app, &headers).await.and_then(|identity| {
        if identity.may(Scope::MetricsRead) {
            Ok(())
        } else {
            Err(with_status(Fault::scope(Scope::MetricsRead)))
        }
    });
    match allowed {
        Ok(()) => {
            let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
            (content_type, (app.probes.metrics)()).into_response()
        }
        Err((status, fault)) => refuse(&app, status, &headers, fault),
    }
}

/// GET /health: the process answers.
pub(crate) async fn health() -> Response {
    json(StatusCode::OK, &serde_json::json!({"alive": true}))
}

/// GET /ready: calls can be taken. Names what is missing, and no reason: that
/// is in the log.
pub(crate) async fn ready(State(app): State<Arc<App>>) -> Response {
    let checks = (app.probes.ready)().await;
    let ready = checks.iter().all(|check| check.passed);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let checks: serde_json::Map<_, _> = checks
        .iter()
        .map(|check| (check.name.into(), check.passed.into()))
        .collect();
    json(
        status,
        &serde_json::json!({"ready": ready, "checks": checks}),
    )
}

fn json(status: StatusCode, body: &serde_json::Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, JSON),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body.to_string()).into_response()
}

/// GET /: a page to ask from.
pub(crate) async fn page() -> Response {
    let headers = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Html(PAGE)).into_response()
}
