//! What the node that leads does about runs that are over, its own before it and
//! those of lost nodes: it ends, exactly once, every call that was in progress,
//! so that no agent stays taken by a dead call. Then the processes start.

use commands::{
    envelope::Envelope,
    error::DispatchError,
    ports::{Position, ReadError, StoreError},
    processes::{Means, ProcessError, Runner},
};
use domain::{
    id::DEFAULT_TENANT,
    process::{
        Intent, Process, callback::CallbackProcess, command_id, credit::Credit, dial::Dial,
        dunning::Dunning, enqueue::Enqueue, invoicing::Invoicing, offer::OfferProcess,
        rating::RatingProcess, recovery::Recovery, registration::Registration, routing::Routing,
        voicemail::VoicemailProcess, wrap_up::WrapUp,
    },
    time::Timestamp,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use store::{Heartbeat, Nodes, Stores};
use tokio::{sync::oneshot, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

/// Pause before a command that met a store in trouble is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// A process without a row asks again for what this time before the last sign of
/// life may have left unasked: far longer than any command takes.
const UNASKED_MS: i64 = 60_000;
/// Tries before the start is given up: a store that is down for this long is
/// a matter for a person.
const TRIES_MAX: u32 = 50;

/// How often it is looked whether a node was lost.
const LOOK: Duration = Duration::from_millis(200);

/// How often the list of calls in progress is saved.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// Running processes.
#[derive(Debug)]
pub struct Processes {
    running: Vec<(oneshot::Sender<()>, JoinHandle<()>)>,
    /// Cancelled when one stops by itself.
    alarm: CancellationToken,
    /// Calls of the run before that were ended.
    pub recovered_count: usize,
}

/// Why the start failed.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// A process can not be started.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A call of the dead run can not be ended.
    #[error("call of the run before can not be ended")]
    Dispatch(#[from] DispatchError),
}

impl RecoveryError {
    /// Whether trying again can help.
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::Process(
                ProcessError::Read(ReadError::Unavailable(_))
                | ProcessError::Store(StoreError::Unavailable(_)),
            )
            | Self::Dispatch(DispatchError::Unavailable(_) | DispatchError::Conflict) => true,
            Self::Process(
                ProcessError::Read(ReadError::Corrupt { .. })
                | ProcessError::Store(StoreError::Fenced | StoreError::Refused(_)),
            )
            | Self::Dispatch(DispatchError::Refused(_) | DispatchError::Corrupt(_)) => false,
        }
    }
}

/// What the ending of lost calls works with.
#[derive(Clone)]
pub struct Lost {
    /// Feed, gateway and row.
    pub means: Means,
    /// Which runs are over.
    pub nodes: Arc<Nodes>,
    /// This run.
    pub node_epoch: u64,
    /// The last sign of life before this run.
    pub dead: Option<Heartbeat>,
    /// The fencing token under which this node leads.
    pub token: u64,
}

impl std::fmt::Debug for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lost")
            .field("node_epoch", &self.node_epoch)
            .finish_non_exhaustive()
    }
}

/// The last sign of life of the run before. Where there is no heartbeat (read
/// models that were deleted, or a store that was restored) it is the last event.
///
/// # Errors
/// When the log or the read store can not be read.
pub async fn last_sign(stores: &Stores) -> anyhow::Result<Option<Heartbeat>> {
    if let Some(beat) = stores.nodes.last_beat().await? {
        return Ok(Some(beat));
    }
    let head = stores.log.head().await?;
    let before = Position(head.0.saturating_sub(1));
    let last = stores.log.read_all(before, 1).await?.events.pop();
    Ok(last.map(|event| Heartbeat {
        node_epoch: event.metadata.node_epoch,
        at: event.recorded_at,
    }))
}

/// Ends the calls of runs that are over and starts the processes. Returns when
/// the record says that no such call is in progress. `alarm` is cancelled when a
/// process stops by itself.
///
/// # Errors
/// When the log or the read store can not be used.
pub async fn start(lost: Lost, alarm: CancellationToken) -> Result<Processes, RecoveryError> {
    let means = &lost.means;
    let (token, dead) = (lost.token, lost.dead);
    let mut recovery = Runner::<Recovery>::load(means.clone()).await?.under(token);
    let recovered_count = end_lost(&mut recovery, &lost).await?;
    // All before any begins: what can not be made ready is tried again from the start, and
    // a process that ran already would run twice then.
    let prepared = [
        prepared::<Enqueue>(means, dead, token).await?,
        prepared::<CallbackProcess>(means, dead, token).await?,
        prepared::<Dial>(means, dead, token).await?,
        prepared::<VoicemailProcess>(means, dead, token).await?,
        prepared::<Routing>(means, dead, token).await?,
        prepared::<OfferProcess>(means, dead, token).await?,
        prepared::<WrapUp>(means, dead, token).await?,
        prepared::<Registration>(means, dead, token).await?,
        prepared::<Credit>(means, dead, token).await?,
        prepared::<RatingProcess>(means, dead, token).await?,
        prepared::<Invoicing>(means, dead, token).await?,
        prepared::<Dunning>(means, dead, token).await?,
    ];
    let mut processes = Processes {
        running: vec![],
        alarm,
        recovered_count,
    };
    for process in prepared {
        process(&mut processes);
    }
    match lost.nodes.are_shared() {
        // Others may be lost while this node lives.
        true => processes.watch(recovery, lost),
        false => processes.spawn(recovery),
    }
    Ok(processes)
}

/// A process that is ready and waits to be begun.
type Prepared = Box<dyn FnOnce(&mut Processes) + Send>;

async fn prepared<P: Process>(
    means: &Means,
    dead: Option<Heartbeat>,
    token: u64,
) -> Result<Prepared, ProcessError> {
    let runner = ready::<P>(means, dead).await?.under(token);
    Ok(Box::new(move |processes: &mut Processes| {
        processes.spawn(runner);
    }))
}

/// Ends every call in progress of a run that is over; how many that were. A run
/// that is over can not write, so what is read until now is all there is of it.
async fn end_lost(recovery: &mut Runner<Recovery>, lost: &Lost) -> Result<usize, RecoveryError> {
    recovery.fold_silently(None).await?;
    // Looked up after the calls: a run joins before it receives its first.
    let there: BTreeSet<u64> = match lost.nodes.are_shared() {
        true => {
            let all = lost.nodes.all().await.map_err(ProcessError::from)?;
            all.into_iter().map(|member| member.node_epoch).collect()
        }
        false => [lost.node_epoch].into(),
    };
    let mut pending = vec![];
    let over = recovery.state().runs();
    for run in over.into_iter().filter(|run| !there.contains(run)) {
        let beat = lost.nodes.last_beat_of(run).await;
        let beat = beat.map_err(ProcessError::from)?;
        // A store that was restored knows of its runs only what they wrote.
        let before = lost.dead.filter(|_| run < lost.node_epoch);
        let last_seen = beat.or(before).map(|beat| beat.at);
        for intent in recovery.state().end_all_of(run, last_seen) {
            let envelope = envelope(&lost.means, &intent, last_seen);
            pending.push((lost.means.gateway.submit(envelope.clone()), envelope));
        }
    }
    let count = pending.len();
    for (first, envelope) in pending {
        end(&lost.means, first, envelope).await?;
    }
    Ok(count)
}

fn envelope(means: &Means, intent: &Intent, last_seen: Option<Timestamp>) -> Envelope {
    let command_id = command_id(Recovery::NAME, intent, last_seen.unwrap_or_default());
    Envelope {
        command: intent.command.clone(),
        command_id,
        at: means.clock.now(),
        correlation_id: intent.command.call().map_or(intent.cause, |call| call.0),
        causation_id: intent.cause,
        actor: "system:recovery".into(),
        tenant: DEFAULT_TENANT,
    }
}

/// A process with its row. One whose row is gone, or of another version, folds
/// history in silence and asks only for what may not have been asked for before
/// the last run ended; the ids of those commands are the same.
pub(crate) async fn ready<P: Process>(
    means: &Means,
    dead: Option<Heartbeat>,
) -> Result<Runner<P>, ProcessError> {
    let mut runner = Runner::<P>::load(means.clone()).await?;
    if runner.is_fresh() {
        let last_seen = dead.map_or_else(|| means.clock.now(), |beat| beat.at);
        let micros = last_seen.micros().saturating_sub(UNASKED_MS * 1_000);
        runner
            .fold_silently(Some(Timestamp::from_micros(micros)))
            .await?;
    }
    Ok(runner)
}

async fn end(
    means: &Means,
    first: commands::gateway::Pending,
    envelope: Envelope,
) -> Result<(), DispatchError> {
    let mut answer = first.wait().await;
    for _ in 0..TRIES_MAX {
        match answer {
            // Refused: it has ended in the meantime.
            Ok(_) | Err(DispatchError::Refused(_)) => return Ok(()),
            Err(DispatchError::Corrupt(_)) => return answer.map(|_| ()),
            Err(DispatchError::Conflict | DispatchError::Unavailable(_)) => {
                tokio::time::sleep(RETRY).await;
                answer = means.gateway.dispatch(envelope.clone()).await;
            }
        }
    }
    answer.map(|_| ())
}

async fn look_after(
    recovery: &mut Runner<Recovery>,
    lost: &Lost,
    saved_at: &mut Instant,
) -> Result<(), RecoveryError> {
    let ended = end_lost(recovery, lost).await?;
    if ended > 0 {
        tracing::warn!(ended, "calls of lost nodes were ended");
        metrics::counter!("ringledger_lost_calls_ended_count").increment(ended as u64);
    }
    if saved_at.elapsed() >= SAVE_EVERY {
        recovery.save().await?;
        *saved_at = Instant::now();
    }
    Ok(())
}

impl Processes {
    fn spawn<P: Process>(&mut self, runner: Runner<P>) {
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(runner.run(stopped));
        let alarm = self.alarm.clone();
        let task = tokio::spawn(async move {
            let error = match running.await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.to_string(),
                Err(panic) => panic.to_string(),
            };
            // A node that takes calls and routes none is worse than none.
            tracing::error!(process = P::NAME, error, "process stopped: the node ends");
            alarm.cancel();
        });
        self.running.push((stop, task));
    }

    /// Ends the calls of nodes that are lost from now on.
    fn watch(&mut self, mut recovery: Runner<Recovery>, lost: Lost) {
        let (stop, mut stopped) = oneshot::channel();
        let alarm = self.alarm.clone();
        let task = tokio::spawn(async move {
            let mut saved_at = Instant::now();
            let mut look = tokio::time::interval(LOOK);
            look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = look.tick() => {}
                    _ = &mut stopped => return,
                }
                match look_after(&mut recovery, &lost, &mut saved_at).await {
                    Ok(()) => {}
                    Err(RecoveryError::Process(
                        error @ (ProcessError::Read(ReadError::Corrupt { .. })
                        | ProcessError::Store(StoreError::Fenced)),
                    )) => {
                        tracing::error!(%error, "lost calls can not be ended: the node ends");
                        alarm.cancel();
                        return;
                    }
                    Err(error) => tracing::warn!(%error, "lost calls are ended later"),
                }
            }
        });
        self.running.push((stop, task));
    }

    /// Stops all; each saves its row.
    pub async fn stop(self) {
        let mut tasks = vec![];
        for (stop, task) in self.running {
            // One that has stopped by itself does not listen any more.
            let _ = stop.send(());
            tasks.push(task);
        }
        for task in tasks {
            // It only waits for the process and does not panic by itself.
            let _ = task.await;
        }
    }
}
