//! Hears of appends, also by other nodes.

use super::{connect::silent, pool::Pool};
use commands::ports::Position;
use sqlx::{Executor as _, postgres::PgListener};
use std::time::Duration;
use tokio::{sync::watch, time::timeout};

const CHANNEL: &str = "ringledger_log";
/// Reading is the truth: the head is looked up this often, whatever was heard.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long to wait before a lost connection is made again.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// An ear that has heard nothing for so long asks whether the database is there: a network
/// that forgets a connection tells nobody.
const QUIET_MAX: Duration = Duration::from_secs(5);
/// And this is how long the answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);

pub(crate) const HEAD: &str = "SELECT coalesce(max(global_position), 0) FROM public.events";

/// Tells of a position, if it is a new one.
pub(crate) fn tell(wake: &watch::Sender<Position>, head: u64) {
    wake.send_if_modified(|known| {
        let grown = head > known.0;
        if grown {
            *known = Position(head);
        }
        grown
    });
}

/// Position of the last event.
pub(crate) async fn head(pool: &Pool) -> Result<u64, sqlx::Error> {
    let head: i64 = sqlx::query_scalar(HEAD).fetch_one(pool).await?;
    Ok(head.unsigned_abs())
}

/// Passes on what the database says of appends, for ever.
pub(crate) async fn listen(pool: Pool, wake: watch::Sender<Position>) {
    loop {
        if let Err(error) = follow(&pool, &wake).await {
            tracing::debug!(%error, "no word of appends from other nodes");
        }
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

async fn follow(pool: &Pool, wake: &watch::Sender<Position>) -> Result<(), sqlx::Error> {
    // On its own: one that never speaks again would keep a place from the others.
    let ear = pool.apart();
    let mut listener = within(PgListener::connect_with(&ear)).await?;
    listener.eager_reconnect(false);
    within(listener.listen(CHANNEL)).await?;
    // What came before the ear was open.
    tell(wake, head(pool).await?);
    loop {
        match timeout(QUIET_MAX, listener.try_recv()).await {
            Ok(note) => {
                let Some(note) = note? else { return Ok(()) };
                if let Ok(head) = note.payload().parse() {
                    tell(wake, head);
                }
            }
            Err(_) => within(listener.execute("SELECT 1")).await.map(|_| ())?,
        }
    }
}

async fn within<T>(asked: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let answered = timeout(ANSWER_MAX, asked).await;
    answered.unwrap_or_else(|_| Err(silent(ANSWER_MAX)))
}

/// Looks the head up now and then, for ever.
pub(crate) async fn look(pool: Pool, wake: watch::Sender<Position>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Ok(head) = head(&pool).await {
            tell(&wake, head);
        }
    }
}
