//! Older versions of the events of an agent's phones, read as the current ones.

use crate::{decider::Upcast, time::Timestamp};
use serde_json::Value;

/// How that version of that event is read; `None` for the current one.
pub(super) fn of(event_type: &str, version: u32) -> Option<Upcast> {
    match (event_type, version) {
        ("device_deregistered" | "binding_expired", 1) => Some(left_is_a_count),
        _ => None,
    }
}

/// Version 1 had the number of contacts that are left as `left`; version 2 says
/// that it is a count.
fn left_is_a_count(_at: Timestamp, mut event: Value) -> Result<Value, String> {
    let fields = event
        .as_object_mut()
        .and_then(|event| event.values_mut().next()?.as_object_mut())
        .ok_or("it has no fields")?;
    let left = fields.remove("left").ok_or("it has no field left")?;
    fields.insert("left_count".into(), left);
    Ok(event)
}
