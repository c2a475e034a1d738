//! Writing to KurrentDB: the server takes an append at the length that its stream must
//! have, and `$all` says what became of it.

use super::{
    event_log::Shared,
    index::{self, Index},
    wire::{Address, outgoing, outgoing_claim, outgoing_refusal, refusal_stream},
};
use crate::{admission, answers::Answer, open::OpenError};
use commands::ports::{Append, AppendError, Appended, Position, ReadError, Refusal, Written};
use domain::id::CommandId;
use kurrentdb::{AppendToStreamOptions, Client, Error, EventData, StreamState, WriteResult};

/// How often something is sent that meets a stream which is longer than was known: a
/// server that has lost the log is told so by its first append, so each adds one.
const TRIES_MAX: usize = 8;

/// Takes the log from whoever has it: what they send from then on is void. Everything
/// that counts from before is in the index afterwards.
pub(super) async fn claim(
    client: &Client,
    address: &Address,
    index: &mut Index,
) -> Result<u64, OpenError> {
    let unreachable = |reason: String| OpenError::Unreachable(reason);
    let name = address.fence_name();
    for _ in 0..TRIES_MAX {
        let length = index.fence().newest();
        let number = length + 1;
        let event = outgoing_claim(number).map_err(|error| unreachable(error.to_string()))?;
        let options = AppendToStreamOptions::default().stream_state(state(length));
        let written = client.append_to_stream(name.clone(), &options, event).await;
        let seen = index.catch_up().await;
        seen.map_err(|error| unreachable(error.to_string()))?;
        match written {
            Ok(_) if index.fence().newest() == number => return Ok(number),
            Ok(_) if index.fence().newest() > number => {
                return Err(OpenError::InUse(format!("the log of {name}")));
            }
            Ok(_) => {
                let reason = format!("{name} was written and is not shown yet");
                return Err(unreachable(reason));
            }
            // Another one has opened it at the same time.
            Err(Error::WrongExpectedVersion { .. }) => {}
            Err(error) => return Err(unreachable(error.to_string())),
        }
    }
    let reason = format!("{name} does not hold the claims of the log and nothing else");
    Err(unreachable(reason))
}

/// The state of a stream of so many events.
const fn state(length: u64) -> StreamState {
    match length {
        0 => StreamState::NoStream,
        length => StreamState::StreamRevision(length - 1),
    }
}

fn unavailable(error: &ReadError) -> AppendError {
    AppendError::Unavailable(error.to_string())
}

impl Shared {
    /// Whether nobody else has taken the log, as far as the index is.
    fn holds(&self, index: &Index) -> Result<(), AppendError> {
        match index.fence().takes(self.claim) {
            true => Ok(()),
            false => Err(AppendError::Fenced),
        }
    }

    /// The answer that one of the append's commands has had.
    async fn known(&self, index: &Index, append: &Append) -> Result<(), AppendError> {
        for change in &append.changes {
            if let Some(answer) = self.answer(index, change.command_id).await? {
                return Err(answer.error(change.command_id));
            }
        }
        Ok(())
    }

    /// Appends one, and says where it went.
    pub(super) async fn append(
        &self,
        index: &mut Index,
        append: &Append,
    ) -> Result<Appended, AppendError> {
        admission::check(append)?;
        for _ in 0..TRIES_MAX {
            self.holds(index)?;
            self.known(index, append).await?;
            self.at_version(index, append).await?;
            let mut events = vec![];
            for change in &append.changes {
                events.extend(outgoing(change, self.claim).map_err(AppendError::Unavailable)?);
            }
            let length = index.fence().length(&append.stream, append.expected);
            let name = self.address.name(&append.stream);
            match self.send(index, name, length, events).await? {
                Ok(_) => {
                    if let Some(appended) = self.appended(index, append).await? {
                        return Ok(appended);
                    }
                }
                Err(Error::WrongExpectedVersion { .. }) => {
                    self.holds(index)?;
                    self.known(index, append).await?;
                    self.at_version(index, append).await?;
                }
                // Unknown: the same command finds out, when it comes again.
                Err(error) => return Err(AppendError::Unavailable(error.to_string())),
            }
            self.holds(index)?;
            let now = index.fence().length(&append.stream, append.expected);
            if now == length {
                break;
            }
            // What a server that had lost the log has written stands in the way, and
            // does not count.
        }
        let reason = "the server has the stream otherwise than it shows it";
        Err(AppendError::Unavailable(reason.into()))
    }

    /// Sends what is to stand behind so many events, and reads `$all` on to its end,
    /// whatever became of it: it knows, also of a reply that was lost.
    async fn send(
        &self,
        index: &mut Index,
        name: String,
        length: u64,
        events: Vec<EventData>,
    ) -> Result<Result<WriteResult, Error>, AppendError> {
        let options = AppendToStreamOptions::default().stream_state(state(length));
        let written = self.client.append_to_stream(name, &options, events).await;
        let seen = index.catch_up().await;
        seen.map_err(|error| unavailable(&error))?;
        self.tell(index);
        Ok(written)
    }

    /// Notes a refusal.
    pub(super) async fn refuse(
        &self,
        index: &mut Index,
        command_id: CommandId,
        refusal: &Refusal,
    ) -> Result<(), AppendError> {
        let stream = refusal_stream(command_id);
        for _ in 0..TRIES_MAX {
            self.holds(index)?;
            if let Some(answer) = self.answer(index, command_id).await? {
                return Err(answer.error(command_id));
            }
            let event = outgoing_refusal(command_id, refusal, self.claim)
                .map_err(|error| AppendError::Unavailable(error.to_string()))?;
            let length = index.fence().length(&stream, 0);
            let name = self.address.refusal_name(command_id);
            match self.send(index, name, length, vec![event]).await? {
                Ok(_) => {
                    if self.answer(index, command_id).await?.is_some() {
                        return Ok(());
                    }
                }
                Err(Error::WrongExpectedVersion { .. }) => {}
                Err(error) => return Err(AppendError::Unavailable(error.to_string())),
            }
        }
        self.holds(index)?;
        let reason = "the server does not show the refusal that it has";
        Err(AppendError::Unavailable(reason.into()))
    }

    async fn answer(
        &self,
        index: &Index,
        command_id: CommandId,
    ) -> Result<Option<Answer>, AppendError> {
        let answer = index.answer(command_id).await;
        answer.map_err(|error| unavailable(&error))
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

    /// Where an append went, if it counts: its events stand in a row in `$all`.
    async fn appended(
        &self,
        index: &Index,
        append: &Append,
    ) -> Result<Option<Appended>, AppendError> {
        let sql = self.sql.as_ref();
        let ranks = index::ranks(sql, &append.stream, append.expected, 1).await;
        let Some(first) = ranks.map_err(|error| unavailable(&error))?.first().copied() else {
            return Ok(None);
        };
        let mut version = append.expected;
        let mut position = first.0 - 1;
        let mut changes = Vec::with_capacity(append.changes.len());
        for change in &append.changes {
            let count = change.events.len() as u64;
            version += count;
            position += count;
            let written = Written {
                version,
                position: Position(position),
            };
            let ours = Answer::Written(append.stream.clone(), written);
            if self.answer(index, change.command_id).await? != Some(ours) {
                return Ok(None);
            }
            changes.push(written);
        }
        Ok(Some(Appended {
            changes,
            first,
            previous_head: Position(first.0 - 1),
        }))
    }
}
