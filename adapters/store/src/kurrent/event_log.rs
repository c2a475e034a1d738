//! The event log on KurrentDB.

use super::{
    append::claim,
    index::{self, Index, after, away, event_of},
    wire::{Address, Item, incoming},
};
use crate::{answers::Answer, open::OpenError};
use async_trait::async_trait;
use commands::ports::{
    Append, AppendError, Appended, EventLog, Page, Position, ReadError, ReadStore, Recorded,
    Refusal, StreamId, Stretch, Written,
};
use domain::{id::CommandId, time::Timestamp};
use kurrentdb::{
    Client, Error, ReadStreamOptions, RetryOptions, StreamPosition, SubscribeToAllOptions,
    SubscriptionEvent, SubscriptionFilter,
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

/// What appends and readers share.
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) address: Address,
    pub(super) sql: Arc<dyn ReadStore>,
    /// Held by whoever appends: one append at a time.
    index: Mutex<Index>,
    head: watch::Sender<Position>,
    /// Number under which this server has the log.
    pub(super) claim: u64,
    /// Another server has taken it since.
    is_lost: watch::Sender<bool>,
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
    /// Connects, claims the log, brings the index up to that place of `$all`, and
    /// follows it.
    pub(crate) async fn open(address: Address, sql: Arc<dyn ReadStore>) -> Result<Self, OpenError> {
        let client = address.client()?;
        let mut index = Index::open(client.clone(), address.clone(), Arc::clone(&sql))
            .await
            .map_err(|error| OpenError::Unreachable(error.to_string()))?;
        let claim = claim(&client, &address, &mut index).await?;
        let (head, _) = watch::channel(index.head());
        let shared = Arc::new(Shared {
            client,
            address,
            sql,
            index: Mutex::new(index),
            head,
            claim,
            is_lost: watch::Sender::new(false),
        });
        let follower = tokio::spawn(follow(Arc::clone(&shared))).abort_handle();
        Ok(Self { shared, follower })
    }

    /// Becomes true when another server has taken the log.
    pub(crate) fn is_lost(&self) -> watch::Receiver<bool> {
        self.shared.is_lost.subscribe()
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

impl Shared {
    /// Tells how far the index is, and whether the log is lost.
    pub(super) fn tell(&self, index: &Index) {
        let known = index.head();
        self.head.send_if_modified(|head| {
            let is_newer = known > *head;
            *head = known.max(*head);
            is_newer
        });
        let newest = index.fence().newest();
        let is_lost = newest > self.claim;
        if is_lost && !self.is_lost.send_replace(true) {
            let (claim, name) = (self.claim, self.address.fence_name());
            tracing::error!(claim, newest, name, "another server has taken the log");
        }
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
        let (behind, voids) = {
            let index = shared.index.lock().await;
            let fence = index.fence();
            (fence.behind(stream, after), fence.voids(stream))
        };
        let voids = usize::try_from(voids).unwrap_or(usize::MAX);
        let options = ReadStreamOptions::default()
            .forwards()
            .position(StreamPosition::Position(behind))
            .max_count(limit.saturating_add(voids));
        let name = shared.address.name(stream);
        let mut found = match shared.client.read_stream(name, &options).await {
            Ok(found) => found,
            Err(Error::ResourceNotFound) => return Ok(vec![]),
            Err(error) => return Err(away(&error)),
        };
        let mut items = vec![];
        let mut length = 0;
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
            if let Some(Item::Event(sent)) = &item {
                length = sent.revision + 1;
            }
            items.push(item);
        }
        // What the index does not know yet has no position yet.
        let mut index = shared.index.lock().await;
        let known = index.version(stream).await?;
        if index.fence().length(stream, known) < length {
            index.catch_up().await?;
            shared.tell(&index);
        }
        let mut events: Vec<_> = items
            .into_iter()
            .filter_map(|item| event_of(item, index.fence()))
            .take(limit)
            .collect();
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
        let (head, fence) = {
            let index = shared.index.lock().await;
            (index.head(), index.fence().clone())
        };
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
                if let Some(event) = event_of(item, &fence)
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
        // A run that is over has lost the log.
        _: u64,
        command_id: CommandId,
        refusal: Refusal,
    ) -> Result<(), AppendError> {
        let mut index = self.shared.index.lock().await;
        self.shared.refuse(&mut index, command_id, &refusal).await
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
