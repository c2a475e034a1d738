//! Whether a process has done what follows from the record, whichever node runs it: its
//! row says how far it has read, and what it asked for and has not heard of.

use crate::ports::{EventLog, Position, ReadError, ReadStore, StoreError, Value};
use domain::process::Process;
use serde::{Deserialize, de::IgnoredAny};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// Pause before the row is read again; it is written once a second.
const LOOK: Duration = Duration::from_millis(50);

/// How much of what is on the record up to a position a process has done. What came after
/// that does not matter: on a busy machine something is always under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Standing {
    /// Up to where it has read of it.
    position: Position,
    /// Commands that follow from it and have no answer.
    outstanding: usize,
}

/// It has not come so far, and comes no further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Behind {
    /// It stands still.
    #[error(
        "process {process} has come to position {position} of {head}, with {outstanding} \
         commands without an answer, and stands still"
    )]
    Stuck {
        /// Which.
        process: &'static str,
        /// Up to where.
        position: u64,
        /// Of what.
        head: u64,
        /// Commands that it asked for and has not heard of.
        outstanding: usize,
    },
    /// Its row can not be read.
    #[error("row of the process can not be read: {0}")]
    Row(#[from] StoreError),
    /// It is not known where the record ends.
    #[error(transparent)]
    Head(#[from] ReadError),
}

/// Waits until the process has done what follows from all that is on the record now, and
/// what follows from that, `steps` deep. Asks the store itself, for what other nodes have
/// written too.
///
/// # Errors
/// When it gets no further for as long as `patience`.
pub async fn caught_up<P: Process>(
    store: &Arc<dyn ReadStore>,
    log: &Arc<dyn EventLog>,
    steps: usize,
    patience: Duration,
) -> Result<(), Behind> {
    for _ in 0..steps {
        let head = log.head().await?;
        let mut seen = None;
        let mut since = Instant::now();
        loop {
            let standing = standing::<P>(store, head).await?;
            if standing.position >= head && standing.outstanding == 0 {
                break;
            }
            if seen != Some(standing) {
                (seen, since) = (Some(standing), Instant::now());
            }
            if since.elapsed() >= patience {
                return Err(Behind::Stuck {
                    process: P::NAME,
                    position: standing.position.0,
                    head: head.0,
                    outstanding: standing.outstanding,
                });
            }
            sleep(LOOK).await;
        }
    }
    Ok(())
}

/// Of its row, what is not for the process itself.
#[derive(Deserialize)]
struct Saved {
    outstanding: Vec<IgnoredAny>,
    #[serde(default)]
    positions: Vec<u64>,
}

impl Saved {
    /// Of what followed from events up to there. Of those of earlier programs that is not
    /// known.
    fn outstanding_up_to(&self, head: Position) -> usize {
        let unknown = self.outstanding.len().saturating_sub(self.positions.len());
        let known = self.positions.iter().filter(|at| **at <= head.0).count();
        unknown + known
    }
}

/// Nothing where it never ran.
async fn standing<P: Process>(
    store: &Arc<dyn ReadStore>,
    head: Position,
) -> Result<Standing, StoreError> {
    let query = "SELECT position, state FROM es_processes WHERE name = $1 AND version = $2";
    let parameters = vec![
        Value::Text(P::NAME.into()),
        Value::Int(i64::from(P::VERSION)),
    ];
    let rows = store.query(query, parameters).await?;
    let Some([Value::Int(position), Value::Text(json)]) = rows.first().map(Vec::as_slice) else {
        return Ok(Standing::default());
    };
    let saved: Saved = serde_json::from_str(json)
        .map_err(|error| StoreError::Unavailable(format!("row of process {}: {error}", P::NAME)))?;
    let position = Position(u64::try_from(*position).unwrap_or(0));
    Ok(Standing {
        position: position.min(head),
        outstanding: saved.outstanding_up_to(head),
    })
}
