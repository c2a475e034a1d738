//! The lines of an export. Each has the SHA-256 of the hash before it and of
//! its own bytes, so that no line can be changed, removed, added or moved
//! without every later hash being another.
//!
//! The chain has no secret: whoever can write the file can write it anew. What
//! it proves it proves against the last hash, kept elsewhere, or the store.

use commands::ports::Recorded;
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// What the first hash is made from.
const START: &[u8] = b"ringledger export 1\n";
/// How an export calls itself.
pub(super) const FORMAT: &str = "ringledger export";
/// Version of the lines.
pub(super) const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// [`FORMAT`].
    pub(super) format: String,
    /// [`VERSION`].
    pub(super) version: u32,
    /// Events after this position.
    pub(super) after: u64,
    /// Up to this one.
    pub(super) until: u64,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Trailer {
    /// Events in the file.
    pub(super) count: u64,
    /// Position of the first; none without one.
    pub(super) first: Option<u64>,
    /// Position of the last.
    pub(super) last: Option<u64>,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Header,
    Event,
    Trailer,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Header, Self::Event, Self::Trailer];

    const fn name(self) -> &'static str {
        match self {
            Self::Header => "export",
            Self::Event => "event",
            Self::Trailer => "end",
        }
    }
}

/// The hash so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain([u8; 32]);

impl Chain {
    pub(super) fn new() -> Self {
        Self(Sha256::digest(START).into())
    }

    /// Takes the next line's content in.
    pub(super) fn add(&mut self, kind: Kind, body: &str) {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(kind.name());
        hash.update(b"\n");
        hash.update(body);
        self.0 = hash.finalize().into();
    }

    /// The hash in hexadecimal.
    pub(super) fn hash(&self) -> String {
        hex::encode(self.0)
    }

    /// The next line, without its end.
    pub(super) fn line(&mut self, kind: Kind, body: &str) -> String {
        self.add(kind, body);
        format!(r#"{{"hash":"{}","{}":{body}}}"#, self.hash(), kind.name())
    }
}

/// Splits a line into its hash, kind and content; none when it is no line of
/// an export.
pub(super) fn split(line: &str) -> Option<(&str, Kind, &str)> {
    let rest = line.strip_prefix(r#"{"hash":""#)?;
    let (hash, rest) = rest.split_at_checked(64)?;
    let rest = rest.strip_prefix(r#"",""#)?.strip_suffix('}')?;
    Kind::ALL.into_iter().find_map(|kind| {
        let body = rest.strip_prefix(kind.name())?.strip_prefix("\":")?;
        // What is cut off further inside has another hash.
        let is_object = body.starts_with('{') && body.ends_with('}');
        is_object.then_some((hash, kind, body))
    })
}

/// The fields of an event before its payload, in their order.
#[derive(Serialize)]
struct Fields<'a> {
    position: u64,
    stream: &'a str,
    version: u64,
    #[serde(rename = "type")]
    event_type: &'a str,
    schema_version: u32,
    event_id: String,
    command_id: String,
    correlation_id: String,
    causation_id: String,
    actor: &'a str,
    node_epoch: u64,
    tenant: String,
    recorded_at: Timestamp,
}

/// An event as it stands in a line: the payload byte for byte as it is stored,
/// what is personal in it sealed.
pub(super) fn body(event: &Recorded) -> String {
    let fields = Fields {
        position: event.position.0,
        stream: event.stream.as_str(),
        version: event.version,
        event_type: &event.event_type,
        schema_version: event.event_version,
        event_id: event.event_id.to_string(),
        command_id: event.command_id.to_string(),
        correlation_id: event.metadata.correlation_id.to_string(),
        causation_id: event.metadata.causation_id.to_string(),
        actor: &event.metadata.actor,
        node_epoch: event.metadata.node_epoch,
        tenant: event.metadata.tenant.to_string(),
        recorded_at: event.recorded_at,
    };
    let mut body =
        serde_json::to_string(&fields).expect("text and numbers are always written as JSON");
    // The closing brace goes to the end.
    body.pop();
    // A payload is one line of JSON; one that is not is kept as a text.
    let is_line = !event.payload.contains(['\n', '\r'])
        && serde_json::from_str::<serde::de::IgnoredAny>(&event.payload).is_ok();
    let payload = if is_line {
        event.payload.to_string()
    } else {
        serde_json::Value::from(&*event.payload).to_string()
    };
    write!(body, r#","payload":{payload}}}"#).expect("writing to memory does not fail");
    body
}

/// What verifying looks at in an event.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Place {
    pub(super) position: u64,
    pub(super) stream: String,
    pub(super) version: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart_as_it_was_made() {
        let mut chain = Chain::new();
        let line = chain.line(Kind::Event, r#"{"position":1}"#);
        let (hash, kind, body) = split(&line).unwrap();
        assert_eq!((hash, kind), (chain.hash().as_str(), Kind::Event));
        assert_eq!(body, r#"{"position":1}"#);
        for wrong in ["", "{}", &line[1..], &line[..line.len() - 1]] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_same_content_in_another_place_or_role_has_another_hash() {
        let hash = |lines: &[(Kind, &str)]| {
            let mut chain = Chain::new();
            for (kind, body) in lines {
                chain.add(*kind, body);
            }
            chain.hash()
        };
        let (a, b) = ((Kind::Event, "a"), (Kind::Event, "b"));
        assert_ne!(hash(&[a, b]), hash(&[b, a]));
        assert_ne!(hash(&[a, b]), hash(&[a]));
        assert_ne!(hash(&[a]), hash(&[(Kind::Trailer, "a")]));
        assert_ne!(hash(&[(Kind::Event, "ab")]), hash(&[a, b]));
    }
}
