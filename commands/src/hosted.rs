//! One aggregate in memory: its state, and the decisions on it that are not
//! yet committed.

use crate::{
    envelope::Envelope,
    error::{DispatchError, Refused},
    kind::Kind,
    ports::{Change, Entropy, EventLog, Metadata, NewEvent, Position, StreamId},
    sourced::{At, Noted, Sourced},
};
use cqrs_es::{Aggregate, event_sink::EventSink};
use domain::{
    any::{AnyEvent, read_event},
    decider::{Event as _, Refusal},
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
    /// Reads the stream.
    pub(crate) async fn load(id: K::Id, log: &dyn EventLog) -> Result<Self, DispatchError> {
        let stream = StreamId::new(K::CATEGORY, id);
        let mut hosted = Self {
            id,
            aggregate: Sourced::default(),
            version: 0,
            position: Position::default(),
            last_at: Timestamp::default(),
            stream,
        };
        let stored = log
            .read_stream(&hosted.stream, 0)
            .await
            .map_err(|error| match error {
                crate::ports::ReadError::Unavailable(reason) => DispatchError::Unavailable(reason),
                corrupt @ crate::ports::ReadError::Corrupt { .. } => {
                    DispatchError::Corrupt(corrupt.to_string())
                }
            })?;
        for recorded in stored {
            let (at, event) = read_event::<K::Event>(
                &recorded.event_type,
                recorded.event_version,
                &recorded.payload,
            )
            .map_err(|error| {
                DispatchError::Corrupt(format!("position {}: {error}", recorded.position))
            })?;
            hosted
                .aggregate
                .apply(Noted(domain::any::Stamped { at, event }));
            hosted.version = recorded.version;
            hosted.position = recorded.position;
            hosted.last_at = hosted.last_at.max(at);
        }
        Ok(hosted)
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
        let at = envelope.at.max(self.last_at);
        let sink = EventSink::default();
        let handled = self.aggregate.handle(At { at, command }, &(), &sink).await;
        if let Err(refusal) = handled {
            return Decision::Refused(Refused {
                code: refusal.code(),
                message: refusal.to_string(),
                version: self.version,
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
            new_events.push(NewEvent {
                event_id: EventId(entropy.uuid(at)),
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
