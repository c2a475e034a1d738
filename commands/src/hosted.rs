//! One aggregate in memory: its state, and the decisions on it that are not
//! yet committed.

use crate::{
    envelope::Envelope,
    error::{DispatchError, Refused},
    kind::Kind,
    ports::{
        Change, Entropy, EventLog, Metadata, NewEvent, Position, ReadError, Recorded, StreamId,
    },
    snapshots::{Kept, Snapshot, Snapshots},
    sourced::{At, Noted, Sourced},
};
use cqrs_es::{Aggregate, event_sink::EventSink};
use domain::{
    any::{AnyEvent, read_event},
    decider::Event as _,
    id::EventId,
    time::Timestamp,
};

pub(crate) struct Hosted<K: Kind> {
    id: K::Id,
    stream: StreamId,
    aggregate: Sourced<K>,
    /// Version with everything decided so far.
    pub(crate) version: u64,
    /// Position of the last committed event.
    pub(crate) position: Position,
    /// Nothing is decided before the last event: clocks may step back, the
    /// record may not.
    last_at: Timestamp,
    /// The last event, decided or committed.
    last_event: EventId,
    /// Version of the newest snapshot that this one has read or written.
    kept_version: u64,
}

/// What a command came to.
pub(crate) enum Decision {
    Changed {
        change: Change,
        events: Vec<(Timestamp, AnyEvent)>,
    },
    Unchanged,
    Refused(Refused),
}

impl<K: Kind<State = K>> Hosted<K> {
    /// Reads the stream: from its snapshot on where there is one that the log
    /// bears out, else from its first event.
    pub(crate) async fn load(
        id: K::Id,
        log: &dyn EventLog,
        snapshots: &Snapshots,
    ) -> Result<Self, DispatchError> {
        let stream = StreamId::new(K::CATEGORY, id);
        if let Some(snapshot) = snapshots.load::<K>(&stream).await
            && let Some(hosted) = Self::resume(id, log, snapshot).await?
        {
            return Ok(hosted);
        }
        let mut hosted = Self::empty(id, stream);
        let stored = log.read_stream(&hosted.stream, 0).await.map_err(fault)?;
        hosted.fold(&stored)?;
        Ok(hosted)
    }

    fn empty(id: K::Id, stream: StreamId) -> Self {
        Self {
            id,
            aggregate: Sourced::default(),
            version: 0,
            position: Position::default(),
            last_at: Timestamp::default(),
            last_event: EventId(uuid::Uuid::nil()),
            kept_version: 0,
            stream,
        }
    }

    /// Goes on from a snapshot; none when the log has another event at its
    /// place: the log was put back to an earlier day since.
    async fn resume(
        id: K::Id,
        log: &dyn EventLog,
        snapshot: Snapshot<K>,
    ) -> Result<Option<Self>, DispatchError> {
        let mut hosted = Self::empty(id, StreamId::new(K::CATEGORY, id));
        let before = snapshot.version.saturating_sub(1);
        let stored = log.read_stream(&hosted.stream, before).await;
        let stored = stored.map_err(fault)?;
        let Some((last, tail)) = stored.split_first() else {
            return Ok(None);
        };
        if last.version != snapshot.version || last.event_id != snapshot.event_id {
            return Ok(None);
        }
        hosted.aggregate = Sourced {
            state: snapshot.kept.state,
        };
        hosted.version = last.version;
        hosted.position = last.position;
        hosted.last_at = snapshot.kept.last_at;
        hosted.last_event = last.event_id;
        hosted.kept_version = last.version;
        hosted.fold(tail)?;
        Ok(Some(hosted))
    }

    fn fold(&mut self, stored: &[Recorded]) -> Result<(), DispatchError> {
        metrics::histogram!("ringledger_aggregate_load_events").record(stored.len() as f64);
        for recorded in stored {
            let (at, event) = read_event::<K::Event>(
                &recorded.event_type,
                recorded.event_version,
                &recorded.payload,
            )
            .map_err(|error| {
                DispatchError::Corrupt(format!("position {}: {error}", recorded.position))
            })?;
            self.aggregate
                .apply(Noted(domain::any::Stamped { at, event }));
            self.version = recorded.version;
            self.position = recorded.position;
            self.last_at = at;
            self.last_event = recorded.event_id;
        }
        Ok(())
    }

    /// Writes a snapshot when the last one is so many events ago. Everything
    /// decided is committed at this moment.
    pub(crate) fn keep(&mut self, snapshots: &Snapshots, every: u64) {
        if K::SNAPSHOT_EVERY == 0 || self.version < self.kept_version.saturating_add(every) {
            return;
        }
        self.kept_version = self.version;
        let snapshot = Snapshot {
            version: self.version,
            event_id: self.last_event,
            kept: Kept {
                last_at: self.last_at,
                state: &self.aggregate.state,
            },
        };
        snapshots.save::<K>(&self.stream, &snapshot);
    }

    pub(crate) const fn id(&self) -> K::Id {
        self.id
    }

    /// As it is with everything decided so far.
    pub(crate) const fn state(&self) -> &K::State {
        &self.aggregate.state
    }

    pub(crate) const fn stream(&self) -> &StreamId {
        &self.stream
    }

    /// Decides on the state as it will be when everything before is committed.
    pub(crate) async fn decide(
        &mut self,
        envelope: &Envelope,
        command: K::Command,
        entropy: &dyn Entropy,
        node_epoch: u64,
    ) -> Decision {
        let at = envelope.at.told_after(self.last_at);
        let sink = EventSink::default();
        let handled = self.aggregate.handle(At { at, command }, &(), &sink).await;
        if let Err(refusal) = handled {
            return Decision::Refused(Refused {
                version: self.version,
                ..Refused::by(&refusal, at)
            });
        }
        let decided = sink.collect().await;
        if decided.is_empty() {
            return Decision::Unchanged;
        }
        self.version += decided.len() as u64;
        self.last_at = at;
        let mut events = Vec::with_capacity(decided.len());
        let mut new_events = Vec::with_capacity(decided.len());
        for Noted(stamped) in decided {
            let payload = serde_json::to_string(&stamped)
                .expect("an event is plain data: maps with string keys and no custom failure");
            self.last_event = EventId(entropy.uuid(at));
            new_events.push(NewEvent {
                event_id: self.last_event,
                event_type: stamped.event.event_type(),
                event_version: stamped.event.event_version(),
                payload: payload.into(),
            });
            events.push((stamped.at, K::wrap(self.id, stamped.event)));
        }
        let metadata = Metadata {
            tenant: envelope.tenant,
            correlation_id: envelope.correlation_id,
            causation_id: envelope.causation_id,
            actor: envelope.actor.clone(),
            node_epoch,
        };
        let change = Change {
            command_id: envelope.command_id,
            metadata,
            events: new_events,
        };
        Decision::Changed { change, events }
    }
}

fn fault(error: ReadError) -> DispatchError {
    match error {
        ReadError::Unavailable(reason) => DispatchError::Unavailable(reason),
        corrupt @ ReadError::Corrupt { .. } => DispatchError::Corrupt(corrupt.to_string()),
    }
}
