//! One call for a person: everything that happened, and what the people and
//! queues in it are called.

use super::events::fetch;
use crate::{
    value::{Columns, text},
    views::ViewError,
};
use commands::ports::{EventLog, ReadStore, Recorded, StreamId};
use domain::{call::Call, decider::Decider as _, id::CallId};
use std::collections::BTreeMap;

const RELATED: &str = "SELECT position FROM timeline \
     WHERE call_id = $1 AND category <> 'call' ORDER BY position";
const CALLER: &str = "SELECT from_user FROM cdr WHERE call_id = $1 \
     UNION ALL SELECT from_user FROM live_calls WHERE call_id = $1";
const AGENTS: &str = "SELECT agent_id, name FROM agent_states";
const QUEUES: &str = "SELECT queue_id, name FROM queue_stats";

/// Everything that happened to a call, in order: its own stream, and the events
/// of its agents and queue that name it, as far as the timeline knows them.
///
/// # Errors
/// See [`ViewError`].
pub async fn story(
    log: &dyn EventLog,
    read: Option<&dyn ReadStore>,
    call: CallId,
) -> Result<Vec<Recorded>, ViewError> {
    let mut events = log
        .read_stream(&StreamId::new(Call::CATEGORY, call), 0)
        .await?;
    if let Some(read) = read {
        let rows = read.query(RELATED, vec![text(call)]).await?;
        let positions = rows.into_iter().map(|row| Columns::new(row).number());
        let positions: Vec<u64> = positions.collect::<Result<_, _>>()?;
        events.extend(fetch(log, &positions).await?);
        events.sort_by_key(|event| event.position);
    }
    Ok(events)
}

/// What the people and queues around a call are called now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faces {
    /// The caller's number; none once it was erased.
    pub caller: Option<String>,
    /// Names of agents by their id.
    pub agents: BTreeMap<String, String>,
    /// Names of queues by their id.
    pub queues: BTreeMap<String, String>,
}

/// Looks the names up.
///
/// # Errors
/// See [`ViewError`].
pub async fn faces(read: &dyn ReadStore, call: CallId) -> Result<Faces, ViewError> {
    let caller = read.query(CALLER, vec![text(call)]).await?;
    let caller = caller.into_iter().next();
    let caller = caller.map(|row| Columns::new(row).text_or_null());
    let names = async |sql: &str| {
        let rows = read.query(sql, vec![]).await?.into_iter();
        let pairs = rows.map(|row| {
            let mut columns = Columns::new(row);
            Ok((columns.text()?, columns.text()?))
        });
        pairs.collect::<Result<BTreeMap<_, _>, ViewError>>()
    };
    Ok(Faces {
        caller: caller.transpose()?.flatten(),
        agents: names(AGENTS).await?,
        queues: names(QUEUES).await?,
    })
}
