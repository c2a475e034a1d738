//! The processes run on one node at a time: on this one while it leads.

use crate::recovery::{self, Processes, RecoveryError};
use commands::{processes::Means, roster::Roster};
use std::{sync::Arc, time::Duration};
use store::{Heartbeat, Nodes};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Pause before a start of the processes that failed is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// What must follow from the record, wherever it is that it does; cheap to clone.
#[derive(Clone)]
pub struct Leader {
    means: Means,
    nodes: Arc<Nodes>,
    roster: Roster,
    /// The last sign of life of the run before this one.
    dead: Option<Heartbeat>,
    /// Cancelled when the node can not go on.
    alarm: CancellationToken,
    running: Arc<Mutex<Option<Processes>>>,
}

impl std::fmt::Debug for Leader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leader")
            .field("roster", &self.roster)
            .finish_non_exhaustive()
    }
}

impl Leader {
    /// Of a node that has joined.
    pub fn new(
        means: Means,
        nodes: Arc<Nodes>,
        roster: Roster,
        dead: Option<Heartbeat>,
        alarm: CancellationToken,
    ) -> Self {
        Self {
            means,
            nodes,
            roster,
            dead,
            alarm,
            running: Arc::default(),
        }
    }

    /// Ends what lost nodes have left behind and starts the processes, if this
    /// node leads and has not done so yet. Returns how many calls were ended.
    ///
    /// # Errors
    /// When the log or the read store can not be used.
    pub async fn take_up(&self) -> Result<usize, RecoveryError> {
        let mut running = self.running.lock().await;
        let Some(token) = self.roster.leading() else {
            return Ok(0);
        };
        if running.is_some() {
            return Ok(0);
        }
        let lost = recovery::Lost {
            means: self.means.clone(),
            nodes: self.nodes.clone(),
            node_epoch: self.roster.node_epoch(),
            dead: self.dead,
            token,
        };
        let processes = recovery::start(lost, self.alarm.clone()).await?;
        let ended = processes.recovered_count;
        *running = Some(processes);
        Ok(ended)
    }

    /// Stands by until this node leads.
    ///
    /// # Errors
    /// When the processes can not be started then: the node must end, so that
    /// another one leads.
    pub async fn stand_by(self) -> anyhow::Result<()> {
        let mut seen = self.roster.watch();
        let leads = tokio::select! {
            leads = seen.wait_for(|seen| seen.leading.is_some()) => leads.is_ok(),
            () = self.alarm.cancelled() => false,
        };
        if leads && !self.alarm.is_cancelled() {
            let ended = self.insist().await?;
            if ended > 0 {
                tracing::warn!(ended, "calls of lost nodes were ended");
            }
        }
        Ok(())
    }

    /// Takes up as often as it needs while this node leads: a read that fails once must
    /// not cost the calls of a node that is well.
    async fn insist(&self) -> Result<usize, RecoveryError> {
        loop {
            match self.take_up().await {
                Err(error) if error.is_passing() && !self.alarm.is_cancelled() => {
                    tracing::warn!(%error, "the processes are started later");
                    tokio::time::sleep(AGAIN).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Stops the processes, if they run here; each saves its row.
    pub async fn stop(&self) {
        if let Some(processes) = self.running.lock().await.take() {
            processes.stop().await;
        }
    }
}
