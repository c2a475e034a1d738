//! The event log on KurrentDB.

use super::{
    index::{self, Index, after, away, event_of},
    wire::{Address, incoming, outgoing, outgoing_refusal},
};
use crate::{admission, answers::Answer, open::OpenError};
use async_trait::async_trait;
use commands::ports::{
    Append, AppendError, Appended, EventLog, Page, Position, ReadError, ReadStore, Recorded,
    Refusal, StreamId, Stretch, Written,
};
use domain::{id::CommandId, time::Timestamp};
use kurrentdb::{
    AppendToStreamOptions, Client, Error, ReadStreamOptions, RetryOptions, StreamPosition,
    StreamState, SubscribeToAllOptions, SubscriptionEvent, SubscriptionFilter,
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, watch},
    task::AbortHandle,
};

/// Pause before a subscription that was lost is made again.
const RETRY: Duration = Duration::from_secs(1);

/// The event log on KurrentDB.
pub struct KurrentLog {
    shared: Arc<Shared>,
    follower: AbortHandle,
}

struct Shared {
    client: Client,
    address: Address,
    sql: Arc<dyn ReadStore>,
    /// Held by whoever appends: one append at a time.
    index: Mutex<Index>,
    head: watch::Sender<Position>,
}

impl fmt::Debug for KurrentLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KurrentLog").finish_non_exhaustive()
    }
}

impl Drop for KurrentLog {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl KurrentLog {
    /// Connects, brings the index up to the end of `$all`, and follows it.
    pub(crate) async fn open(address: Address, sql: Arc<dyn ReadStore>) -> Result<Self, OpenError> {
        let client = address.client()?;
        let index = Index::open(client.clone(), address.clone(), Arc::clone(&sql))
            .await
            .map_err(|error| OpenError::Unreachable(error.to_string()))?;
        let (head, _) = watch::channel(index.head());
        let shared = Arc::new(Shared {
            client,
            address,
            sql,
            index: Mutex::new(index),
            head,
        });
        let follower = tokio::spawn(follow(Arc::clone(&shared))).abort_handle();
        Ok(Self { shared, follower })
    }
}

/// Follows `$all`, so that what others wrote is in the index too.
async fn follow(shared: Arc<Shared>) {
    loop {
        if let Err(error) = shared.follow_once().await {
            tracing::warn!(%error, "the subscription to $all was lost and will be made again");
        }
        tokio::time::sleep(RETRY).await;
    }
}

fn unavailable(error: &ReadError) -> AppendError {
    AppendError::Unavailable(error.to_string())
}

impl Shared {
    fn tell(&self, index: &Index) {
        let known = index.head();
        self.head.send_if_modified(|head| {
            let is_newer = known > *head;
            *head = known.max(*head);
            is_newer
        });
    }

    async fn follow_once(&self) -> Result<(), ReadError> {
        let start = self.index.lock().await.place();
        let options = SubscribeToAllOptions::default()
            .position(start.map_or(StreamPosition::Start, StreamPosition::Position))
            .filter(SubscriptionFilter::on_stream_name().add_prefix(&self.address.prefix))
            .retry_options(RetryOptions::default());
        let mut subscription = self.client.subscribe_to_all(&options).await;
        loop {
            let event = subscription
                .next_subscription_event()
                .await
                .map_err(|error| away(&error))?;
            let mut index = self.index.lock().await;
            match event {
                SubscriptionEvent::EventAppeared(resolved) => {
                    let place = resolved.event.as_ref().map(|event| event.position);
                    if place > index.place() {
                        index.catch_up().await?;
                        self.tell(&index);
                    }
                }
                // Kept, so that a start reads on from here and not from the last
                // event of ours.
                SubscriptionEvent::Checkpoint(place) => index.checkpoint(place).await?,
                SubscriptionEvent::Confirmed(_)
                | SubscriptionEvent::FirstStreamPosition(_)
                | SubscriptionEvent::LastStreamPosition(_)
                | SubscriptionEvent::LastAllPosition(_)
                | SubscriptionEvent::CaughtUp(_)
                | SubscriptionEvent::FellBehind(_) => {}
            }
        }
    }

    /// The answer that one of the append's commands has had.
    async fn known(&self, index: &Index, append: &Append) -> Result<(), AppendError> {
        for change in &append.changes {
            let answer = index.answer(change.command_id).await;
            if let Some(answer) = answer.map_err(|error| unavailable(&error))? {
                return Err(answer.error(change.command_id));
            }
        }
        Ok(())
    }

    async fn append(&self, index: &mut Index, append: &Append) -> Result<Appended, AppendError> {
        admission::check(append)?;
        self.known(index, append).await?;
        self.at_version(index, append).await?;
        let mut events = vec![];
        for change in &append.changes {
            events.extend(outgoing(change).map_err(AppendError::Unavailable)?);
        }
        let state = match append.expected {
            0 => StreamState::NoStream,
            version => StreamState::StreamRevision(version - 1),
        };
        let options = AppendToStreamOptions::default().stream_state(state);
        let name = self.address.name(&append.stream);
        let written = self.client.append_to_stream(name, &options, events).await;
        // Whatever became of it: `$all` knows, also of a reply that was lost.
        index
            .catch_up()
            .await
            .map_err(|error| unavailable(&error))?;
        self.tell(index);
        match written {
            Ok(_) => self.appended(append).await,
            Err(Error::WrongExpectedVersion { .. }) => {
                self.known(index, append).await?;
                self.at_version(index, append).await?;
                let reason = "stream is at the expected version, and the server says it is not";
                Err(AppendError::Unavailable(reason.into()))
            }
            // Unknown: the same command finds out, when it comes again.
            Err(error) => Err(AppendError::Unavailable(error.to_string())),
        }
    }

    async fn at_version(&self, index: &Index, append: &Append) -> Result<(), AppendError> {
        let actual = index.version(&append.stream).await;
        let actual = actual.map_err(|error| unavailable(&error))?;
        if actual == append.expected {
            return Ok(());
        }
        Err(AppendError::Conflict {
            expected: append.expected,
            actual,
        })
    }

    /// Where an append went: its events stand in a row in `$all`.
    async fn appended(&self, append: &Append) -> Result<Appended, AppendError> {
        let sql = self.sql.as_ref();
        let ranks = index::ranks(sql, &append.stream, append.expected, 1).await;
        let Some(first) = ranks.map_err(|error| unavailable(&error))?.first().copied() else {
            let reason = "the server has stored it and does not show it yet";
            return Err(AppendError::Unavailable(reason.into()));
        };
        let mut version = append.expected;
        let mut position = first.0 - 1;
        let changes = append.changes.iter().map(|change| {
            let count = change.events.len() as u64;
            version += count;
            position += count;
            Written {
                version,
                position: Position(position),
            }
        });
        Ok(Appended {
            changes: changes.collect(),
            first,
            previous_head: Position(first.0 - 1),
        })
    }
}

#[async_trait]
impl EventLog for KurrentLog {
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>> {
        let mut index = self.shared.index.lock().await;
        let mut outcomes = Vec::with_capacity(batch.len());
        for append in &batch {
            outcomes.push(self.shared.append(&mut index, append).await);
        }
        outcomes
    }

    async fn read_stream(&self, stream: &StreamId, after: u64) -> Result<Vec<Recorded>, ReadError> {
        self.read_stream_page(stream, after, usize::MAX).await
    }

    async fn read_stream_page(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let shared = &self.shared;
        let options = ReadStreamOptions::default()
            .forwards()
            .position(StreamPosition::Position(after))
            .max_count(limit);
        let name = shared.address.name(stream);
        let mut found = match shared.client.read_stream(name, &options).await {
            Ok(found) => found,
            Err(Error::ResourceNotFound) => return Ok(vec![]),
            Err(error) => return Err(away(&error)),
        };
        let mut events = vec![];
        loop {
            let resolved = match found.next().await {
                Ok(Some(resolved)) => resolved,
                Ok(None) | Err(Error::ResourceNotFound) => break,
                Err(error) => return Err(away(&error)),
            };
            let Some(event) = resolved.event else {
                continue;
            };
            let item = incoming(&shared.address, &event).map_err(|reason| ReadError::Corrupt {
                position: Position::default(),
                reason,
            })?;
            events.extend(event_of(item));
        }
        // What the index does not know yet has no position yet.
        let last = events.last().map_or(0, |event| event.version);
        let mut index = shared.index.lock().await;
        if index.version(stream).await? < last {
            index.catch_up().await?;
            shared.tell(&index);
        }
        drop(index);
        let ranks = index::ranks(shared.sql.as_ref(), stream, after, events.len()).await?;
        events.truncate(ranks.len());
        for (event, position) in events.iter_mut().zip(ranks) {
            event.position = position;
        }
        Ok(events)
    }

    async fn read_all(&self, from: Position, limit: usize) -> Result<Page, ReadError> {
        let shared = &self.shared;
        let head = shared.index.lock().await.head();
        let mut page = Page {
            events: vec![],
            next: from,
        };
        let start = match from {
            Position(0) => None,
            _ => match index::place_of(shared.sql.as_ref(), from).await? {
                Some(place) => Some(place),
                None => return Ok(page),
            },
        };
        let mut place = start;
        while page.events.len() < limit && page.next < head {
            let left = limit - page.events.len();
            let mut found = after(&shared.client, &shared.address, place, left).await?;
            let before = place;
            while let Some(resolved) = found.next().await.map_err(|error| away(&error))? {
                let Some(event) = resolved.event else {
                    continue;
                };
                if before.is_some_and(|before| event.position <= before) {
                    continue;
                }
                place = Some(event.position);
                let position = Position(page.next.0 + 1);
                let item = incoming(&shared.address, &event);
                let item = item.map_err(|reason| ReadError::Corrupt { position, reason })?;
                if let Some(event) = event_of(item)
                    && position <= head
                    && page.events.len() < limit
                {
                    page.events.push(Recorded { position, ..event });
                    page.next = position;
                }
            }
            if place == before {
                break;
            }
        }
        Ok(page)
    }

    async fn taken(
        &self,
        from: Option<Timestamp>,
        before: Option<Timestamp>,
    ) -> Result<Vec<Stretch>, ReadError> {
        let head = self.head().await?;
        index::taken(self.shared.sql.as_ref(), head, (from, before)).await
    }

    async fn find_command(
        &self,
        command_id: CommandId,
    ) -> Result<Option<(StreamId, Written)>, ReadError> {
        let answer = index::answer(self.shared.sql.as_ref(), command_id).await?;
        Ok(answer.and_then(Answer::written))
    }

    async fn refuse(
        &self,
        // There is one node.
        _: u64,
        command_id: CommandId,
        refusal: Refusal,
    ) -> Result<(), AppendError> {
        let shared = &self.shared;
        let mut index = shared.index.lock().await;
        let known = index.answer(command_id).await;
        if let Some(answer) = known.map_err(|error| unavailable(&error))? {
            return Err(answer.error(command_id));
        }
        let event = outgoing_refusal(command_id, &refusal)
            .map_err(|error| AppendError::Unavailable(error.to_string()))?;
        let options = AppendToStreamOptions::default().stream_state(StreamState::NoStream);
        let name = shared.address.refusal_name(command_id);
        let written = shared.client.append_to_stream(name, &options, event).await;
        index
            .catch_up()
            .await
            .map_err(|error| unavailable(&error))?;
        written
            .map(|_| ())
            .map_err(|error| AppendError::Unavailable(error.to_string()))
    }

    async fn find_refusal(&self, command_id: CommandId) -> Result<Option<Refusal>, ReadError> {
        let answer = index::answer(self.shared.sql.as_ref(), command_id).await?;
        Ok(answer.and_then(Answer::refusal))
    }

    async fn head(&self) -> Result<Position, ReadError> {
        let mut index = self.shared.index.lock().await;
        index.catch_up().await?;
        self.shared.tell(&index);
        Ok(index.head())
    }

    fn wakeups(&self) -> watch::Receiver<Position> {
        self.shared.head.subscribe()
    }
}
