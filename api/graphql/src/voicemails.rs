//! Messages over HTTP: what a caller has said, as a file.

use crate::{
    auth::Scope,
    error::Fault,
    execute::App,
    http::{allow, refuse, with_status},
    id::{Named as _, voicemail_id},
};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use domain::id::VoicemailId;
use projections::{caller::Caller, voicemails::Status};
use std::sync::Arc;

/// Where messages are.
pub(crate) const VOICEMAILS: &str = "/voicemails/";
const ENDING: &str = ".wav";

/// The path of a message.
pub(crate) fn path(message: VoicemailId) -> String {
    format!("{VOICEMAILS}{}{ENDING}", *message.opaque())
}

/// GET /voicemails/{file}
pub(crate) async fn voicemail(
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
    allow(app, headers, Scope::VoicemailAccess).await?;
    let unknown = || {
        let fault = Fault::not_found("there is no such message");
        (StatusCode::NOT_FOUND, fault)
    };
    let gone = |reason| (StatusCode::GONE, Fault::not_found(reason));
    let id = file.strip_suffix(ENDING).and_then(voicemail_id);
    let id = id.ok_or_else(unknown)?;
    let row = app.services.views.voicemail(id).await;
    let row = row.map_err(|error| with_status(error.into()))?;
    let row = row.ok_or_else(unknown)?;
    if row.status == Status::Deleted {
        return Err(gone("message was taken away"));
    }
    let is_forgotten = |person: &Caller| person.party.is_none();
    if row.person.as_ref().is_some_and(is_forgotten) {
        return Err(gone("whoever left the message is forgotten"));
    }
    let found = app.services.recordings.get(id).await;
    let found = found.map_err(|error| with_status(error.into()))?;
    let found = found.ok_or_else(|| gone("the sound of the message is not there any more"))?;
    let vault = &app.services.vault;
    let opened = vault.open_bytes(found.subject, &found.sealed).await;
    let opened = opened.map_err(|error| with_status(error.into()))?;
    let body = opened.ok_or_else(|| gone("whoever left the message is forgotten"))?;
    let headers = [
        (header::CONTENT_TYPE, "audio/wav".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"voicemail-{}{ENDING}\"", row.message),
        ),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, body).into_response())
}
