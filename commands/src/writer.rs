//! The one writer of a node: drains its queue into group commits, then shows
//! what was committed to the readers.

use crate::{
    feed::Feed,
    group::gather,
    ports::{Append, AppendError, Appended, Clock, EventLog, Position, Recorded},
    tail::{Entry, Tail},
};
use domain::any::{AnyEvent, Fact};
use domain::time::Timestamp;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// Appends waiting at most: more than all actors of a busy node have under way.
const QUEUE_MAX: usize = 8_192;
/// Appends in one commit at most: bounds the latency of one group.
const BATCH_MAX: usize = 512;

pub(crate) struct Request {
    pub(crate) append: Append,
    /// The decoded events, one list for all changes, in order.
    pub(crate) events: Vec<(Timestamp, AnyEvent)>,
    pub(crate) reply: oneshot::Sender<Result<Appended, AppendError>>,
}

/// Where actors send what they have decided; cheap to clone.
#[derive(Clone, Debug)]
pub struct Writer {
    queue: mpsc::Sender<Request>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("stream", &self.append.stream)
            .finish_non_exhaustive()
    }
}

impl Writer {
    /// Starts the writer task on the current runtime, and the feed behind it.
    ///
    /// # Errors
    /// When the log's head can not be read.
    pub async fn start(
        log: Arc<dyn EventLog>,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Feed), crate::ports::ReadError> {
        let head_now = log.head().await?;
        let tail = Arc::new(Tail::starting_after(head_now));
        let (head, head_seen) = watch::channel(head_now);
        let (queue, requests) = mpsc::channel(QUEUE_MAX);
        let feed = Feed::new(log.clone(), tail.clone(), head_seen);
        tokio::spawn(run(log, clock, tail, head, requests));
        Ok((Self { queue }, feed))
    }

    pub(crate) async fn append(
        &self,
        append: Append,
        events: Vec<(Timestamp, AnyEvent)>,
    ) -> Result<Appended, AppendError> {
        let (reply, answer) = oneshot::channel();
        let gone = || AppendError::Unavailable("the writer has stopped".into());
        self.queue
            .send(Request {
                append,
                events,
                reply,
            })
            .await
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// From so many on, appends that come all at once are committed in two halves, and go on
/// so: while the one is on its way to the disk, the answers of the other are told and what
/// follows of them is decided.
const HALVED_FROM: usize = 2 * HALF_FROM;

/// A half is worth a commit of its own from so many on.
const HALF_FROM: usize = 64;

/// What was committed, and what the log said of each.
type Done = (Vec<Request>, Vec<Result<Appended, AppendError>>);

async fn run(
    log: Arc<dyn EventLog>,
    clock: Arc<dyn Clock>,
    tail: Arc<Tail>,
    head: watch::Sender<Position>,
    mut requests: mpsc::Receiver<Request>,
) {
    let shown = Shown { clock, tail, head };
    let mut batch = Vec::with_capacity(BATCH_MAX);
    let mut done: Option<Done> = None;
    // The log also tells of events whose answer was lost, and of other nodes'.
    // Between batches only: what this writer commits is shown by itself first.
    let mut hints = log.wakeups();
    loop {
        if done.is_some() {
            while batch.len() < BATCH_MAX
                && let Ok(request) = requests.try_recv()
            {
                batch.push(request);
            }
            // There is nothing to commit meanwhile: nobody waits for an answer.
            if batch.is_empty()
                && let Some(done) = done.take()
            {
                shown.settle(done);
            }
        }
        if batch.is_empty() {
            tokio::select! {
                biased;
                count = requests.recv_many(&mut batch, BATCH_MAX) => {
                    if count == 0 {
                        return;
                    }
                    gather(&mut requests, &mut batch, BATCH_MAX).await;
                }
                Ok(()) = hints.changed() => {
                    let hint = *hints.borrow_and_update();
                    shown.raise(hint);
                    continue;
                }
            }
        }
        let rest = match batch.len() {
            count @ HALVED_FROM.. if done.is_none() => batch.split_off(count / 2),
            _ => vec![],
        };
        metrics::histogram!("ringledger_append_batch_count").record(batch.len() as f64);
        let appends = batch.iter().map(|request| request.append.clone()).collect();
        let answering = async {
            if let Some(done) = done.take() {
                // The log's own writer has what is to be committed first.
                tokio::task::yield_now().await;
                shown.settle(done);
            }
        };
        let (results, ()) = tokio::join!(biased; log.append(appends), answering);
        let committed = (std::mem::replace(&mut batch, rest), results);
        // Few are answered at once, and share the next commit with whoever waits by then.
        match committed.0.len() {
            ..HALF_FROM => shown.settle(committed),
            _ => done = Some(committed),
        }
    }
}

/// Where commits are shown.
struct Shown {
    clock: Arc<dyn Clock>,
    tail: Arc<Tail>,
    head: watch::Sender<Position>,
}

impl Shown {
    /// Shows to the readers what was committed, and answers.
    fn settle(&self, (batch, results): Done) {
        let recorded_at = self.clock.now();
        let mut replies = Vec::with_capacity(batch.len());
        let mut newest = None;
        for (request, result) in batch.into_iter().zip(results) {
            if let Ok(appended) = &result {
                let entries = entries(request.append, request.events, appended, recorded_at);
                newest = entries
                    .last()
                    .map(|entry| entry.recorded.position)
                    .or(newest);
                self.tail.push(appended.previous_head, entries);
            }
            replies.push((request.reply, result));
        }
        // Readers are woken before the commander hears back: whoever waits for
        // a position never waits for an event that is not there yet.
        if let Some(position) = newest {
            self.raise(position);
        }
        for (reply, result) in replies {
            // The commander may have given up; the event stands.
            let _ = reply.send(result);
        }
    }

    fn raise(&self, position: Position) {
        self.head.send_if_modified(|head| {
            let is_newer = position > *head;
            if is_newer {
                *head = position;
            }
            is_newer
        });
    }
}

fn entries(
    append: Append,
    events: Vec<(Timestamp, AnyEvent)>,
    appended: &Appended,
    recorded_at: Timestamp,
) -> Vec<Arc<Entry>> {
    let mut events = events.into_iter();
    let mut position = appended.first;
    let mut version = append.expected;
    let mut entries = Vec::with_capacity(events.len());
    for change in append.changes {
        for new in change.events {
            let Some((at, event)) = events.next() else {
                break;
            };
            version += 1;
            let recorded = Recorded {
                position,
                stream: append.stream.clone(),
                version,
                event_id: new.event_id,
                event_type: new.event_type.into(),
                event_version: new.event_version,
                payload: new.payload,
                command_id: change.command_id,
                metadata: change.metadata.clone(),
                recorded_at,
            };
            let fact = Fact {
                position: position.0,
                version,
                event_id: recorded.event_id,
                at,
                node_epoch: recorded.metadata.node_epoch,
                tenant: recorded.metadata.tenant,
                event,
            };
            entries.push(Arc::new(Entry { fact, recorded }));
            position = Position(position.0 + 1);
        }
    }
    entries
}
