//! Keeps the [`Books`]: a fold of the feed in memory. A row of the read store
//! keeps them between runs, so that a start does not read the whole log; the row
//! is a cache, without which the log is read from the first event.

use crate::{
    books::Books,
    feed::Feed,
    ports::{Position, ReadError, ReadStore, Statement, Value},
};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// Events taken from the feed at once.
const BATCH_MAX: usize = 1_000;
/// The row's name among those of the processes.
const ROW: &str = "books";
/// Counts the changes of the row's form and of the rules that fill it.
const VERSION: i64 = 10;
/// The row is kept this often at most: with many accounts it is large.
const SAVE_EVERY: Duration = Duration::from_secs(10);
/// And only after so many events: a start reads no more.
const SAVE_AFTER_EVENTS: u64 = 10_000;
/// Pause before a feed that can not be read is read again.
const READ_AGAIN: Duration = Duration::from_millis(100);

const SELECT: &str = "SELECT version, position, state FROM es_processes WHERE name = $1";
const UPSERT: &str = "INSERT INTO es_processes (name, version, position, state) \
     VALUES ($1, $2, $3, $4) \
     ON CONFLICT (name) DO UPDATE SET version = excluded.version, \
     position = excluded.position, state = excluded.state";

/// A handle on the books; cheap to clone.
#[derive(Debug, Clone)]
pub struct Bookkeeping {
    books: Arc<RwLock<Books>>,
    position: watch::Receiver<Position>,
}

impl Bookkeeping {
    /// Reads the log to its head, then follows it on a task of its own.
    ///
    /// # Errors
    /// When the log can not be read.
    pub async fn start(feed: Feed) -> Result<Self, ReadError> {
        Self::fold(feed, Books::default(), Position::default(), None).await
    }

    /// The same from where its row in the store says, and keeps that row.
    ///
    /// # Errors
    /// When the log can not be read.
    pub async fn kept(feed: Feed, store: Arc<dyn ReadStore>) -> Result<Self, ReadError> {
        let (books, position) = match load(store.as_ref()).await {
            // A row that is ahead is of another log: this one was put back.
            Some((books, position)) if position <= feed.head() => (books, position),
            Some(_) | None => (Books::default(), Position::default()),
        };
        Self::fold(feed, books, position, Some(store)).await
    }

    async fn fold(
        feed: Feed,
        mut books: Books,
        mut position: Position,
        store: Option<Arc<dyn ReadStore>>,
    ) -> Result<Self, ReadError> {
        let saved = position;
        loop {
            let entries = feed.read(position, BATCH_MAX).await?;
            let Some(last) = entries.last() else { break };
            position = last.recorded.position;
            for entry in &entries {
                books.apply(&entry.fact);
            }
        }
        let mut keeper = store.map(|store| Keeper {
            store,
            saved,
            saved_at: Instant::now(),
        });
        if let Some(keeper) = &mut keeper
            && keeper.is_due(position)
        {
            keeper.save(text(&books), position).await;
        }
        let books = Arc::new(RwLock::new(books));
        let (seen, position_seen) = watch::channel(position);
        tokio::spawn(follow(feed, books.clone(), position, seen, keeper));
        Ok(Self {
            books,
            position: position_seen,
        })
    }

    /// Waits until everything up to the position is in the books.
    pub async fn wait_for(&self, position: Position) {
        let mut seen = self.position.clone();
        // The follower ends only with the process.
        let _ = seen.wait_for(|seen| *seen >= position).await;
    }

    /// Looks something up.
    pub fn read<T>(&self, look: impl FnOnce(&Books) -> T) -> T {
        look(&self.books.read().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn follow(
    feed: Feed,
    books: Arc<RwLock<Books>>,
    mut position: Position,
    seen: watch::Sender<Position>,
    mut keeper: Option<Keeper>,
) {
    loop {
        tokio::select! {
            biased;
            () = feed.wait_beyond(position) => {}
            () = feed.ended() => return,
        }
        match feed.read(position, BATCH_MAX).await {
            Ok(entries) => {
                let Some(last) = entries.last() else { continue };
                position = last.recorded.position;
                {
                    let mut books = books.write().unwrap_or_else(PoisonError::into_inner);
                    for entry in &entries {
                        books.apply(&entry.fact);
                    }
                }
                seen.send_replace(position);
                if let Some(keeper) = &mut keeper
                    && keeper.is_due(position)
                    && keeper.saved_at.elapsed() >= SAVE_EVERY
                {
                    let state = text(&books.read().unwrap_or_else(PoisonError::into_inner));
                    keeper.save(state, position).await;
                }
            }
            Err(error @ ReadError::Corrupt { .. }) => {
                tracing::error!(%error, "the books stop here");
                return;
            }
            Err(error @ ReadError::Unavailable(_)) => {
                tracing::warn!(%error, "the books will read again");
                tokio::time::sleep(READ_AGAIN).await;
            }
        }
    }
}

fn text(books: &Books) -> String {
    serde_json::to_string(books).expect("books are plain data: maps with string-like keys")
}

/// The row of the last run; none when it is of another form or can not be read:
/// the log has everything.
async fn load(store: &dyn ReadStore) -> Option<(Books, Position)> {
    let rows = match store.query(SELECT, vec![Value::Text(ROW.into())]).await {
        Ok(rows) => rows,
        Err(error) => {
            tracing::warn!(%error, "the row of the books was not read: the log is");
            return None;
        }
    };
    match rows.first().map(Vec::as_slice) {
        Some(
            [
                Value::Int(VERSION),
                Value::Int(position),
                Value::Text(state),
            ],
        ) => {
            let books = serde_json::from_str(state)
                .inspect_err(|error| {
                    tracing::warn!(%error, "the row of the books is of another form: the log is read");
                })
                .ok()?;
            Some((books, Position(u64::try_from(*position).ok()?)))
        }
        Some(_) | None => None,
    }
}

/// Keeps the row.
struct Keeper {
    store: Arc<dyn ReadStore>,
    saved: Position,
    saved_at: Instant,
}

impl Keeper {
    const fn is_due(&self, position: Position) -> bool {
        position.0.saturating_sub(self.saved.0) >= SAVE_AFTER_EVENTS
    }

    async fn save(&mut self, state: String, position: Position) {
        let statement = Statement {
            sql: UPSERT,
            parameters: vec![
                Value::Text(ROW.into()),
                Value::Int(VERSION),
                Value::Int(i64::try_from(position.0).unwrap_or(i64::MAX)),
                Value::Text(state),
            ],
            must_touch: None,
        };
        self.saved_at = Instant::now();
        match self.store.transact(vec![statement]).await {
            Ok(()) => self.saved = position,
            // It stays due.
            Err(error) => tracing::warn!(%error, "the row of the books was not kept"),
        }
    }
}
