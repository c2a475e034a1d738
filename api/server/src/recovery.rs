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
};
use std::time::Duration;
use store::Heartbeat;
use tokio::{sync::oneshot, task::JoinHandle};
use uuid::Uuid;

/// Pause before a command that met a store in trouble is tried again.
const RETRY: Duration = Duration::from_millis(200);
/// Tries before the start is given up: a store that is down for this long is
/// a matter for a person.
const TRIES_MAX: u32 = 50;

/// One process on a task of its own.
#[derive(Debug)]
struct Running {
    name: &'static str,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ProcessError>>,
}

/// Running processes.
#[derive(Debug)]
pub struct Processes {
    running: Vec<Running>,
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
/// record says that no call is in progress.
///
/// # Errors
/// When the log or the read store can not be used.
pub async fn start(means: &Means, dead: Option<Heartbeat>) -> Result<Processes, RecoveryError> {
    let mut recovery = Runner::<Recovery>::load(means.clone()).await?;
    recovery.catch_up_silently().await?;
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
        recovered_count: intents.len(),
    };
    processes.spawn(recovery);
    processes.spawn(Runner::<Enqueue>::load(means.clone()).await?);
    processes.spawn(Runner::<Routing>::load(means.clone()).await?);
    processes.spawn(Runner::<OfferProcess>::load(means.clone()).await?);
    processes.spawn(Runner::<WrapUp>::load(means.clone()).await?);
    processes.spawn(Runner::<Registration>::load(means.clone()).await?);
    Ok(processes)
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
        let task = tokio::spawn(async move {
            let result = runner.run(stopped).await;
            if let Err(error) = &result {
                tracing::error!(process = P::NAME, %error, "process stopped: a person must look");
                metrics::gauge!("ringledger_process_stopped", "process" => P::NAME).set(1.0);
            }
            result
        });
        self.running.push(Running {
            name: P::NAME,
            stop,
            task,
        });
    }

    /// False when one has stopped by itself.
    pub fn are_running(&self) -> bool {
        self.running
            .iter()
            .all(|running| !running.task.is_finished())
    }

    /// Stops all; each saves its row.
    pub async fn stop(self) {
        let mut tasks = vec![];
        for Running { name, stop, task } in self.running {
            // One that has stopped by itself does not listen any more.
            let _ = stop.send(());
            tasks.push((name, task));
        }
        for (name, task) in tasks {
            if let Err(error) = task.await {
                tracing::error!(process = name, %error, "process ended with a panic");
            }
        }
    }
}
