//! What a new run of a node does about the run before it: ends, exactly once,
//! every call that was in progress, so that no agent stays taken by a dead
//! call. Then the processes start.

use commands::{
    envelope::Envelope,
    error::DispatchError,
    processes::{Means, ProcessError, Runner},
};
use domain::{
    id::DEFAULT_TENANT,
    process::{
        Process, command_id, enqueue::Enqueue, offer::OfferProcess, recovery::Recovery,
        registration::Registration, routing::Routing, wrap_up::WrapUp,
    },
    time::Timestamp,
};
use std::time::Duration;
use store::Heartbeat;
use tokio::{sync::oneshot, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Pause before a command that met a store in trouble is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// A process without a row asks again for what this time before the last sign of
/// life may have left unasked: far longer than any command takes.
const UNASKED_MS: i64 = 60_000;
/// Tries before the start is given up: a store that is down for this long is
/// a matter for a person.
const TRIES_MAX: u32 = 50;

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

/// Ends the calls of the dead run and starts the processes. Returns when the
/// record says that no call is in progress. `alarm` is cancelled when a process
/// stops by itself.
///
/// # Errors
/// When the log or the read store can not be used.
pub async fn start(
    means: &Means,
    dead: Option<Heartbeat>,
    alarm: CancellationToken,
) -> Result<Processes, RecoveryError> {
    let mut recovery = Runner::<Recovery>::load(means.clone()).await?;
    recovery.fold_silently(None).await?;
    let epoch = dead.map_or(0, |beat| beat.node_epoch);
    let last_seen = dead.map(|beat| beat.at);
    let intents = recovery
        .state()
        .end_all(Uuid::from_u64_pair(0, epoch), last_seen);
    let mut pending = Vec::with_capacity(intents.len());
    for intent in &intents {
        let command_id = command_id(Recovery::NAME, intent, last_seen.unwrap_or_default());
        let correlation_id = match &intent.command {
            domain::any::AnyCommand::Call(call, _) => call.0,
            domain::any::AnyCommand::Session(..)
            | domain::any::AnyCommand::Line(..)
            | domain::any::AnyCommand::Queue(..)
            | domain::any::AnyCommand::Agent(..)
            | domain::any::AnyCommand::Device(..)
            | domain::any::AnyCommand::Trunk(..) => intent.cause,
        };
        let envelope = Envelope {
            command: intent.command.clone(),
            command_id,
            at: means.clock.now(),
            correlation_id,
            causation_id: intent.cause,
            actor: "system:recovery".into(),
            tenant: DEFAULT_TENANT,
        };
        pending.push((means.gateway.submit(envelope.clone()), envelope));
    }
    for (first, envelope) in pending {
        end(means, first, envelope).await?;
    }
    let mut processes = Processes {
        running: vec![],
        alarm,
        recovered_count: intents.len(),
    };
    processes.spawn(recovery);
    processes.spawn(ready::<Enqueue>(means, dead).await?);
    processes.spawn(ready::<Routing>(means, dead).await?);
    processes.spawn(ready::<OfferProcess>(means, dead).await?);
    processes.spawn(ready::<WrapUp>(means, dead).await?);
    processes.spawn(ready::<Registration>(means, dead).await?);
    Ok(processes)
}

/// A process with its row. One whose row is gone, or of another version, folds
/// history in silence and asks only for what may not have been asked for before
/// the last run ended; the ids of those commands are the same.
async fn ready<P: Process>(
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
