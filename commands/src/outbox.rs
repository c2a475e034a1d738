//! The outbox: letters about events to systems outside. Not a projection: it is
//! never built again, because what was sent can not be unsent. The log holds the
//! events; here is only how far each webhook has read it, and what its receiver
//! has not taken yet.

use crate::ports::{Position, ReadStore, Statement, StoreError, Value};
use domain::time::Timestamp;
use std::sync::Arc;

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
/// Longer than any pause before a letter is tried again.
const AHEAD_MS: u64 = 2 * 3_600_000;
/// The first letter of each stream, if its time has come. One that is due later than any
/// pause lasts was noted by a clock that was ahead: its time has come too.
const DUE: &str = "SELECT event_id, position, stream, attempts, error FROM outbox_letters l \
                   WHERE webhook = $1 AND is_dead = 0 AND (due_at <= $2 OR due_at > $4) \
                   AND NOT EXISTS (SELECT 1 FROM outbox_letters e WHERE e.webhook = l.webhook \
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

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn number(value: impl TryInto<i64>) -> Value {
    Value::Int(value.try_into().unwrap_or(i64::MAX))
}

const fn time(at: Timestamp) -> Value {
    Value::Int(at.micros())
}

fn strange() -> StoreError {
    StoreError::Unavailable("a row of the outbox can not be understood".into())
}

fn counted<T: TryFrom<i64>>(value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| strange())
}

fn letter(row: Vec<Value>) -> Result<Letter, StoreError> {
    let Ok(
        [
            Value::Text(event_id),
            Value::Int(position),
            Value::Text(stream),
            Value::Int(attempts),
            error,
        ],
    ) = <[Value; 5]>::try_from(row)
    else {
        return Err(strange());
    };
    Ok(Letter {
        event_id,
        position: Position(counted(position)?),
        stream,
        attempts: counted(attempts)?,
        error: match error {
            Value::Text(error) => Some(error),
            Value::Null | Value::Int(_) | Value::Bytes(_) => None,
        },
    })
}

/// A time that may be missing.
fn when(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Int(micros) => Some(Timestamp::from_micros(*micros)),
        Value::Null | Value::Text(_) | Value::Bytes(_) => None,
    }
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
    pub async fn begin(&self, webhook: &str, head: Position) -> Result<Position, StoreError> {
        let begin = statement(BEGIN, vec![text(webhook), number(head.0)]);
        self.0.transact(vec![begin]).await?;
        let rows = self.0.query(PLACE, vec![text(webhook)]).await?;
        match rows.first().map(Vec::as_slice) {
            Some([Value::Int(position)]) => Ok(Position(counted(*position)?)),
            Some(_) | None => Err(strange()),
        }
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
    ) -> Result<(), StoreError> {
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
        self.0.transact(statements).await
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
    ) -> Result<Vec<Letter>, StoreError> {
        let limit = number(limit);
        let beyond = time(now.plus_ms(AHEAD_MS));
        let rows = self
            .0
            .query(DUE, vec![text(webhook), time(now), limit, beyond]);
        let rows = rows.await?.into_iter();
        rows.map(letter).collect()
    }

    /// When there may be something to send.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn next_due(&self, webhook: &str) -> Result<Option<Timestamp>, StoreError> {
        let rows = self.0.query(NEXT, vec![text(webhook)]).await?;
        Ok(rows.first().and_then(|row| row.first()).and_then(when))
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
    ) -> Result<(), StoreError> {
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
        self.0.transact(statements).await
    }

    /// How it is getting on.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn standing(&self, webhook: &str) -> Result<Standing, StoreError> {
        let rows = self.0.query(STANDING, vec![text(webhook)]).await?;
        let Some(row) = rows.first() else {
            return Ok(Standing::default());
        };
        let [
            Value::Int(position),
            Value::Int(delivered),
            delivered_at,
            Value::Int(waiting),
            Value::Int(dead),
        ] = row.as_slice()
        else {
            return Err(strange());
        };
        Ok(Standing {
            position: Some(Position(counted(*position)?)),
            delivered: counted(*delivered)?,
            delivered_at: when(delivered_at),
            waiting: counted(*waiting)?,
            dead: counted(*dead)?,
        })
    }

    /// The first letters that were given up.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn dead(&self, webhook: &str, limit: usize) -> Result<Vec<Letter>, StoreError> {
        let limit = number(limit);
        let rows = self.0.query(DEAD, vec![text(webhook), limit]).await?;
        let rows = rows.into_iter();
        rows.map(letter).collect()
    }

    /// Everything that was given up is sent again.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn revive(&self, webhook: &str, now: Timestamp) -> Result<(), StoreError> {
        let revive = statement(REVIVE, vec![time(now), text(webhook)]);
        self.0.transact(vec![revive]).await
    }

    /// Forgets webhooks that are not wanted any more.
    ///
    /// # Errors
    /// When the store can not be used.
    pub async fn keep_only(&self, webhooks: &[&str]) -> Result<(), StoreError> {
        let mut statements = vec![];
        for row in self.0.query(NAMES, vec![]).await? {
            let [Value::Text(name)] = row.as_slice() else {
                return Err(strange());
            };
            if !webhooks.contains(&name.as_str()) {
                statements.push(statement(DROP_LETTERS, vec![text(name)]));
                statements.push(statement(DROP_PLACE, vec![text(name)]));
            }
        }
        if statements.is_empty() {
            return Ok(());
        }
        self.0.transact(statements).await
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
