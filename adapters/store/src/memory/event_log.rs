//! The event log in memory, with the same rules as the others.

use crate::{admission, answers::Answer, steps};
use async_trait::async_trait;
use commands::ports::{
    Append, AppendError, Appended, Clock, EventLog, Page, Position, ReadError, Recorded, Refusal,
    StreamId, Stretch, Written,
};
use domain::{id::CommandId, time::Timestamp};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

#[derive(Debug, Default)]
struct Stored {
    /// The event at index `n` has position `n + 1`.
    events: Vec<Recorded>,
    /// Indices into `events`, in order of version.
    streams: BTreeMap<StreamId, Vec<usize>>,
    commands: BTreeMap<CommandId, Answer>,
    /// The node of each run: run `n` at index `n - 1`.
    runs: Vec<String>,
}

impl Stored {
    /// Whether a newer run of the same node has begun.
    fn is_over(&self, node_epoch: u64) -> bool {
        let own = node_epoch.checked_sub(1).map(usize::try_from);
        let Some(Ok(own)) = own else { return false };
        let newer = self.runs.get(own..).and_then(<[_]>::split_first);
        newer.is_some_and(|(name, newer)| newer.contains(name))
    }
}

/// The event log in memory.
pub struct MemoryLog {
    stored: Mutex<Stored>,
    head: watch::Sender<Position>,
    clock: Option<Arc<dyn Clock>>,
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLog").finish_non_exhaustive()
    }
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLog {
    /// An empty log. Without a clock, `recorded_at` counts the events.
    pub fn new() -> Self {
        Self {
            stored: Mutex::default(),
            head: watch::Sender::new(Position(0)),
            clock: None,
        }
    }

    /// An empty log that notes the clock's time beside each event.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock: Some(clock),
            ..Self::new()
        }
    }

    /// Notes a start of the node of that name and returns its run number.
    pub(crate) fn next_epoch(&self, name: &str) -> u64 {
        let mut stored = self.stored();
        stored.runs.push(name.to_owned());
        stored.runs.len() as u64
    }

    /// Whether a newer run of the same node has begun.
    pub(crate) fn is_over(&self, node_epoch: u64) -> bool {
        self.stored().is_over(node_epoch)
    }

    fn stored(&self) -> MutexGuard<'_, Stored> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn append(
    stored: &mut Stored,
    append: &Append,
    now: Option<Timestamp>,
) -> Result<Appended, AppendError> {
    admission::check(append)?;
    for change in &append.changes {
        if stored.is_over(change.metadata.node_epoch) {
            return Err(AppendError::Fenced);
        }
    }
    for change in &append.changes {
        if let Some(answer) = stored.commands.get(&change.command_id) {
            return Err(answer.clone().error(change.command_id));
        }
    }
    let actual = stored.streams.get(&append.stream).map_or(0, Vec::len) as u64;
    if actual != append.expected {
        return Err(AppendError::Conflict {
            expected: append.expected,
            actual,
        });
    }
    let before = stored.events.len() as u64;
    let mut version = actual;
    let mut changes = Vec::with_capacity(append.changes.len());
    for change in &append.changes {
        for event in &change.events {
            version += 1;
            let index = stored.events.len();
            let position = Position(index as u64 + 1);
            let counted = Timestamp::from_micros(index as i64 + 1);
            stored.events.push(Recorded {
                position,
                stream: append.stream.clone(),
                version,
                event_id: event.event_id,
                event_type: event.event_type.into(),
                event_version: event.event_version,
                payload: Arc::clone(&event.payload),
                command_id: change.command_id,
                metadata: change.metadata.clone(),
                recorded_at: now.unwrap_or(counted),
            });
            let stream = stored.streams.entry(append.stream.clone());
            stream.or_default().push(index);
        }
        let written = Written {
            version,
            position: Position(stored.events.len() as u64),
        };
        let first_result = Answer::Written(append.stream.clone(), written);
        stored.commands.insert(change.command_id, first_result);
        changes.push(written);
    }
    Ok(Appended {
        changes,
        first: Position(before + 1),
        previous_head: Position(before),
    })
}

#[async_trait]
impl EventLog for MemoryLog {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        let now = self.clock.as_ref().map(|clock| clock.now());
        let mut stored = self.stored();
        let outcomes = batch
            .iter()
            .map(|one| append(&mut stored, one, now))
            .collect();
        let head = Position(stored.events.len() as u64);
        self.head.send_if_modified(|known| {
            let grown = head > *known;
            *known = head;
            grown
        });
        outcomes
    }

    async fn read_stream(&self, stream: &StreamId, after: u64) -> Result<Vec<Recorded>, ReadError> {
        let stored = self.stored();
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        let indices = stored.streams.get(stream).into_iter().flatten();
        Ok(indices
            .skip(skipped)
            .filter_map(|index| stored.events.get(*index).cloned())
            .collect())
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError> {
        let stored = self.stored();
        let skipped = usize::try_from(after.0).unwrap_or(usize::MAX);
        let rest = stored.events.get(skipped..).unwrap_or_default();
        let events: Vec<_> = rest.iter().take(limit).cloned().collect();
        let next = events.last().map_or(after, |event| event.position);
        Ok(Page { events, next })
    }

    async fn taken(
        &self,
        from: Option<Timestamp>,
        before: Option<Timestamp>,
    ) -> Result<Vec<Stretch>, ReadError> {
        let times: Vec<_> = {
            let stored = self.stored();
            let times = stored.events.iter();
            times
                .map(|event| (event.position, event.recorded_at))
                .collect()
        };
        let head = Position(times.len() as u64);
        let steps = steps::steps(times.iter().copied());
        let at = |position: Position| {
            let index = usize::try_from(position.0.max(1) - 1).unwrap_or(usize::MAX);
            let found = times.get(index).copied();
            async move { Ok(found) }
        };
        steps::stretches(&steps, head, (from, before), at).await
    }

    async fn find_command(
        &self,
        command_id: CommandId,
    ) -> Result<Option<(StreamId, Written)>, ReadError> {
        let answer = self.stored().commands.get(&command_id).cloned();
        Ok(answer.and_then(Answer::written))
    }

    async fn refuse(
        &self,
        node_epoch: u64,
        command_id: CommandId,
        refusal: Refusal,
    ) -> Result<(), AppendError> {
        let mut stored = self.stored();
        let is_over = stored.is_over(node_epoch);
        match stored.commands.entry(command_id) {
            Entry::Occupied(answer) => Err(answer.get().clone().error(command_id)),
            Entry::Vacant(_) if is_over => Err(AppendError::Fenced),
            Entry::Vacant(free) => {
                free.insert(Answer::Refused(refusal));
                Ok(())
            }
        }
    }

    async fn find_refusal(&self, command_id: CommandId) -> Result<Option<Refusal>, ReadError> {
        let answer = self.stored().commands.get(&command_id).cloned();
        Ok(answer.and_then(Answer::refusal))
    }

    async fn head(&self) -> Result<Position, ReadError> {
        Ok(Position(self.stored().events.len() as u64))
    }

    fn wakeups(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }
}
