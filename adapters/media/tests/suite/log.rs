//! The smallest log that the write side accepts: one list in memory.

use async_trait::async_trait;
use commands::ports::{
    Append, AppendError, Appended, Change, EventLog, Page, Position, ReadError, Recorded, StreamId,
    Written,
};
use domain::{id::CommandId, time::Timestamp};
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

pub(crate) struct Log {
    events: Mutex<Vec<Recorded>>,
    head: watch::Sender<Position>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            events: Mutex::default(),
            head: watch::channel(Position::default()).0,
        }
    }
}

impl Log {
    fn events(&self) -> std::sync::MutexGuard<'_, Vec<Recorded>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn append_one(&self, append: Append) -> Result<Appended, AppendError> {
        let mut events = self.events();
        let actual = events.iter().filter(|e| e.stream == append.stream).count() as u64;
        if actual != append.expected {
            let expected = append.expected;
            return Err(AppendError::Conflict { expected, actual });
        }
        let previous_head = Position(events.len() as u64);
        let mut version = append.expected;
        let mut changes = vec![];
        for Change {
            command_id,
            metadata,
            events: new,
        } in append.changes
        {
            for event in new {
                version += 1;
                let position = Position(events.len() as u64 + 1);
                events.push(Recorded {
                    position,
                    stream: append.stream.clone(),
                    version,
                    event_id: event.event_id,
                    event_type: event.event_type.into(),
                    event_version: event.event_version,
                    payload: event.payload,
                    command_id,
                    metadata: metadata.clone(),
                    recorded_at: Timestamp::default(),
                });
            }
            let position = Position(events.len() as u64);
            changes.push(Written { version, position });
        }
        self.head.send_replace(Position(events.len() as u64));
        Ok(Appended {
            changes,
            first: Position(previous_head.0 + 1),
            previous_head,
        })
    }
}

#[async_trait]
impl EventLog for Log {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        batch
            .into_iter()
            .map(|append| self.append_one(append))
            .collect()
    }

    async fn read_stream(&self, stream: &StreamId, after: u64) -> Result<Vec<Recorded>, ReadError> {
        let of_stream = |event: &&Recorded| event.stream == *stream && event.version > after;
        Ok(self.events().iter().filter(of_stream).cloned().collect())
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        let all = self.events();
        let events: Vec<Recorded> = all
            .iter()
            .skip(after.0 as usize)
            .take(limit)
            .cloned()
            .collect();
        let next = Position(after.0 + events.len() as u64);
        Ok(Page { events, next })
    }

    async fn find_command(&self, id: CommandId) -> Result<Option<(StreamId, Written)>, ReadError> {
        let events = self.events();
        Ok(events
            .iter()
            .rfind(|event| event.command_id == id)
            .map(|event| {
                let written = Written {
                    version: event.version,
                    position: event.position,
                };
                (event.stream.clone(), written)
            }))
    }

    async fn head(&self) -> Result<Position, ReadError> {
        Ok(Position(self.events().len() as u64))
    }

    fn wakeups(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }
}
