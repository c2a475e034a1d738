//! Snapshots: the state of a long stream as of one of its events, so that it
//! is not read from the first. A cache beside the read models: written after
//! the commit, dropped when the state's form changes, and believed only when
//! the log has that very event at that place.

use crate::{
    kind::Kind,
    ports::{ReadStore, Statement, StoreError, StreamId, Value},
};
use domain::{id::EventId, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const SELECT: &str =
    "SELECT version, event_id, state FROM es_snapshots WHERE stream = $1 AND shape = $2";
/// Of two writers the one that knows more wins; another form is always replaced.
const UPSERT: &str = "INSERT INTO es_snapshots (stream, shape, version, event_id, state) \
     VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (stream) DO UPDATE SET shape = excluded.shape, version = excluded.version, \
     event_id = excluded.event_id, state = excluded.state \
     WHERE es_snapshots.shape <> excluded.shape OR es_snapshots.version < excluded.version";

/// A stream's state as of one event.
pub(crate) struct Snapshot<S> {
    /// Version of the stream.
    pub(crate) version: u64,
    /// The event with that version.
    pub(crate) event_id: EventId,
    pub(crate) kept: Kept<S>,
}

/// What is stored as text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept<S> {
    /// When its last event was decided.
    pub(crate) last_at: Timestamp,
    pub(crate) state: S,
}

/// Where snapshots are kept, if they are.
#[derive(Clone)]
pub(crate) struct Snapshots(Option<Arc<dyn ReadStore>>);

impl Snapshots {
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    pub(crate) fn within(store: Arc<dyn ReadStore>) -> Self {
        Self(Some(store))
    }

    /// The newest one of a stream. One that can not be read is none: the log
    /// has everything.
    pub(crate) async fn load<K: Kind>(&self, stream: &StreamId) -> Option<Snapshot<K::State>> {
        let store = self.0.as_ref().filter(|_| K::SNAPSHOT_EVERY > 0)?;
        match read::<K>(store.as_ref(), stream).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%stream, %error, "snapshot was not read: the stream is");
                None
            }
        }
    }

    /// Writes one aside. The aggregate does not wait for it.
    pub(crate) fn save<K: Kind>(&self, stream: &StreamId, snapshot: &Snapshot<&K::State>) {
        let Some(store) = self.0.clone() else { return };
        let stream = stream.clone();
        let statement = statement::<K>(&stream, snapshot);
        tokio::spawn(async move {
            match store.transact(vec![statement]).await {
                Ok(()) => metrics::counter!("ringledger_snapshots_written_count").increment(1),
                Err(error) => tracing::warn!(%stream, %error, "snapshot was not written"),
            }
        });
    }
}

fn statement<K: Kind>(stream: &StreamId, snapshot: &Snapshot<&K::State>) -> Statement {
    let state = serde_json::to_string(&snapshot.kept)
        .expect("a state is plain data: maps with string-like keys");
    Statement {
        sql: UPSERT,
        parameters: vec![
            Value::Text(stream.as_str().into()),
            Value::Int(i64::from(K::STATE_VERSION)),
            Value::Int(i64::try_from(snapshot.version).unwrap_or(i64::MAX)),
            Value::Text(snapshot.event_id.to_string()),
            Value::Text(state),
        ],
        must_touch: None,
    }
}

async fn read<K: Kind>(
    store: &dyn ReadStore,
    stream: &StreamId,
) -> Result<Option<Snapshot<K::State>>, StoreError> {
    let parameters = vec![
        Value::Text(stream.as_str().into()),
        Value::Int(i64::from(K::STATE_VERSION)),
    ];
    let rows = store.query(SELECT, parameters).await?;
    let strange = |what: &str| StoreError::Unavailable(format!("{what} of a snapshot is strange"));
    match rows.first().map(Vec::as_slice) {
        Some(
            [
                Value::Int(version),
                Value::Text(event_id),
                Value::Text(state),
            ],
        ) => {
            let kept = serde_json::from_str(state)
                .map_err(|error| StoreError::Unavailable(format!("state: {error}")))?;
            Ok(Some(Snapshot {
                version: u64::try_from(*version).map_err(|_| strange("version"))?,
                event_id: event_id.parse().map_err(|_| strange("event"))?,
                kept,
            }))
        }
        Some(_) => Err(strange("row")),
        None => Ok(None),
    }
}
