//! Reads the feed into the outbox, and the outbox to the receiver. A crash at any
//! point sends a letter once more, under the same id, and never loses one.

use crate::{letter, options::Options, signature::sign};
use commands::{
    feed::Feed,
    outbox::{Letter, Outbox, Outcome},
    ports::{Clock, Position, ReadError, StoreError},
    roster::Roster,
};
use domain::time::Timestamp;
use futures_util::{StreamExt as _, stream};
use reqwest::{Client, StatusCode, header, redirect};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// Events read at once.
const BATCH_MAX: usize = 500;
/// Letters that wait at most: a receiver that is gone for long holds the reader
/// back, and the log keeps the rest.
const WAITING_MAX: u64 = 10_000;
/// Letters on their way at once.
const AT_ONCE_MAX: usize = 8;
/// Letters of one round.
const ROUND_MAX: usize = 64;
/// Pause before what failed here is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How long nothing is looked at, at most.
const LOOK: Duration = Duration::from_secs(1);

/// What a relay works with.
#[derive(Clone)]
pub struct Tools {
    /// Where events are read.
    pub feed: Feed,
    /// What is under way.
    pub outbox: Outbox,
    /// Whether this node is the one that sends.
    pub roster: Roster,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tools")
    }
}

/// Why a round did not work here; the receiver's faults are outcomes.
#[derive(Debug, thiserror::Error)]
enum NotNow {
    #[error(transparent)]
    Outbox(#[from] StoreError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// One webhook at work.
#[derive(Debug)]
pub struct Relay {
    options: Options,
    tools: Tools,
    client: Client,
    /// Read up to here; none while another node sends.
    place: Option<Position>,
}

impl Relay {
    /// Of a webhook.
    ///
    /// # Errors
    /// When the system's TLS can not be used.
    pub fn new(options: Options, tools: Tools) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .timeout(options.timeout)
            // A receiver that has moved is for a person to follow.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("Ringledger/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self {
            options,
            tools,
            client,
            place: None,
        })
    }

    /// Sends until it is told to stop. An attempt that is under way then may
    /// have arrived: it is made again at the next start.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let work = async {
            loop {
                if let Err(error) = self.round().await {
                    self.place = None;
                    let webhook = &self.options.name;
                    tracing::warn!(webhook, %error, "webhook waits");
                    tokio::time::sleep(RETRY).await;
                }
            }
        };
        tokio::select! {
            () = work => {}
            () = stop => {}
        }
    }

    async fn round(&mut self) -> Result<(), NotNow> {
        if self.tools.roster.leading().is_none() {
            self.place = None;
            until_leading(self.tools.roster.watch()).await;
            return Ok(());
        }
        let has_noted = self.note().await?;
        let has_sent = self.send().await?;
        if !has_noted && !has_sent {
            self.rest().await?;
        }
        Ok(())
    }

    /// Takes the next events into the outbox; whether there were any.
    async fn note(&mut self) -> Result<bool, NotNow> {
        let Tools { feed, outbox, .. } = &self.tools;
        let webhook = self.options.name.as_str();
        let from = match self.place {
            Some(place) => place,
            None => outbox.begin(webhook, feed.head()).await?,
        };
        self.place = Some(from);
        let standing = outbox.standing(webhook).await?;
        self.measure(standing.waiting, standing.dead);
        if standing.waiting >= WAITING_MAX {
            return Ok(false);
        }
        let entries = feed.read(from, BATCH_MAX).await?;
        let Some(last) = entries.last() else {
            return Ok(false);
        };
        let to = last.recorded.position;
        let about = entries.iter().map(|entry| &entry.recorded);
        let about = about.filter(|event| self.options.is_about(&event.event_type));
        let letters: Vec<Letter> = about
            .map(|event| Letter {
                event_id: event.event_id.to_string(),
                position: event.position,
                stream: event.stream.as_str().to_owned(),
                attempts: 0,
                error: None,
            })
            .collect();
        let now = self.tools.clock.now();
        match outbox.note(webhook, (from, to), &letters, now).await {
            Ok(()) => self.place = Some(to),
            // Another node is further on, or this one's answer was lost.
            Err(StoreError::Fenced) => self.place = None,
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }

    /// Sends what is due; whether anything arrived.
    async fn send(&self) -> Result<bool, NotNow> {
        let Tools { outbox, clock, .. } = &self.tools;
        let webhook = self.options.name.as_str();
        let due = outbox.due(webhook, clock.now(), ROUND_MAX).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let attempts = due.into_iter().map(|letter| self.attempt(letter));
        let attempts: Vec<_> = stream::iter(attempts)
            .buffer_unordered(AT_ONCE_MAX)
            .collect()
            .await;
        let outcomes: Vec<_> = attempts.into_iter().collect::<Result<_, _>>()?;
        outbox.settle(webhook, &outcomes, clock.now()).await?;
        let has_arrived = |(_, outcome): &(String, Outcome)| *outcome == Outcome::Taken;
        Ok(outcomes.iter().any(has_arrived))
    }

    async fn attempt(&self, letter: Letter) -> Result<(String, Outcome), NotNow> {
        // The log is read again: what waits here is the id alone.
        let before = Position(letter.position.0.saturating_sub(1));
        let page = self.tools.feed.log().read_all(before, 1).await?;
        let event = page.events.into_iter().next();
        let event = event.filter(|event| event.event_id.to_string() == letter.event_id);
        let webhook = self.options.name.clone();
        let outcome = match event {
            None => Outcome::Dead {
                error: "the event is not in the log".into(),
            },
            Some(event) => match self.post(&letter.event_id, letter::body(&event)).await {
                Ok(()) => {
                    metrics::counter!("ringledger_webhook_delivered_total", "webhook" => webhook)
                        .increment(1);
                    Outcome::Taken
                }
                Err(error) => {
                    metrics::counter!("ringledger_webhook_failed_total", "webhook" => webhook)
                        .increment(1);
                    self.again(letter.attempts.saturating_add(1), error)
                }
            },
        };
        Ok((letter.event_id, outcome))
    }

    fn again(&self, attempts: u32, error: String) -> Outcome {
        if attempts >= self.options.attempts_max {
            let webhook = &self.options.name;
            tracing::error!(webhook, error, "letter is given up: a person must look");
            return Outcome::Dead { error };
        }
        let pause_ms = self.options.pause(attempts).as_millis();
        let pause_ms = u64::try_from(pause_ms).unwrap_or(u64::MAX);
        let due_at = self.tools.clock.now().plus_ms(pause_ms);
        Outcome::Later { due_at, error }
    }

    /// The error is short and holds nothing of what the receiver says.
    async fn post(&self, id: &str, body: Vec<u8>) -> Result<(), String> {
        let timestamp_s = self.tools.clock.now().micros() / 1_000_000;
        let signature = sign(&self.options.key, id, timestamp_s, &body);
        let request = self
            .client
            .post(self.options.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp_s.to_string())
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(status(response.status())),
            Err(error) if error.is_timeout() => Err("no answer in time".into()),
            Err(error) if error.is_connect() => Err("can not connect".into()),
            Err(_) => Err("connection was lost".into()),
        }
    }

    /// Waits for an event, for the time of a letter, or a while.
    async fn rest(&self) -> Result<(), NotNow> {
        let Tools {
            feed,
            outbox,
            clock,
            roster,
        } = &self.tools;
        let due = outbox.next_due(&self.options.name).await?;
        let pause = due.map_or(LOOK, |due| until(due, clock.now()).clamp(SOON, LOOK));
        let mut seen = roster.watch();
        let place = self.place.unwrap_or_default();
        let is_full = feed.head() > place;
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = feed.wait_beyond(place), if !is_full => {}
            _ = seen.wait_for(|seen| seen.leading.is_none()) => {}
        }
        Ok(())
    }

    fn measure(&self, waiting: u64, dead: u64) {
        let webhook = self.options.name.clone();
        metrics::gauge!("ringledger_webhook_waiting_count", "webhook" => webhook.clone())
            .set(waiting as f64);
        metrics::gauge!("ringledger_webhook_dead_count", "webhook" => webhook).set(dead as f64);
    }
}

/// Between two looks at letters of which the first of their stream is not due.
const SOON: Duration = Duration::from_millis(20);

fn until(due: Timestamp, now: Timestamp) -> Duration {
    Duration::from_millis(due.ms_since(now))
}

fn status(status: StatusCode) -> String {
    format!("HTTP {}", status.as_u16())
}

async fn until_leading(mut seen: watch::Receiver<commands::roster::Seen>) {
    // The keeper keeps the sender until the node ends.
    let _ = seen.wait_for(|seen| seen.leading.is_some()).await;
}
