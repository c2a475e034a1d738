//! The outbox: letters about events to systems outside. Not a projection: it is
//! never built again, because what was sent can not be unsent. The log holds the
//! events; here is only how far each webhook has read it, and what its receiver
//! has not taken yet.

use crate::value::{Columns, Corrupt, number, text, time};
use commands::ports::{Position, ReadStore, Statement, StoreError, Value};
use domain::time::Timestamp;
use std::sync::Arc;

/// Why the outbox can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboxError {
    /// The read store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row can not be understood.
    #[error("stored row is corrupt")]
    Corrupt(#[from] Corrupt),
}

/// An event that a receiver is to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The event; a receiver tells repetitions by it.
    pub event_id: String,
    /// Where it is in the log.
    pub position: Position,
    /// What it happened to: letters of one stream are sent in order.
    pub stream: String,
    /// Times that it was sent in vain.
    pub attempts: u32,
    /// What the last attempt came to.
    pub error: Option<String>,
}

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver has it.
    Taken,
    /// It is sent again then.
    Later {
        /// When.
        due_at: Timestamp,
        /// Why.
        error: String,
    },
    /// It is given up.
    Dead {
        /// Why.
        error: String,
    },
}

/// How a webhook is getting on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// It has read the log up to here; none before it began.
    pub position: Option<Position>,
    /// Letters that were taken.
    pub delivered: u64,
    /// When the last one was.
    pub delivered_at: Option<Timestamp>,
    /// Letters under way.
    pub waiting: u64,
    /// Letters that were given up.
    pub dead: u64,
}

/// The outbox; cheap to clone.
#[derive(Clone)]
pub struct Outbox(Arc<dyn ReadStore>);

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outbox")
    }
}

const BEGIN: &str = "INSERT INTO outbox_places (webhook, position, delivered) VALUES ($1, $2, 0) \
                     ON CONFLICT (webhook) DO NOTHING";
const PLACE: &str = "SELECT position FROM outbox_places WHERE webhook = $1";
const ADVANCE: &str = "UPDATE outbox_places SET position = $1 WHERE webhook = $2 AND position = $3";
const NOTE: &str = "INSERT INTO outbox_letters (webhook, event_id, position, stream, attempts, \
                    due_at, is_dead) VALUES ($1, $2, $3, $4, 0, $5, 0) \
                    ON CONFLICT (webhook, event_id) DO NOTHING";
/// The first letter of each stream, if its time has come.
const DUE: &str = "SELECT event_id, position, stream, attempts, error FROM outbox_letters l \
                   WHERE webhook = $1 AND is_dead = 0 AND due_at <= $2 AND NOT EXISTS \
                   (SELECT 1 FROM outbox_letters e WHERE e.webhook = l.webhook \
                   AND e.is_dead = 0 AND e.stream = l.stream AND e.position < l.position) \
                   ORDER BY position LIMIT $3";
const NEXT: &str = "SELECT min(due_at) FROM outbox_letters l WHERE webhook = $1 AND is_dead = 0 \
                    AND NOT EXISTS (SELECT 1 FROM outbox_letters e WHERE e.webhook = l.webhook \
                    AND e.is_dead = 0 AND e.stream = l.stream AND e.position < l.position)";
const REMOVE: &str = "DELETE FROM outbox_letters WHERE webhook = $1 AND event_id = $2";
const COUNT: &str = "UPDATE outbox_places SET delivered = delivered + $1, delivered_at = $2 \
                     WHERE webhook = $3";
const FAILED: &str = "UPDATE outbox_letters SET attempts = attempts + 1, due_at = $1, \
                      is_dead = $2, error = $3 WHERE webhook = $4 AND event_id = $5";
const STANDING: &str = "SELECT position, delivered, delivered_at, \
     (SELECT count(*) FROM outbox_letters WHERE webhook = $1 AND is_dead = 0), \
     (SELECT count(*) FROM outbox_letters WHERE webhook = $1 AND is_dead = 1) \
     FROM outbox_places WHERE webhook = $1";
const DEAD: &str = "SELECT event_id, position, stream, attempts, error FROM outbox_letters \
                    WHERE webhook = $1 AND is_dead = 1 ORDER BY position LIMIT $2";
const REVIVE: &str = "UPDATE outbox_letters SET is_dead = 0, attempts = 0, due_at = $1 \
                      WHERE webhook = $2 AND is_dead = 1";
const NAMES: &str = "SELECT webhook FROM outbox_places ORDER BY webhook";
const DROP_LETTERS: &str = "DELETE FROM outbox_letters WHERE webhook = $1";
const DROP_PLACE: &str = "DELETE FROM outbox_places WHERE webhook = $1";

const fn statement(sql: &'static str, parameters: Vec<Value>) -> Statement {
    Statement {
        sql,
        parameters,
        must_touch: None,
    }
}

fn letter(row: Vec<Value>) -> Result<Letter, Corrupt> {
    let mut columns = Columns::new(row);
    Ok(Letter {
        event_id: columns.text()?,
        position: Position(columns.number()?),
        stream: columns.text()?,
        attempts: columns.number()?,
        error: columns.text_or_null()?,
    })
}

impl Outbox {
    /// In this store.
    pub fn new(read: Arc<dyn ReadStore>) -> Self {
        Self(read)
    }

    /// Where the webhook goes on. One that has never run begins at `head`: what
    /// was before is history to it.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn begin(&self, webhook: &str, head: Position) -> Result<Position, OutboxError> {
        let begin = statement(BEGIN, vec![text(webhook), number(head.0)]);
        self.0.transact(vec![begin]).await?;
        let rows = self.0.query(PLACE, vec![text(webhook)]).await?;
        let row = rows.into_iter().next().unwrap_or_default();
        Ok(Position(Columns::new(row).number()?))
    }

    /// Notes letters and moves on from one place to the next, both or neither.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when another node has moved it meanwhile.
    pub async fn note(
        &self,
        webhook: &str,
        (from, to): (Position, Position),
        letters: &[Letter],
        now: Timestamp,
    ) -> Result<(), OutboxError> {
        let mut statements = Vec::with_capacity(letters.len() + 1);
        statements.push(Statement {
            must_touch: Some(1),
            ..statement(ADVANCE, vec![number(to.0), text(webhook), number(from.0)])
        });
        statements.extend(letters.iter().map(|letter| {
            let parameters = vec![
                text(webhook),
                text(&letter.event_id),
                number(letter.position.0),
                text(&letter.stream),
                time(now),
            ];
            statement(NOTE, parameters)
        }));
        Ok(self.0.transact(statements).await?)
    }

    /// Letters to send now: at most one of each stream, so that its order holds.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn due(
        &self,
        webhook: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Letter>, OutboxError> {
        let limit = number(limit);
        let rows = self.0.query(DUE, vec![text(webhook), time(now), limit]);
        let rows = rows.await?.into_iter();
        Ok(rows.map(letter).collect::<Result<_, _>>()?)
    }

    /// When there may be something to send.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn next_due(&self, webhook: &str) -> Result<Option<Timestamp>, OutboxError> {
        let rows = self.0.query(NEXT, vec![text(webhook)]).await?;
        let row = rows.into_iter().next().unwrap_or_default();
        Ok(Columns::new(row).time_or_null()?)
    }

    /// Notes what attempts came to.
    ///
    /// # Errors
    /// When the store can not be used: the letters are sent again, under the
    /// same ids.
    pub async fn settle(
        &self,
        webhook: &str,
        outcomes: &[(String, Outcome)],
        now: Timestamp,
    ) -> Result<(), OutboxError> {
        let mut statements = Vec::with_capacity(outcomes.len() + 1);
        let mut taken = 0;
        for (event_id, outcome) in outcomes {
            statements.push(match outcome {
                Outcome::Taken => {
                    taken += 1;
                    statement(REMOVE, vec![text(webhook), text(event_id)])
                }
                Outcome::Later { due_at, error } => failed(webhook, event_id, *due_at, 0, error),
                Outcome::Dead { error } => failed(webhook, event_id, now, 1, error),
            });
        }
        if taken > 0 {
            let parameters = vec![number(taken), time(now), text(webhook)];
            statements.push(statement(COUNT, parameters));
        }
        Ok(self.0.transact(statements).await?)
    }

    /// How it is getting on.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn standing(&self, webhook: &str) -> Result<Standing, OutboxError> {
        let rows = self.0.query(STANDING, vec![text(webhook)]).await?;
        let Some(row) = rows.into_iter().next() else {
            return Ok(Standing::default());
        };
        let mut columns = Columns::new(row);
        Ok(Standing {
            position: Some(Position(columns.number()?)),
            delivered: columns.number()?,
            delivered_at: columns.time_or_null()?,
            waiting: columns.number()?,
            dead: columns.number()?,
        })
    }

    /// The first letters that were given up.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn dead(&self, webhook: &str, limit: usize) -> Result<Vec<Letter>, OutboxError> {
        let limit = number(limit);
        let rows = self.0.query(DEAD, vec![text(webhook), limit]).await?;
        let rows = rows.into_iter();
        Ok(rows.map(letter).collect::<Result<_, _>>()?)
    }

    /// Everything that was given up is sent again.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn revive(&self, webhook: &str, now: Timestamp) -> Result<(), OutboxError> {
        let revive = statement(REVIVE, vec![time(now), text(webhook)]);
        Ok(self.0.transact(vec![revive]).await?)
    }

    /// Forgets webhooks that are not wanted any more.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn keep_only(&self, webhooks: &[&str]) -> Result<(), OutboxError> {
        let mut statements = vec![];
        for row in self.0.query(NAMES, vec![]).await? {
            let name: String = Columns::new(row).text()?;
            if !webhooks.contains(&name.as_str()) {
                statements.push(statement(DROP_LETTERS, vec![text(&name)]));
                statements.push(statement(DROP_PLACE, vec![text(&name)]));
            }
        }
        if statements.is_empty() {
            return Ok(());
        }
        Ok(self.0.transact(statements).await?)
    }
}

fn failed(webhook: &str, event_id: &str, due_at: Timestamp, dead: i64, error: &str) -> Statement {
    let parameters = vec![
        time(due_at),
        Value::Int(dead),
        text(error),
        text(webhook),
        text(event_id),
    ];
    statement(FAILED, parameters)
}
