//! The boards as they were: calls in progress, agents, queues and trunks at any
//! place in the record. A board is folded from the nearest one that was kept,
//! with the same functions as the live rows.

mod board;
mod call;
mod events;
mod keeper;
#[cfg(test)]
mod set_clock;
mod story;
#[cfg(test)]
mod tests;

pub use board::Board;
pub use call::CallAt;
pub use events::{EventFilter, EventPage, SCAN_MAX};
pub(crate) use keeper::keep;
pub use story::{Faces, faces, story};

use crate::{
    agent_states, live_calls,
    page::{Page, Slice},
    views::ViewError,
};
use commands::{
    feed::understand,
    ports::{EventLog, Position, ReadError, ReadStore, Recorded, Vault, VaultError},
};
use domain::{
    id::{AgentId, CallId},
    sealed::{Party, Sealed},
    time::Timestamp,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Semaphore;

/// Events read at once.
const PAGE_EVENTS: usize = 1_000;
/// Boards kept in memory, so that the pages of one board are folded once.
const BOARDS_MAX: usize = 4;
/// Boards folded at once: the live side needs the processors too.
const REPLAYS_MAX: usize = 2;

/// The way to what was; cheap to clone.
#[derive(Clone)]
pub struct Past(Arc<Means>);

struct Means {
    log: Arc<dyn EventLog>,
    read: Arc<dyn ReadStore>,
    vault: Arc<dyn Vault>,
    boards: Mutex<VecDeque<Arc<Board>>>,
    replays: Semaphore,
}

impl std::fmt::Debug for Past {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Past")
    }
}

impl From<ReadError> for ViewError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(reason) => Self::Unavailable(reason),
            corrupt @ ReadError::Corrupt { .. } => Self::Unreadable(corrupt.to_string()),
        }
    }
}

impl From<VaultError> for ViewError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Unavailable(reason) => Self::Unavailable(reason),
            broken @ VaultError::Broken(_) => Self::Unreadable(broken.to_string()),
        }
    }
}

impl Past {
    pub(crate) fn new(
        log: Arc<dyn EventLog>,
        read: Arc<dyn ReadStore>,
        vault: Arc<dyn Vault>,
    ) -> Self {
        Self(Arc::new(Means {
            log,
            read,
            vault,
            boards: Mutex::default(),
            replays: Semaphore::new(REPLAYS_MAX),
        }))
    }

    /// Position of the last event on the record.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn head(&self) -> Result<Position, ViewError> {
        Ok(self.0.log.head().await?)
    }

    /// How far the record was at that instant: up to the last event whose time is not
    /// later. Where the store's clock was ahead for a while, what was taken meanwhile is
    /// as early as what came after it; where it was behind, it is as late as what came
    /// after it. Where it was set back for good, this is a guess: a position is exact.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn position_at(&self, at: Timestamp) -> Result<Position, ViewError> {
        let before = Timestamp::from_micros(at.micros().saturating_add(1));
        let taken = self.0.log.taken(None, Some(before)).await?;
        let mut by_then = taken.iter().rev().filter(|one| {
            // Its events are as late as the one after it.
            one.behind.is_none_or(|behind| behind <= at)
        });
        Ok(by_then
            .next()
            .map_or_else(Position::default, |one| one.last))
    }

    /// When the event there happened, by the clock that all else in it is told by; none
    /// before the first.
    ///
    /// # Errors
    /// See [`ViewError`]; an event that can not be understood is
    /// [`ViewError::Unreadable`].
    pub async fn happened_at(&self, position: Position) -> Result<Option<Timestamp>, ViewError> {
        let event = self.first_from(position).await?;
        let event = event.filter(|event| event.position == position);
        Ok(event.map(understand).transpose()?.map(|it| it.fact.at))
    }

    async fn first_from(&self, position: Position) -> Result<Option<Recorded>, ViewError> {
        let before = Position(position.0.saturating_sub(1));
        let page = self.0.log.read_all(before, 1).await?;
        Ok(page.events.into_iter().next())
    }

    /// The board after the event at that position.
    ///
    /// # Errors
    /// See [`ViewError`]; an event that can not be understood is
    /// [`ViewError::Unreadable`], never left out.
    pub async fn board(&self, position: Position) -> Result<Arc<Board>, ViewError> {
        if let Some(known) = self.remembered(position) {
            return Ok(known);
        }
        let permit = self.0.replays.acquire().await;
        let _permit = permit.map_err(|error| ViewError::Unavailable(error.to_string()))?;
        // Whoever asked for the same one before may have folded it meanwhile.
        if let Some(known) = self.remembered(position) {
            return Ok(known);
        }
        let mut board = self.nearest(position).await?;
        let start = board.position();
        self.replay(&mut board, position).await?;
        let folded = board.position().saturating_sub(start);
        metrics::histogram!("ringledger_past_replayed_events").record(folded as f64);
        board.reach(position);
        let board = Arc::new(board);
        self.remember(&board);
        Ok(board)
    }

    fn remembered(&self, position: Position) -> Option<Arc<Board>> {
        let boards = self.0.boards.lock().unwrap_or_else(PoisonError::into_inner);
        let known = boards.iter().find(|board| board.position() == position.0);
        known.cloned()
    }

    fn remember(&self, board: &Arc<Board>) {
        let mut boards = self.0.boards.lock().unwrap_or_else(PoisonError::into_inner);
        boards.push_front(Arc::clone(board));
        boards.truncate(BOARDS_MAX);
    }

    /// The latest board up to there that is in memory or was kept.
    async fn nearest(&self, position: Position) -> Result<Board, ViewError> {
        let remembered = {
            let boards = self.0.boards.lock().unwrap_or_else(PoisonError::into_inner);
            let before = boards.iter().filter(|board| board.position() <= position.0);
            before.max_by_key(|board| board.position()).cloned()
        };
        let floor = remembered.as_ref().map_or(0, |board| board.position());
        let kept = keeper::latest(self.0.read.as_ref(), floor, position.0).await?;
        Ok(match (kept, remembered) {
            (Some(kept), _) => kept,
            (None, Some(board)) => Board::clone(&board),
            (None, None) => Board::default(),
        })
    }

    async fn replay(&self, board: &mut Board, to: Position) -> Result<(), ViewError> {
        while board.position() < to.0 {
            let left = usize::try_from(to.0 - board.position()).unwrap_or(PAGE_EVENTS);
            let after = Position(board.position());
            let page = self.0.log.read_all(after, left.min(PAGE_EVENTS)).await?;
            if page.events.is_empty() {
                return Ok(());
            }
            for recorded in page.events {
                if recorded.position > to {
                    return Ok(());
                }
                board.apply(&understand(recorded)?.fact);
            }
        }
        Ok(())
    }

    /// A person, as long as the key exists.
    async fn open(&self, sealed: Option<&Sealed<Party>>) -> Result<Option<Party>, ViewError> {
        match sealed {
            Some(sealed) => Ok(self.0.vault.open(sealed).await?),
            None => Ok(None),
        }
    }

    /// Whoever calls and what is written about it, as long as the key exists.
    async fn open_row(&self, board: &Board, row: &mut live_calls::Row) -> Result<(), ViewError> {
        row.caller.party = self.open(board.caller(row.call)).await?;
        let written = self.open(board.user_field(row.call)).await?;
        if let Some(field) = &mut row.user_field {
            field.open(written.and_then(|party| party.user_field));
        }
        Ok(())
    }

    /// Calls that were in progress, the one that came first before the others.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn live_calls(
        &self,
        board: &Board,
        filter: &live_calls::Filter,
        page: &Page,
    ) -> Result<Slice<live_calls::Row>, ViewError> {
        let mut slice = board.live_calls(filter, page);
        for (_, row) in &mut slice.rows {
            self.open_row(board, row).await?;
        }
        Ok(slice)
    }

    /// The call, if it was in progress.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn live_call(
        &self,
        board: &Board,
        call: CallId,
    ) -> Result<Option<live_calls::Row>, ViewError> {
        let Some(mut row) = board.live_call(call).cloned() else {
            return Ok(None);
        };
        self.open_row(board, &mut row).await?;
        Ok(Some(row))
    }

    /// Agents by name.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn agents(
        &self,
        board: &Board,
        filter: &agent_states::Filter,
        page: &Page,
    ) -> Result<Slice<agent_states::Row>, ViewError> {
        let mut slice = board.agents(filter, page);
        for (_, row) in &mut slice.rows {
            let party = self.open(board.person(row.agent)).await?;
            row.display_name = party.as_ref().map(agent_states::shown_name);
        }
        Ok(slice)
    }

    /// The agent.
    ///
    /// # Errors
    /// See [`ViewError`].
    pub async fn agent(
        &self,
        board: &Board,
        agent: AgentId,
    ) -> Result<Option<agent_states::Row>, ViewError> {
        let Some(mut row) = board.agent(agent).cloned() else {
            return Ok(None);
        };
        let party = self.open(board.person(agent)).await?;
        row.display_name = party.as_ref().map(agent_states::shown_name);
        Ok(Some(row))
    }
}
