//! What a receiver is told: the event as it is stored, personal data as
//! ciphertext. Who needs the person asks the API, where the scopes are checked
//! and where a person can have been forgotten since.

use commands::ports::Recorded;
use serde::Serialize;
use serde_json::Value;

#[derive(Serialize)]
struct Body<'a> {
    /// What happened.
    #[serde(rename = "type")]
    event_type: &'a str,
    /// When.
    timestamp: Value,
    id: String,
    schema_version: u32,
    stream: &'a str,
    version: u64,
    position: String,
    correlation_id: String,
    tenant_id: String,
    data: Value,
}

/// The same bytes at every attempt.
pub(crate) fn body(event: &Recorded) -> Vec<u8> {
    let stored: Value = serde_json::from_str(&event.payload).unwrap_or_default();
    let fields = stored.get("event").and_then(Value::as_object);
    let data = fields.and_then(|fields| fields.values().next().cloned());
    let body = Body {
        event_type: &event.event_type,
        timestamp: stored.get("at").cloned().unwrap_or_default(),
        id: event.event_id.to_string(),
        schema_version: event.event_version,
        stream: event.stream.as_str(),
        version: event.version,
        position: event.position.to_string(),
        correlation_id: event.metadata.correlation_id.to_string(),
        tenant_id: event.metadata.tenant.to_string(),
        data: data.unwrap_or_default(),
    };
    serde_json::to_vec(&body).expect("text and JSON values have JSON")
}
