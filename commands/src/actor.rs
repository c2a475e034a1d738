//! One mailbox per live aggregate: its commands are decided one after the
//! other on cached state, and committed in groups.

use crate::{
    envelope::{Committed, Envelope},
    error::{DispatchError, Refused},
    hosted::{Decision, Hosted},
    kind::Kind,
    pool::Seat,
    ports::{Append, AppendError, Appended, Entropy, EventLog, Refusal, StreamId, Written},
    rater::Rater,
    snapshots::Snapshots,
    writer::Writer,
};
use domain::{any::AnyEvent, id::CommandId, time::Timestamp};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// Commands waiting for one aggregate at most.
pub(crate) const MAILBOX_MAX: usize = 4_096;
/// Commands decided in one append at most.
const BATCH_MAX: usize = 128;
/// An aggregate that nobody asks anything leaves memory after this.
const IDLE_MS: u64 = 20_000;
/// One that is over, or one of too many, sooner: those of an invoice run are more than
/// memory should hold, and what still comes for one comes in bursts.
const IDLE_SOON_MS: u64 = 500;
/// One that leaves memory is kept when it is so many events past its snapshot.
const RETIRED_AFTER: u64 = 32;
/// How often a batch is decided again after a conflict.
const CONFLICTS_MAX: u32 = 3;

/// What every actor needs.
pub(crate) struct Shared {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) writer: Writer,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) node_epoch: u64,
    pub(crate) snapshots: Snapshots,
    /// What accounts, plans and decks say, once there is a rater.
    pub(crate) rater: OnceLock<Rater>,
}

pub(crate) type Answer = Result<Committed, DispatchError>;

/// A command in a mailbox. Boxed, so that an idle mailbox is small.
pub(crate) struct Job<K: Kind> {
    pub(crate) envelope: Envelope,
    /// The version of the stream that it is for; none for any.
    pub(crate) expected: Option<u64>,
    pub(crate) command: K::Command,
    pub(crate) reply: oneshot::Sender<Answer>,
}

/// Serves the mailbox until it has been idle for long and may leave its pool.
pub(crate) async fn run<K: Kind<State = K>>(
    seat: Seat<K>,
    shared: Arc<Shared>,
    mut mailbox: mpsc::Receiver<Box<Job<K>>>,
) {
    let id = seat.id;
    let mut hosted: Option<Hosted<K>> = None;
    let mut hears_again = false;
    let mut jobs = Vec::new();
    loop {
        let is_over = hosted.as_ref().is_some_and(|it| K::is_over(it.state()));
        let leaves_soon = is_over || seat.is_crowded();
        let idle = Duration::from_millis(if leaves_soon { IDLE_SOON_MS } else { IDLE_MS });
        match tokio::time::timeout(idle, mailbox.recv_many(&mut jobs, BATCH_MAX)).await {
            Ok(0) => return,
            Ok(_) => {
                if hears_again {
                    hears_again = answer_known(&shared, &mut jobs).await;
                }
                hears_again |= serve(id, &shared, &mut hosted, &mut jobs).await;
                if let Some(hosted) = &mut hosted {
                    hosted.keep(&shared.snapshots, K::SNAPSHOT_EVERY);
                }
            }
            // Nothing has come in between, and nothing can any more.
            Err(_) if seat.retire() => {
                if let Some(hosted) = &mut hosted {
                    hosted.keep(&shared.snapshots, RETIRED_AFTER);
                }
                return;
            }
            Err(_) => {}
        }
    }
}

/// Answers the commands that had their effect before; whether there were any.
/// Asked only after the log has refused a duplicate: that costs the cached state,
/// and who sends one command again, after a lost connection or a restart, mostly
/// sends others again too.
async fn answer_known<K: Kind>(shared: &Shared, jobs: &mut Vec<Box<Job<K>>>) -> bool {
    let mut any = false;
    let mut new = Vec::with_capacity(jobs.len());
    for job in jobs.drain(..) {
        match first_result(shared, job.envelope.command_id).await {
            Ok(Some(first)) => {
                any = true;
                // The asker may have given up.
                let _ = job.reply.send(Ok(first));
            }
            // The append finds out.
            Ok(None) | Err(_) => new.push(job),
        }
    }
    *jobs = new;
    any
}

/// Decides and commits a batch; again from the log when somebody else wrote.
/// Says whether a command among them had had its effect before.
async fn serve<K: Kind<State = K>>(
    id: K::Id,
    shared: &Shared,
    cached: &mut Option<Hosted<K>>,
    jobs: &mut Vec<Box<Job<K>>>,
) -> bool {
    let mut conflicts_count = 0;
    let mut hears_again = false;
    while !jobs.is_empty() {
        let hosted = match cached.take() {
            Some(hosted) => Ok(hosted),
            None => Hosted::load(id, shared.log.as_ref(), &shared.snapshots).await,
        };
        let mut hosted = match hosted {
            Ok(hosted) => hosted,
            Err(error) => {
                answer_all(jobs, &error);
                break;
            }
        };
        match attempt(shared, &mut hosted, jobs).await {
            Ok(()) => *cached = Some(hosted),
            Err(AppendError::Duplicate {
                command_id,
                written,
                ..
            }) => {
                hears_again = true;
                if !answer_one(jobs, command_id, Ok(committed(written))) {
                    answer_all(jobs, &DispatchError::Conflict);
                }
                answer_known(shared, jobs).await;
            }
            Err(AppendError::Refused {
                command_id,
                refusal,
            }) => {
                let refused = DispatchError::Refused(Refused::kept(refusal));
                if !answer_one(jobs, command_id, Err(refused)) {
                    answer_all(jobs, &DispatchError::Conflict);
                }
            }
            // Another node has written: decided again on what is there now.
            Err(AppendError::Conflict { .. }) => {
                metrics::counter!("ringledger_append_conflicts_count").increment(1);
                conflicts_count += 1;
                if conflicts_count > CONFLICTS_MAX {
                    answer_all(jobs, &DispatchError::Conflict);
                }
            }
            Err(error @ (AppendError::Fenced | AppendError::Unavailable(_))) => {
                answer_all(jobs, &DispatchError::Unavailable(error.to_string()));
            }
        }
    }
    hears_again
}

/// Decides all jobs on one speculative state and appends what came of them.
/// On success every job is answered; on failure all stay, to be decided again.
async fn attempt<K: Kind<State = K>>(
    shared: &Shared,
    hosted: &mut Hosted<K>,
    jobs: &mut Vec<Box<Job<K>>>,
) -> Result<(), AppendError> {
    let expected = hosted.version;
    let mut is_news_needed = false;
    let mut changes = Vec::with_capacity(jobs.len());
    let mut events: Vec<(Timestamp, AnyEvent)> = Vec::new();
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(jobs.len());
    for (index, job) in jobs.iter().enumerate() {
        // The same command twice in one batch is one command.
        let command_id = job.envelope.command_id;
        if let Some(first) = jobs[..index]
            .iter()
            .position(|earlier| earlier.envelope.command_id == command_id)
        {
            outcomes.push(outcomes[first].clone());
            continue;
        }
        let decision = match consider(shared, hosted, job).await {
            Ok(decision) => decision,
            Err(error) => {
                outcomes.push(Outcome::Failed(error));
                continue;
            }
        };
        match decision {
            Decision::Changed {
                change,
                events: decided,
            } => {
                changes.push(change);
                events.extend(decided);
                outcomes.push(Outcome::Change(changes.len() - 1));
            }
            Decision::Unchanged => {
                is_news_needed = true;
                outcomes.push(Outcome::Unchanged(hosted.version));
            }
            Decision::Refused(refused) => {
                is_news_needed = true;
                outcomes.push(Outcome::Refused(refused));
            }
        }
    }
    // The expected version guards appends only: before it says no, or does
    // nothing, an actor looks whether another node has written.
    if is_news_needed && changes.is_empty() && shared.log.is_shared() {
        is_newest(shared, hosted.stream(), expected).await?;
    }
    let appended = if changes.is_empty() {
        None
    } else {
        let stream = hosted.stream().clone();
        let append = Append {
            stream,
            aggregate_type: K::CATEGORY,
            expected,
            changes,
        };
        let appended = shared.writer.append(append, events).await?;
        if let Some(last) = appended.changes.last() {
            hosted.position = last.position;
        }
        Some(appended)
    };
    let position = hosted.position;
    for (job, outcome) in jobs.drain(..).zip(outcomes) {
        let answer = outcome.settle(shared, &job.envelope, appended.as_ref(), position);
        // The asker may have given up; the effect stands.
        let _ = job.reply.send(answer.await);
    }
    Ok(())
}

/// A conflict, if the stream has grown beyond that version.
async fn is_newest(shared: &Shared, stream: &StreamId, version: u64) -> Result<(), AppendError> {
    let tail = shared.log.read_stream_page(stream, version, 1).await;
    let tail = tail.map_err(|error| AppendError::Unavailable(error.to_string()))?;
    match tail.first() {
        None => Ok(()),
        Some(newer) => Err(AppendError::Conflict {
            expected: version,
            actual: newer.version,
        }),
    }
}

/// Fills in what the decision needs, and decides.
async fn consider<K: Kind<State = K>>(
    shared: &Shared,
    hosted: &mut Hosted<K>,
    job: &Job<K>,
) -> Result<Decision, DispatchError> {
    let (id, at) = (hosted.id(), job.envelope.at);
    let actual = hosted.version;
    if let Some(expected) = job.expected.filter(|expected| *expected != actual) {
        let stale = Refused::stale(expected, actual, at);
        return Ok(Decision::Refused(stale));
    }
    let command = K::prepare(shared, id, hosted.state(), job.command.clone(), at).await?;
    let entropy = shared.entropy.as_ref();
    let decision = hosted.decide(&job.envelope, command, entropy, shared.node_epoch);
    Ok(decision.await)
}

#[derive(Clone)]
enum Outcome {
    Change(usize),
    Unchanged(u64),
    Refused(Refused),
    /// What it needs to be decided is not there now.
    Failed(DispatchError),
}

impl Outcome {
    async fn settle(
        self,
        shared: &Shared,
        envelope: &Envelope,
        appended: Option<&Appended>,
        position: crate::ports::Position,
    ) -> Answer {
        let command_id = envelope.command_id;
        match self {
            Self::Change(index) => {
                let written = appended
                    .and_then(|appended| appended.changes.get(index))
                    .expect("the log answers one result for each change of an append");
                let (version, position) = (written.version, written.position);
                Ok(Committed {
                    version,
                    position,
                    changed: true,
                })
            }
            Self::Failed(error) => Err(error),
            Self::Unchanged(version) => match first_result(shared, command_id).await? {
                Some(first) => Ok(first),
                None => Ok(Committed {
                    version,
                    position,
                    changed: false,
                }),
            },
            Self::Refused(refused) => match first_result(shared, command_id).await? {
                Some(first) => Ok(first),
                None if envelope.is_by_process() => {
                    let stream = envelope.command.target();
                    refuse(shared, command_id, stream, refused).await
                }
                None => Err(DispatchError::Refused(refused)),
            },
        }
    }
}

/// A retry of a command that had its effect hears the first result, not what
/// the rules say now. Only asked when there is nothing to append: the append
/// itself finds duplicates.
pub(crate) async fn first_result(
    shared: &Shared,
    command_id: CommandId,
) -> Result<Option<Committed>, DispatchError> {
    match shared.log.find_command(command_id).await {
        Ok(found) => Ok(found.map(|(_, written)| committed(written))),
        Err(error) => Err(DispatchError::Unavailable(error.to_string())),
    }
}

/// Keeps a refusal before it is heard; one that was kept before is the answer.
async fn refuse(
    shared: &Shared,
    command_id: CommandId,
    (category, key): (&'static str, String),
    refused: Refused,
) -> Answer {
    let refusal = Refusal {
        stream: StreamId::new(category, key),
        version: refused.version,
        at: refused.at,
        code: refused.code.into(),
        message: refused.message.clone(),
    };
    match shared
        .log
        .refuse(shared.node_epoch, command_id, refusal)
        .await
    {
        Ok(()) => Err(DispatchError::Refused(refused)),
        Err(AppendError::Refused { refusal, .. }) => {
            Err(DispatchError::Refused(Refused::kept(refusal)))
        }
        Err(AppendError::Duplicate { written, .. }) => Ok(committed(written)),
        Err(
            error @ (AppendError::Conflict { .. }
            | AppendError::Fenced
            | AppendError::Unavailable(_)),
        ) => Err(DispatchError::Unavailable(error.to_string())),
    }
}

/// The first result of a command, heard again.
const fn committed(written: Written) -> Committed {
    Committed {
        version: written.version,
        position: written.position,
        changed: true,
    }
}

fn answer_one<K: Kind>(jobs: &mut Vec<Box<Job<K>>>, command_id: CommandId, answer: Answer) -> bool {
    let index = jobs
        .iter()
        .position(|job| job.envelope.command_id == command_id);
    if let Some(index) = index {
        let _ = jobs.remove(index).reply.send(answer);
    }
    index.is_some()
}

fn answer_all<K: Kind>(jobs: &mut Vec<Box<Job<K>>>, error: &DispatchError) {
    for job in jobs.drain(..) {
        let _ = job.reply.send(Err(error.clone()));
    }
}
