//! Hears of appends, also by other nodes.

use super::pool::Pool;
use commands::ports::Position;
use sqlx::postgres::PgListener;
use std::time::Duration;
use tokio::sync::watch;

const CHANNEL: &str = "ringledger_log";
/// Reading is the truth: the head is looked up this often, whatever was heard.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long to wait before a lost connection is made again.
const RETRY_AFTER: Duration = Duration::from_millis(200);

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
    let mut listener = PgListener::connect_with(pool.unbounded()).await?;
    listener.listen(CHANNEL).await?;
    // What came before the ear was open.
    tell(wake, head(pool).await?);
    while let Some(note) = listener.try_recv().await? {
        if let Ok(head) = note.payload().parse() {
            tell(wake, head);
        }
    }
    Ok(())
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
