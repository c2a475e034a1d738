//! Files over HTTP, written while they are sent: what a client does not take
//! is not read from the store either.

use crate::{
    auth::Scope,
    error::{Code, Fault},
    execute::App,
    http::{admit, refuse, with_status},
};
use axum::{
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use documents::{
    annex::Annex,
    cdr_export::{Export, Manifest, Order},
};
use futures_util::stream;
use projections::{
    changed::View,
    views::{ViewError, Views},
};
use std::sync::Arc;

/// Where exports of call records are.
pub(crate) const CDRS: &str = "/exports/cdrs/";
/// Ending of a manifest's name.
const MANIFEST: &str = ".manifest.json";

/// What an export reads.
pub(crate) const READ: [View; 2] = [View::Cdr, View::Charges];

/// How far the records of calls and their prices are.
pub(crate) fn known(views: &Views) -> u64 {
    let progress = views.progress();
    let read = progress.iter().filter(|status| READ.contains(&status.view));
    read.map(|status| status.position.0).min().unwrap_or(0)
}

/// Paths of an export and of its manifest. The order stands in them; a caller
/// is named by the id of the subject, never by number.
pub(crate) fn paths(order: &Order) -> (String, String) {
    let text = serde_json::to_vec(order)
        .expect("an order is plain data: maps with string keys and no custom failure");
    let order_text = URL_SAFE_NO_PAD.encode(text);
    let extension = order.format.extension();
    (
        format!("{CDRS}{order_text}.{extension}"),
        format!("{CDRS}{order_text}{MANIFEST}"),
    )
}

/// GET /exports/cdrs/{file}
pub(crate) async fn cdrs(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Path(file): Path<String>,
) -> Response {
    match serve(&app, &headers, &file).await {
        Ok(response) => response,
        Err((status, fault)) => refuse(&app, status, &headers, fault),
    }
}

async fn serve(
    app: &App,
    headers: &HeaderMap,
    file: &str,
) -> Result<Response, (StatusCode, Fault)> {
    let identity = admit(app, headers).await?;
    if !identity.may(Scope::CdrExport) {
        return Err(with_status(Fault::scope(Scope::CdrExport)));
    }
    let unknown = || {
        let fault = Fault::not_found("there is no such export");
        (StatusCode::NOT_FOUND, fault)
    };
    let order = file.split('.').next().and_then(order).ok_or_else(unknown)?;
    if !order.without_prices && !identity.may(Scope::BillingRead) {
        return Err(with_status(Fault::scope(Scope::BillingRead)));
    }
    let (path, manifest) = paths(&order);
    let views = app.services.views.clone();
    if known(&views) < order.position {
        let message = "the records have not got as far as that position";
        return Err(with_status(Fault::new(Code::Stale, message)));
    }
    if manifest == format!("{CDRS}{file}") {
        let manifest = written(Export::new(views, order)).await;
        let manifest = manifest.map_err(|error| with_status(error.into()))?;
        let body = serde_json::to_string_pretty(&manifest)
            .expect("a manifest is plain data: maps with string keys and no custom failure");
        let content_type = [(header::CONTENT_TYPE, "application/json")];
        return Ok((content_type, body).into_response());
    }
    if path != format!("{CDRS}{file}") {
        return Err(unknown());
    }
    let headers = [
        (header::CONTENT_TYPE, order.format.media_type().to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!(
                "attachment; filename=\"cdrs-{}.{}\"",
                order.position,
                order.format.extension()
            ),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, body(Export::new(views, order))).into_response())
}

fn order(text: &str) -> Option<Order> {
    let text = URL_SAFE_NO_PAD.decode(text).ok()?;
    serde_json::from_slice(&text).ok()
}

/// A file that is written while it is sent.
pub(crate) trait Pieces: Send + 'static {
    /// The next piece of it; none at its end.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, ViewError>> + Send;
}

impl Pieces for Export {
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, ViewError>> + Send {
        Self::next(self)
    }
}

impl Pieces for Annex {
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<u8>>, ViewError>> + Send {
        Self::next(self)
    }
}

/// A failure in the middle cuts the connection, so that half a file is never
/// taken for a whole one.
pub(crate) fn body(file: impl Pieces) -> Body {
    let pieces = stream::unfold(Some(file), async |file| {
        let mut file = file?;
        match Pieces::next(&mut file).await {
            Ok(Some(piece)) => Some((Ok(piece), Some(file))),
            Ok(None) => None,
            Err(error) => {
                tracing::warn!(%error, "a file was cut off");
                Some((Err(error), None))
            }
        }
    });
    Body::from_stream(pieces)
}

/// Writes the export to nowhere, for its manifest.
async fn written(mut export: Export) -> Result<Manifest, ViewError> {
    while export.next().await?.is_some() {}
    Ok(export.manifest())
}
