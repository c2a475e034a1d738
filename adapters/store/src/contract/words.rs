//! The words that the suite is written in.

use commands::ports::{
    Append, AppendError, Appended, Change, EventLog, Metadata, NewEvent, Position, Recorded,
    StreamId,
};
use domain::id::{CommandId, DEFAULT_TENANT, EventId, derive};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use uuid::Uuid;

/// How long a test waits for something that must happen.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);

/// New ids, ordered, the same in every run.
#[derive(Debug)]
pub struct Ids {
    base: Uuid,
    next: AtomicU64,
}

impl Ids {
    /// Ids that differ from those of other labels.
    pub fn new(label: &str) -> Self {
        Self {
            base: Uuid::new_v5(&DEFAULT_TENANT.0, label.as_bytes()),
            next: AtomicU64::new(1),
        }
    }

    /// The next one.
    pub fn uuid(&self) -> Uuid {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        derive(number, self.base, "id")
    }

    /// A new command.
    pub fn command(&self) -> CommandId {
        CommandId(self.uuid())
    }
}

/// A change with as many events, which say who they are.
pub fn change_of(ids: &Ids, events: u32) -> Change {
    let command_id = ids.command();
    let event = |number: u32| {
        NewEvent {
        event_id: EventId(ids.uuid()),
        event_type: if number == 1 { "noted" } else { "noted_again" },
        event_version: number,
        payload: format!(
            r#"{{"at":"2026-11-21T00:00:00.000000Z","event":{{"command":"{command_id}","number":{number},"text":"é \" ☎"}}}}"#
        )
        .into(),
    }
    };
    Change {
        command_id,
        metadata: Metadata {
            tenant: DEFAULT_TENANT,
            correlation_id: ids.uuid(),
            causation_id: ids.uuid(),
            actor: "test:\"contract\" ☎".into(),
            node_epoch: 7,
        },
        events: (1..=events).map(event).collect(),
    }
}

/// An append of one change.
pub fn append_of(ids: &Ids, stream: &StreamId, expected: u64, events: u32) -> Append {
    Append {
        stream: stream.clone(),
        aggregate_type: "note",
        expected,
        changes: vec![change_of(ids, events)],
    }
}

/// Appends one.
pub(super) async fn append(log: &dyn EventLog, append: &Append) -> Result<Appended, AppendError> {
    let mut outcomes = log.append(vec![append.clone()]).await;
    assert_eq!(outcomes.len(), 1, "one answer for one append");
    outcomes.remove(0)
}

/// Everything after a position.
pub(super) async fn everything(log: &dyn EventLog, after: Position) -> Vec<Recorded> {
    let mut events = Vec::new();
    let mut from = after;
    loop {
        let page = log.read_all(from, 1000).await.expect("log can be read");
        if page.events.is_empty() {
            return events;
        }
        from = page.next;
        events.extend(page.events);
    }
}

/// Asserts that the stored events are the appended ones.
pub(super) fn check_stored(stored: &[Recorded], append: &Append) {
    let wanted: Vec<_> = append
        .changes
        .iter()
        .flat_map(|change| change.events.iter().map(move |event| (change, event)))
        .collect();
    assert_eq!(stored.len(), wanted.len());
    for (index, (stored, (change, event))) in stored.iter().zip(wanted).enumerate() {
        assert_eq!(stored.stream, append.stream);
        assert_eq!(stored.version, append.expected + 1 + index as u64);
        assert_eq!(stored.event_id, event.event_id);
        assert_eq!(&*stored.event_type, event.event_type);
        assert_eq!(stored.event_version, event.event_version);
        assert_eq!(stored.payload, event.payload);
        assert_eq!(stored.command_id, change.command_id);
        assert_eq!(stored.metadata, change.metadata);
        assert!(stored.recorded_at.micros() > 0);
    }
}
