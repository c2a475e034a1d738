//! The ranks of events in `$all`, and what each command did: a cache in SQL that
//! follows `$all` and can be made anew from it.

use super::wire::{Address, Item, Kept, Sent, incoming, refusal_stream};
use crate::{
    answers::Answer,
    fence::{Fence, Verdict},
    progress::{self, Progress},
    steps::{self, Step},
};
use commands::ports::{
    Position, ReadError, ReadStore, Recorded, Statement, StoreError, StreamId, Stretch, Value,
    Written,
};
use domain::{id::CommandId, time::Timestamp};
use kurrentdb::{
    Client, Error, Position as Place, ReadAllOptions, ReadStream, StreamPosition,
    SubscriptionFilter,
};
use std::sync::Arc;

/// Events that one transaction takes into the index at most.
const PAGE_MAX: usize = 500;

const KEEP_EVENT: &str = "INSERT INTO kurrent_events \
     (position, commit_position, prepare_position, stream, version, recorded_at) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const KEEP_COMMAND: &str = "INSERT INTO kurrent_commands \
     (command_id, stream, version, position, refusal) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (command_id) DO UPDATE SET version = excluded.version, position = excluded.position";
const COMMAND: &str =
    "SELECT stream, version, position, refusal FROM kurrent_commands WHERE command_id = $1";
const VERSION: &str = "SELECT coalesce(max(version), 0) FROM kurrent_events WHERE stream = $1";
const RANKS: &str = "SELECT version, position FROM kurrent_events \
     WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3";
const KEEP_STEP: &str = "INSERT INTO kurrent_steps (position, recorded_before, recorded_at) \
     SELECT position + 1, recorded_at, $2 FROM kurrent_events \
     WHERE position = $1 - 1 AND recorded_at > $2";
const KEEP_CLAIM: &str =
    "INSERT INTO kurrent_claims (number) VALUES ($1) ON CONFLICT (number) DO NOTHING";
const KEEP_VOID: &str = "INSERT INTO kurrent_voids (stream, revision) VALUES ($1, $2)";
const NEWEST_CLAIM: &str = "SELECT coalesce(max(number), 0) FROM kurrent_claims";
const VOIDS: &str = "SELECT stream, revision FROM kurrent_voids";
const STEPS: &str =
    "SELECT position, recorded_before, recorded_at FROM kurrent_steps ORDER BY position";
const TAKEN_AT: &str = "SELECT position, recorded_at FROM kurrent_events \
     WHERE position >= $1 ORDER BY position LIMIT 1";
const PLACE: &str =
    "SELECT commit_position, prepare_position FROM kurrent_events WHERE position = $1";

/// The index, and how far it is.
pub(super) struct Index {
    client: Client,
    address: Address,
    sql: Arc<dyn ReadStore>,
    progress: Progress,
    fence: Fence,
}

const fn kurrent(place: progress::Place) -> Place {
    Place {
        commit: place.commit,
        prepare: place.prepare,
    }
}

const fn ours(place: Place) -> progress::Place {
    progress::Place {
        commit: place.commit,
        prepare: place.prepare,
    }
}

fn number(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

fn text(text: impl ToString) -> Value {
    Value::Text(text.to_string())
}

fn statement(sql: &'static str, parameters: Vec<Value>) -> Statement {
    Statement {
        sql,
        parameters,
        must_touch: None,
    }
}

pub(super) fn away(error: &Error) -> ReadError {
    ReadError::Unavailable(error.to_string())
}

pub(super) fn of_sql(error: StoreError) -> ReadError {
    ReadError::Unavailable(error.to_string())
}

impl Index {
    pub(super) async fn open(
        client: Client,
        address: Address,
        sql: Arc<dyn ReadStore>,
    ) -> Result<Self, ReadError> {
        let progress = Progress::read(Arc::clone(&sql), &address.prefix).await;
        let fence = fence(sql.as_ref()).await?;
        let mut index = Self {
            client,
            address,
            sql,
            progress: progress.map_err(of_sql)?,
            fence,
        };
        index.catch_up().await?;
        Ok(index)
    }

    /// Rank of the last event.
    pub(super) const fn head(&self) -> Position {
        Position(self.progress.head())
    }

    /// Everything up to this place of `$all` is in it.
    pub(super) fn place(&self) -> Option<Place> {
        self.progress.place().map(kurrent)
    }

    /// Who may write, up to there.
    pub(super) const fn fence(&self) -> &Fence {
        &self.fence
    }

    /// What an error has left open is read again.
    async fn settle(&mut self) -> Result<(), ReadError> {
        if self.progress.settle().await.map_err(of_sql)? {
            self.fence = fence(self.sql.as_ref()).await?;
        }
        Ok(())
    }

    /// Reads `$all` on to its end.
    pub(super) async fn catch_up(&mut self) -> Result<(), ReadError> {
        self.settle().await?;
        loop {
            let start = self.place();
            let mut page = after(&self.client, &self.address, start, PAGE_MAX).await?;
            let mut taken = Taken::from(self);
            while let Some(resolved) = page.next().await.map_err(|error| away(&error))? {
                let Some(event) = resolved.event else {
                    continue;
                };
                if start.is_some_and(|place| event.position <= place) {
                    continue;
                }
                let place = event.position;
                let item =
                    incoming(&self.address, &event).map_err(|reason| ReadError::Corrupt {
                        position: Position(taken.head + 1),
                        reason,
                    })?;
                taken.take(place, item);
            }
            if taken.place == start {
                return Ok(());
            }
            self.keep(taken).await?;
        }
    }

    /// Nothing of ours stands up to this place of `$all` that is not in here.
    pub(super) async fn checkpoint(&mut self, place: Place) -> Result<(), ReadError> {
        self.settle().await?;
        if self.place().is_some_and(|known| place <= known) {
            return Ok(());
        }
        let mut taken = Taken::from(self);
        taken.place = Some(place);
        self.keep(taken).await
    }

    async fn keep(&mut self, taken: Taken) -> Result<(), ReadError> {
        let Taken {
            head,
            place,
            fence,
            statements,
        } = taken;
        let Some(place) = place else {
            return Ok(());
        };
        let advanced = self.progress.advance(head, ours(place), statements);
        advanced.await.map_err(of_sql)?;
        self.fence = fence;
        Ok(())
    }

    /// What a command has heard.
    pub(super) async fn answer(&self, command_id: CommandId) -> Result<Option<Answer>, ReadError> {
        answer(self.sql.as_ref(), command_id).await
    }

    /// Version of a stream.
    pub(super) async fn version(&self, stream: &StreamId) -> Result<u64, ReadError> {
        let rows = self.sql.query(VERSION, vec![text(stream)]).await;
        Ok(match rows.map_err(of_sql)?.first().map(Vec::as_slice) {
            Some([Value::Int(version)]) => version.unsigned_abs(),
            Some(_) | None => 0,
        })
    }
}

/// What is to be kept of a page of `$all`.
struct Taken {
    head: u64,
    place: Option<Place>,
    fence: Fence,
    statements: Vec<Statement>,
}

impl Taken {
    fn from(index: &Index) -> Self {
        Self {
            head: index.progress.head(),
            place: index.place(),
            fence: index.fence.clone(),
            statements: vec![],
        }
    }

    fn take(&mut self, place: Place, item: Option<Item>) {
        self.place = Some(place);
        match item {
            None => {}
            Some(Item::Claim(claim)) => {
                self.fence.claimed(claim);
                self.keep(KEEP_CLAIM, vec![number(claim)]);
            }
            Some(Item::Refusal(kept)) => self.refusal(kept),
            Some(Item::Event(sent)) => self.event(place, sent),
        }
    }

    fn keep(&mut self, sql: &'static str, parameters: Vec<Value>) {
        self.statements.push(statement(sql, parameters));
    }

    /// The version of what stands there in the stream, unless it is void.
    fn version(&mut self, stream: &StreamId, revision: u64, claim: u64) -> Option<u64> {
        match self.fence.judge(stream, revision, claim) {
            Verdict::Counts(version) => Some(version),
            Verdict::Void => {
                tracing::warn!(%stream, revision, claim, "a server that had lost the log has written");
                self.keep(KEEP_VOID, vec![text(stream), number(revision)]);
                None
            }
        }
    }

    fn refusal(&mut self, kept: Kept) {
        let stream = refusal_stream(kept.command_id);
        if self.version(&stream, kept.revision, kept.claim).is_none() {
            return;
        }
        let row = vec![
            text(kept.command_id),
            text(kept.stream),
            number(kept.version),
            number(0),
            text(kept.refusal),
        ];
        self.keep(KEEP_COMMAND, row);
    }

    fn event(&mut self, place: Place, sent: Sent) {
        let event = sent.event;
        let Some(version) = self.version(&event.stream, sent.revision, sent.claim) else {
            return;
        };
        self.head += 1;
        let (stream, version) = (text(&event.stream), number(version));
        let head = number(self.head);
        let taken = Value::Int(event.recorded_at.micros());
        self.keep(KEEP_STEP, vec![head.clone(), taken.clone()]);
        let row = vec![
            head.clone(),
            number(place.commit),
            number(place.prepare),
            stream.clone(),
            version.clone(),
            taken,
        ];
        self.keep(KEEP_EVENT, row);
        // The last event of a change is what its command heard.
        let row = vec![text(event.command_id), stream, version, head, Value::Null];
        self.keep(KEEP_COMMAND, row);
    }
}

/// Who may write, as far as the index is.
async fn fence(sql: &dyn ReadStore) -> Result<Fence, ReadError> {
    let rows = sql.query(NEWEST_CLAIM, vec![]).await.map_err(of_sql)?;
    let newest = match rows.first().map(Vec::as_slice) {
        Some([Value::Int(number)]) => number.unsigned_abs(),
        Some(_) | None => 0,
    };
    let rows = sql.query(VOIDS, vec![]).await.map_err(of_sql)?;
    let void = |row: Vec<Value>| match row.as_slice() {
        [Value::Text(stream), Value::Int(revision)] => {
            Some((StreamId::from_stored(stream), revision.unsigned_abs()))
        }
        _ => None,
    };
    Ok(Fence::of(newest, rows.into_iter().filter_map(void)))
}

/// Our events after a place of `$all`; the one at that place comes too.
pub(super) async fn after(
    client: &Client,
    address: &Address,
    place: Option<Place>,
    limit: usize,
) -> Result<ReadStream, ReadError> {
    let options = ReadAllOptions::default()
        .forwards()
        .position(place.map_or(StreamPosition::Start, StreamPosition::Position))
        .filter(SubscriptionFilter::on_stream_name().add_prefix(&address.prefix))
        .max_count(limit + 1);
    client
        .read_all(&options)
        .await
        .map_err(|error| away(&error))
}

/// What a command has heard.
pub(super) async fn answer(
    sql: &dyn ReadStore,
    command_id: CommandId,
) -> Result<Option<Answer>, ReadError> {
    let rows = sql.query(COMMAND, vec![text(command_id)]).await;
    let rows = rows.map_err(of_sql)?;
    let Some(
        [
            Value::Text(stream),
            Value::Int(version),
            Value::Int(position),
            refusal,
        ],
    ) = rows.first().map(Vec::as_slice)
    else {
        return Ok(None);
    };
    let written = Written {
        version: version.unsigned_abs(),
        position: Position(position.unsigned_abs()),
    };
    let refusal = match refusal {
        Value::Text(text) => Some(text.as_str()),
        Value::Null | Value::Int(_) | Value::Bytes(_) => None,
    };
    Answer::read(stream, written, refusal)
        .map(Some)
        .map_err(|reason| ReadError::Corrupt {
            position: written.position,
            reason,
        })
}

/// The ranks of a stream's events after a version, in order.
pub(super) async fn ranks(
    sql: &dyn ReadStore,
    stream: &StreamId,
    after: u64,
    limit: usize,
) -> Result<Vec<Position>, ReadError> {
    let limit = number(u64::try_from(limit).unwrap_or(u64::MAX));
    let rows = sql.query(RANKS, vec![text(stream), number(after), limit]);
    let rank = |row: Vec<Value>| match row.as_slice() {
        [_, Value::Int(position)] => Some(Position(position.unsigned_abs())),
        _ => None,
    };
    Ok(rows
        .await
        .map_err(of_sql)?
        .into_iter()
        .filter_map(rank)
        .collect())
}

/// Where the events are that were taken in a time.
pub(super) async fn taken(
    sql: &dyn ReadStore,
    head: Position,
    span: (Option<Timestamp>, Option<Timestamp>),
) -> Result<Vec<Stretch>, ReadError> {
    let step = |row: Vec<Value>| match row.as_slice() {
        [Value::Int(position), Value::Int(before), Value::Int(after)] => Some(Step {
            position: Position(position.unsigned_abs()),
            before: Timestamp::from_micros(*before),
            after: Timestamp::from_micros(*after),
        }),
        _ => None,
    };
    let rows = sql.query(STEPS, vec![]).await.map_err(of_sql)?;
    let steps: Vec<_> = rows.into_iter().filter_map(step).collect();
    let at = async |position: Position| {
        let rows = sql.query(TAKEN_AT, vec![number(position.0)]).await;
        Ok(match rows.map_err(of_sql)?.first().map(Vec::as_slice) {
            Some([Value::Int(position), Value::Int(taken)]) => Some((
                Position(position.unsigned_abs()),
                Timestamp::from_micros(*taken),
            )),
            Some(_) | None => None,
        })
    };
    steps::stretches(&steps, head, span, at).await
}

/// Where in `$all` the event of a rank is.
pub(super) async fn place_of(
    sql: &dyn ReadStore,
    position: Position,
) -> Result<Option<Place>, ReadError> {
    let rows = sql.query(PLACE, vec![number(position.0)]).await;
    Ok(match rows.map_err(of_sql)?.first().map(Vec::as_slice) {
        Some([Value::Int(commit), Value::Int(prepare)]) => Some(Place {
            commit: commit.unsigned_abs(),
            prepare: prepare.unsigned_abs(),
        }),
        Some(_) | None => None,
    })
}

/// The event in it at its version, if it is one that counts.
pub(super) fn event_of(item: Option<Item>, fence: &Fence) -> Option<Recorded> {
    match item {
        Some(Item::Event(sent)) => {
            let version = fence.version(&sent.event.stream, sent.revision)?;
            let event = *sent.event;
            Some(Recorded { version, ..event })
        }
        Some(Item::Refusal(_) | Item::Claim(_)) | None => None,
    }
}
