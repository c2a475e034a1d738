//! Keeps a board every so many events, so that one of the past is never far
//! from one that is kept. What is kept is a cache: it can be deleted.

use super::{PAGE_EVENTS, board::Board};
use crate::{
    value::{number, text},
    views::ViewError,
};
use commands::{
    feed::Feed,
    ports::{Position, ReadError, ReadStore, Statement, StoreError, Value},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::oneshot, time::Instant};

/// Events between two boards that are kept.
pub(super) const SPACING: u64 = 16_384;
/// Boards kept at most; beyond that every second one goes, then every second
/// of the rest.
const KEPT_MAX: u64 = 512;
/// At least this between two pages: whoever folds a long record for the first
/// time leaves the processors to the live side.
const PACE: Duration = Duration::from_millis(8);
/// Pause before a store that is away is tried again.
const RETRY: Duration = Duration::from_secs(1);

const KEEP: &str = "INSERT INTO board_snapshots (position, slot, rules, board) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (position) DO UPDATE SET \
     slot = excluded.slot, rules = excluded.rules, board = excluded.board";
const FORGET_OTHERS: &str = "DELETE FROM board_snapshots WHERE rules <> $1";
const THIN_OUT: &str = "DELETE FROM board_snapshots WHERE slot % $1 <> 0";
const LATEST: &str = "SELECT position, board FROM board_snapshots \
     WHERE rules = $1 AND position > $2 AND position <= $3 ORDER BY position DESC LIMIT 1";

/// The latest kept board after one position and up to another.
pub(super) async fn latest(
    read: &dyn ReadStore,
    after: u64,
    until: u64,
) -> Result<Option<Board>, ViewError> {
    let parameters = vec![text(Board::rules()), number(after), number(until)];
    let rows = read.query(LATEST, parameters).await?;
    let Some([Value::Int(position), Value::Text(kept)]) = rows.first().map(Vec::as_slice) else {
        return Ok(None);
    };
    let position = u64::try_from(*position).unwrap_or(0);
    match Board::read(position, kept) {
        Ok(board) => Ok(Some(board)),
        // Only a cache: what can not be read is folded from the record.
        Err(error) => {
            tracing::warn!(position, %error, "a kept board can not be read");
            Ok(None)
        }
    }
}

/// One kept board of every so many slots is left at that length of the record.
const fn thinning(slot: u64) -> u64 {
    let mut every = 1;
    while slot / every > KEPT_MAX {
        every *= 2;
    }
    every
}

async fn store(read: &dyn ReadStore, board: &Board) -> Result<(), StoreError> {
    let slot = board.position() / SPACING;
    let every = thinning(slot);
    let mut statements = vec![Statement {
        sql: KEEP,
        parameters: vec![
            number(board.position()),
            number(slot),
            text(Board::rules()),
            text(board.write()),
        ],
        must_touch: None,
    }];
    if every > 1 {
        statements.push(Statement {
            sql: THIN_OUT,
            parameters: vec![number(every)],
            must_touch: None,
        });
    }
    read.transact(statements).await
}

/// Follows the feed until `stop`.
pub(crate) async fn keep(feed: Feed, read: Arc<dyn ReadStore>, mut stop: oneshot::Receiver<()>) {
    tokio::select! {
        result = follow(&feed, read.as_ref()) => {
            if let Err(error) = result {
                tracing::error!(%error, "boards are not kept any more: the past gets slower to ask");
            }
        }
        _ = &mut stop => {}
    }
}

async fn follow(feed: &Feed, read: &dyn ReadStore) -> Result<(), ReadError> {
    let mut board = start(read).await;
    loop {
        feed.wait_beyond(Position(board.position())).await;
        let started = Instant::now();
        let entries = match feed.read(Position(board.position()), PAGE_EVENTS).await {
            Ok(entries) => entries,
            Err(error @ ReadError::Unavailable(_)) => {
                tracing::warn!(%error, "boards will be kept later");
                tokio::time::sleep(RETRY).await;
                continue;
            }
            Err(error @ ReadError::Corrupt { .. }) => return Err(error),
        };
        for entry in entries {
            let slot = board.position() / SPACING;
            board.apply(&entry.fact);
            // A board less only makes the past slower to ask.
            if board.position() / SPACING > slot
                && let Err(error) = store(read, &board).await
            {
                tracing::warn!(%error, position = board.position(), "board was not kept");
            }
        }
        tokio::time::sleep_until(started + PACE).await;
    }
}

/// Where the run before has left off, under the rules of this program.
async fn start(read: &dyn ReadStore) -> Board {
    loop {
        let forget = Statement {
            sql: FORGET_OTHERS,
            parameters: vec![text(Board::rules())],
            must_touch: None,
        };
        let found = match read.transact(vec![forget]).await {
            Ok(()) => latest(read, 0, i64::MAX.unsigned_abs()).await,
            Err(error) => Err(error.into()),
        };
        match found {
            Ok(board) => return board.unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, "boards will be kept later");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boards_are_thinned_out_so_that_their_number_stays_bounded() {
        assert_eq!(thinning(1), 1);
        assert_eq!(thinning(KEPT_MAX), 1);
        assert_eq!(thinning(KEPT_MAX + 1), 2);
        assert_eq!(thinning(2 * KEPT_MAX), 2);
        for slot in [700, 5_000, 123_456, 9_999_999] {
            assert!(slot / thinning(slot) <= KEPT_MAX, "{slot}");
        }
    }
}
