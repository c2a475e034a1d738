//! All the ports there are: what the write side and its readers need from the
//! outside world. Each has a real implementation in an adapter and is held to
//! one contract suite.

use async_trait::async_trait;
use domain::{
    id::{CommandId, EventId, SubjectId, TenantId, VoicemailId},
    sealed::{Note, Party, Sealed},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};
use tokio::sync::watch;
use uuid::Uuid;

/// A place in the one order of all events. 0 is before the first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a stream, `{category}-{id}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// The stream of an aggregate: its category and its id.
    pub fn new(category: &str, id: impl fmt::Display) -> Self {
        Self(format!("{category}-{id}").into())
    }

    /// A name as it was stored.
    pub fn from_stored(name: &str) -> Self {
        Self(name.into())
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first dash.
    pub fn category(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// The part after the first dash.
    pub fn key(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, key)| key)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is written beside each event: who caused it and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The tenant that it belongs to.
    pub tenant: TenantId,
    /// What belongs together: the call's id where there is a call.
    pub correlation_id: Uuid,
    /// The event or request that caused the command.
    pub causation_id: Uuid,
    /// Who asked: `system:routing`, `adapter:sip`, `token:dashboard`, `config`.
    pub actor: String,
    /// Run number of the node that wrote it; grows with every start.
    pub node_epoch: u64,
}

/// An event about to be stored. `payload` is `{"at":..,"event":{..}}`.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Time-ordered id.
    pub event_id: EventId,
    /// Wire name.
    pub event_type: &'static str,
    /// Schema version of the payload.
    pub event_version: u32,
    /// The stamped event, serialised once.
    pub payload: Arc<str>,
}

/// The events of one command.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The idempotency key; unique in the whole log.
    pub command_id: CommandId,
    /// Who and why.
    pub metadata: Metadata,
    /// What happened; never empty.
    pub events: Vec<NewEvent>,
}

/// One atomic append to one stream: the changes of one or more commands that
/// were decided one after the other on the same stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Append {
    /// Where to.
    pub stream: StreamId,
    /// Category-specific type name of the aggregate, for example `call`.
    pub aggregate_type: &'static str,
    /// Version of the stream that the decision was made on; 0 for a new one.
    pub expected: u64,
    /// In order; all or none are stored.
    pub changes: Vec<Change>,
}

/// Where one change went. What a retry of the same command hears again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Version of the stream after the change.
    pub version: u64,
    /// Position of the change's last event.
    pub position: Position,
}

/// Why a command was refused: what a retry of it hears again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Whose rules said no.
    pub stream: StreamId,
    /// Version of the stream that it was decided on.
    pub version: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// Stable code, for example `agent.not_ready`.
    pub code: String,
    /// What was wrong, in words.
    pub message: String,
}

/// The outcome of an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// One for each change, in order.
    pub changes: Vec<Written>,
    /// Position of the first event of the append; the others follow without a hole.
    pub first: Position,
    /// The last position in the whole log before this append, so that a reader
    /// of the tail can tell whether another node wrote in between.
    pub previous_head: Position,
}

/// Why an append was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Somebody else has written to the stream.
    #[error("stream is at version {actual}, not at {expected}")]
    Conflict {
        /// What the writer thought.
        expected: u64,
        /// What is true.
        actual: u64,
    },
    /// The command was written before; this was its effect.
    #[error("command {command_id} was written before")]
    Duplicate {
        /// Which one.
        command_id: CommandId,
        /// Which stream it went to.
        stream: StreamId,
        /// Its first result.
        written: Written,
    },
    /// The command was refused before; it has no effect any more.
    #[error("command {command_id} was refused before: {}", refusal.code)]
    Refused {
        /// Which one.
        command_id: CommandId,
        /// What it heard.
        refusal: Refusal,
    },
    /// This node's epoch is no longer the newest lease of its name.
    #[error("this writer was replaced by a newer one")]
    Fenced,
    /// The store can not be reached or has no room; nothing was stored, or the
    /// outcome is unknown: retry only with the same command id.
    #[error("event store is unavailable: {0}")]
    Unavailable(String),
}

/// A stored event.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Place in the order of all events.
    pub position: Position,
    /// Where it is.
    pub stream: StreamId,
    /// Its number in the stream, from 1.
    pub version: u64,
    /// Its id.
    pub event_id: EventId,
    /// Wire name.
    pub event_type: Arc<str>,
    /// Schema version of the payload.
    pub event_version: u32,
    /// `{"at":..,"event":{..}}`.
    pub payload: Arc<str>,
    /// The command that caused it.
    pub command_id: CommandId,
    /// Who and why.
    pub metadata: Metadata,
    /// When the store took it.
    pub recorded_at: Timestamp,
}

/// A stretch of the log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// In order of position.
    pub events: Vec<Recorded>,
    /// Read on after this position; it moves over holes.
    pub next: Position,
}

/// A part of the log, both ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Its first event.
    pub first: Position,
    /// Its last event.
    pub last: Position,
    /// Where the clock was behind for a while when it was taken: the time of the first
    /// event after that while.
    pub behind: Option<Timestamp>,
}

/// Why a read failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The store can not be reached.
    #[error("store is unavailable: {0}")]
    Unavailable(String),
    /// A row can not be understood.
    #[error("row at position {position} is corrupt: {reason}")]
    Corrupt {
        /// Where.
        position: Position,
        /// Why.
        reason: String,
    },
}

/// The log of all events. One total order; append-only.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// Stores each append atomically, in order, in one durable group commit.
    /// Answers one result for each. An append that is refused leaves the
    /// others of the batch untouched.
    async fn append(&self, batch: Vec<Append>) -> Vec<Result<Appended, AppendError>>;

    /// The stream's events after version `after`, all of them.
    async fn read_stream(&self, stream: &StreamId, after: u64) -> Result<Vec<Recorded>, ReadError>;

    /// Up to `limit` of the stream's events after version `after`.
    async fn read_stream_page(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Recorded>, ReadError> {
        let mut events = self.read_stream(stream, after).await?;
        events.truncate(limit);
        Ok(events)
    }

    /// Up to `limit` events after the position, in order, never past an event
    /// that is not yet committed.
    async fn read_all(&self, after: Position, limit: usize) -> Result<Page, ReadError>;

    /// Where the events are that were taken `from` one instant on and `before` another,
    /// by their `recorded_at`: stretches in order, which hold all such events and no
    /// others. There is more than one where the clock was set meanwhile. A log without a
    /// faster way looks at every event, and does not tell where its clock was behind.
    async fn taken(
        &self,
        from: Option<Timestamp>,
        before: Option<Timestamp>,
    ) -> Result<Vec<Stretch>, ReadError> {
        /// Events looked at together.
        const PAGE_EVENTS: usize = 1_000;
        let mut stretches: Vec<Stretch> = vec![];
        let mut is_open = false;
        let mut after = Position::default();
        loop {
            let page = self.read_all(after, PAGE_EVENTS).await?;
            if page.events.is_empty() {
                return Ok(stretches);
            }
            after = page.next;
            for event in page.events {
                let is_in = from.is_none_or(|from| event.recorded_at >= from)
                    && before.is_none_or(|before| event.recorded_at < before);
                match stretches.last_mut().filter(|_| is_in && is_open) {
                    Some(stretch) => stretch.last = event.position,
                    None if is_in => stretches.push(Stretch {
                        first: event.position,
                        last: event.position,
                        behind: None,
                    }),
                    None => {}
                }
                is_open = is_in;
            }
        }
    }

    /// The first result of a command, if it had an effect.
    async fn find_command(
        &self,
        command_id: CommandId,
    ) -> Result<Option<(StreamId, Written)>, ReadError>;

    /// Notes durably that a command was refused: it hears the same again, and
    /// never has an effect. `Duplicate` or `Refused` when it was answered before;
    /// `Fenced` when the run `node_epoch`, whose rules said no, is over: another node
    /// asks the same by now, and must not hear what that one made of it. A log that can
    /// not keep refusals does nothing.
    async fn refuse(
        &self,
        node_epoch: u64,
        command_id: CommandId,
        refusal: Refusal,
    ) -> Result<(), AppendError> {
        let _ = (node_epoch, command_id, refusal);
        Ok(())
    }

    /// The refusal that was noted for a command.
    async fn find_refusal(&self, command_id: CommandId) -> Result<Option<Refusal>, ReadError> {
        let _ = command_id;
        Ok(None)
    }

    /// Position of the last event.
    async fn head(&self) -> Result<Position, ReadError>;

    /// Becomes higher when there may be more to read, also by another node: a
    /// hint; reading is the truth.
    fn wakeups(&self) -> watch::Receiver<Position>;

    /// Whether other nodes may write to it: then what an actor remembers of a
    /// stream may be old.
    fn is_shared(&self) -> bool {
        false
    }
}

/// A value in a row of the read store.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A number; instants are microseconds since 1970.
    Int(i64),
    /// Text, also ids and JSON.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// One statement with its parameters, written in the common part of SQLite's
/// and PostgreSQL's SQL with `$1`-style parameters in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text; a literal, so that it can be prepared once.
    pub sql: &'static str,
    /// `$1` is the first.
    pub parameters: Vec<Value>,
    /// How many rows it must touch; the whole transaction is undone otherwise.
    pub must_touch: Option<u64>,
}

/// Why the read store did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It can not be reached, has no room, or refused the statement.
    #[error("read store is unavailable: {0}")]
    Unavailable(String),
    /// A value can not be stored, now or later. Nothing was stored.
    #[error("read store can not hold a value: {0}")]
    Refused(String),
    /// A statement touched another number of rows than it must: somebody else
    /// has the lead. Nothing was stored.
    #[error("another writer has the lead")]
    Fenced,
}

/// Tables of read models, checkpoints and process rows. Everything in it can
/// be rebuilt from the log, but bindings of phones, which come back by themselves.
#[async_trait]
pub trait ReadStore: Send + Sync + 'static {
    /// Runs all statements in one transaction.
    async fn transact(&self, statements: Vec<Statement>) -> Result<(), StoreError>;
    /// Makes an empty table of the same shape and with the same indexes under
    /// another name, in place of one that is left there from before.
    async fn twin(&self, table: &'static str, twin: &'static str) -> Result<(), StoreError> {
        let reason = format!("this store makes no {twin} of {table}");
        Err(StoreError::Unavailable(reason))
    }
    /// Runs one query and returns its rows.
    async fn query(&self, sql: &str, parameters: Vec<Value>)
    -> Result<Vec<Vec<Value>>, StoreError>;
    /// Takes what was overwritten or deleted out of the files, as far as the
    /// database lets it: after an erasure the bytes must go too.
    async fn scrub(&self) -> Result<(), StoreError>;
}

/// Why a personal value can not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The key store can not be reached.
    #[error("key store is unavailable: {0}")]
    Unavailable(String),
    /// The ciphertext was changed or belongs to another key.
    #[error("sealed value can not be opened: {0}")]
    Broken(String),
}

/// A person who is forgotten, as the record says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// Whose data.
    pub subject: SubjectId,
    /// Every key up to this number is to be destroyed.
    pub keys_through: u32,
    /// Where the record says so.
    pub position: Position,
}

/// Seals and opens personal data. Keys live apart from the log and are backed
/// up apart, so that destroying one is final.
#[async_trait]
pub trait Vault: Send + Sync + 'static {
    /// Whose data a number or address is: a keyed hash of its normal form.
    fn subject_of(&self, user: &str) -> SubjectId;
    /// Seals a party under the key of its subject, which is made and stored
    /// durably first if there is none yet.
    async fn seal(&self, party: &Party) -> Result<Sealed<Party>, VaultError> {
        self.seal_for(self.subject_of(&party.user), party).await
    }
    /// Seals under the key of that subject what does not name the subject itself.
    async fn seal_for(
        &self,
        subject: SubjectId,
        party: &Party,
    ) -> Result<Sealed<Party>, VaultError>;
    /// Opens it; `None` when the subject's key was destroyed.
    async fn open(&self, sealed: &Sealed<Party>) -> Result<Option<Party>, VaultError>;
    /// Seals what somebody has written about that subject, as a party is sealed.
    async fn seal_note(&self, subject: SubjectId, note: &Note) -> Result<Sealed<Note>, VaultError>;
    /// Opens it; `None` when the subject's key was destroyed.
    async fn open_note(&self, sealed: &Sealed<Note>) -> Result<Option<Note>, VaultError>;
    /// Seals bytes under the key of that subject, as a party is sealed.
    async fn seal_bytes(&self, subject: SubjectId, plain: &[u8]) -> Result<Vec<u8>, VaultError>;
    /// Opens them; `None` when the subject's key was destroyed.
    async fn open_bytes(
        &self,
        subject: SubjectId,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, VaultError>;
    /// Number of the newest key that the subject ever had; 0 if it had none.
    async fn keys_through(&self, subject: SubjectId) -> Result<u32, VaultError>;
    /// Destroys the keys durably and forgets them: what was sealed under them
    /// opens as `None` from now on, for ever. A later value gets a new key.
    /// Nothing may be taken as erased when it fails; doing it again is harmless.
    /// Their bytes may be in the files until [`Self::scrub`].
    async fn shred(&self, erasure: &Erasure) -> Result<(), VaultError>;
    /// Takes the bytes of destroyed keys out of the files; does nothing where that was
    /// done since the last one was destroyed. It needs room and a moment in which nobody
    /// reads: when it fails, it is to be done later.
    async fn scrub(&self) -> Result<(), VaultError>;
    /// The latest erasure that was carried out on these keys. Keys that came
    /// back from a backup know only those from before it.
    async fn shredded(&self) -> Result<Position, VaultError>;
}

/// A recording as it is kept: sealed under the key of that subject.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSound {
    /// Whose key.
    pub subject: SubjectId,
    /// The file, sealed.
    pub sealed: Vec<u8>,
}

impl fmt::Debug for SealedSound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{redacted}")
    }
}

/// What callers have said in mailboxes. Not in the log, which is kept for ever, but
/// beside it in the same database: backed up with it, and seen by every node.
#[async_trait]
pub trait Recordings: Send + Sync + 'static {
    /// Keeps it durably; one that is there already stays as it is.
    async fn put(
        &self,
        message: VoicemailId,
        stored_at: Timestamp,
        sound: SealedSound,
    ) -> Result<(), StoreError>;
    /// The recording, if it is there.
    async fn get(&self, message: VoicemailId) -> Result<Option<SealedSound>, StoreError>;
    /// Takes it away; nothing happens if there is none.
    async fn remove(&self, message: VoicemailId) -> Result<(), StoreError>;
    /// Those that were kept before an instant.
    async fn kept_before(&self, before: Timestamp) -> Result<Vec<VoicemailId>, StoreError>;
}

/// Secrets that prove who somebody is: never in an event or a log.
#[async_trait]
pub trait Secrets: Send + Sync + 'static {
    /// Stores or replaces the value of a key, durably.
    async fn put(&self, kind: &str, key: &str, value: &str) -> Result<(), StoreError>;
    /// Stores the value of a key that has none, durably: of several nodes that do
    /// this at once, one does.
    async fn put_new(&self, kind: &str, key: &str, value: &str) -> Result<(), StoreError>;
    /// The value of a key.
    async fn get(&self, kind: &str, key: &str) -> Result<Option<String>, StoreError>;
    /// Removes a key; nothing happens if there is none.
    async fn remove(&self, kind: &str, key: &str) -> Result<(), StoreError>;
    /// All keys and values of a kind.
    async fn list(&self, kind: &str) -> Result<Vec<(String, String)>, StoreError>;
}

/// The time.
pub trait Clock: Send + Sync + 'static {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Chance: new ids and random numbers.
pub trait Entropy: Send + Sync + 'static {
    /// A new time-ordered id (UUIDv7) for something that happens at `at`.
    fn uuid(&self, at: Timestamp) -> Uuid;
    /// A random number.
    fn number(&self) -> u64;
}
