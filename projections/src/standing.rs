//! Where the rows of each projection stand, for every node: how far they are, why they
//! do not go on, and what was ordered of those that are built beside them.

use crate::{
    changed::View,
    registry,
    slot::Generation,
    views::{Next, Parked, Progress},
};
use commands::ports::{Position, ReadStore, Statement, StoreError, Value};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// What every node sees of the rows of one projection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    /// Version of the rules that made them.
    pub(crate) version: u32,
    /// How far they are.
    pub(crate) position: Position,
    /// How often they were replaced by others.
    pub(crate) switches: i64,
    /// Why they do not go on, as whoever writes them has noted.
    pub(crate) parked: Option<Arc<Parked>>,
    /// They take the place of the live ones as soon as they are as far.
    pub(crate) then_switch: bool,
}

/// Where all projections stand, by name: one query, which a node that stands by asks
/// for each time it looks.
pub(crate) async fn standings(
    store: &dyn ReadStore,
) -> Result<HashMap<String, Standing>, StoreError> {
    let rows = store
        .query(
            "SELECT name, version, position, switches, parked_at, parked_reason, then_switch \
             FROM es_projections",
            vec![],
        )
        .await?;
    Ok(rows.into_iter().filter_map(read).collect())
}

fn read(row: Vec<Value>) -> Option<(String, Standing)> {
    let number = |value: i64| u64::try_from(value).unwrap_or(0);
    match <[Value; 7]>::try_from(row).ok()? {
        [
            Value::Text(name),
            Value::Int(version),
            Value::Int(position),
            Value::Int(switches),
            parked_at,
            reason,
            Value::Int(then_switch),
        ] => {
            let parked = match (parked_at, reason) {
                (Value::Int(at), Value::Text(reason)) => Some(Arc::new(Parked {
                    position: number(at),
                    reason,
                })),
                _ => None,
            };
            let standing = Standing {
                version: u32::try_from(version).unwrap_or(0),
                position: Position(number(position)),
                switches,
                parked,
                then_switch: then_switch != 0,
            };
            Some((name, standing))
        }
        _ => None,
    }
}

/// The stored checkpoint of one projection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which.
    pub view: View,
    /// Of rows that are built beside those that readers see.
    pub is_next: bool,
    /// Version of the rules that made the rows.
    pub version: u32,
    /// They know every event up to here.
    pub position: Position,
    /// Why they do not go on, as the server that writes them has noted.
    pub parked: Option<Arc<Parked>>,
    /// They take the place of the live ones as soon as they are as far.
    pub then_switch: bool,
}

/// Every stored checkpoint.
///
/// # Errors
/// When the read store can not be used.
pub async fn checkpoints(store: &dyn ReadStore) -> Result<Vec<Checkpoint>, StoreError> {
    let mut standings = standings(store).await?;
    let mut found = vec![];
    for view in View::ALL {
        for generation in [Generation::Live, Generation::Next] {
            let name = registry::slot(view, generation).checkpoint();
            found.extend(standings.remove(name).map(|stored| Checkpoint {
                view,
                is_next: generation == Generation::Next,
                version: stored.version,
                position: stored.position,
                parked: stored.parked,
                then_switch: stored.then_switch,
            }));
        }
    }
    Ok(found)
}

/// What is built beside the rows of that projection, for a node that does not build it.
pub(crate) fn next(
    standings: &HashMap<String, Standing>,
    projection: &'static str,
) -> Option<Next> {
    let of = |generation: Generation| standings.get(generation.checkpoint(projection));
    let (live, next) = (of(Generation::Live)?, of(Generation::Next)?);
    Some(Next {
        version: next.version,
        position: next.position,
        is_ready: next.parked.is_none() && next.position >= live.position,
        parked: next.parked.clone(),
    })
}

/// Notes that rows which are built take the place of the live ones by themselves.
pub(crate) fn will_switch(name: &str) -> Statement {
    Statement {
        sql: "UPDATE es_projections SET then_switch = 1 WHERE name = $1",
        parameters: vec![Value::Text(name.into())],
        must_touch: Some(1),
    }
}

/// What a leader has noted of projections that do not go on.
#[derive(Default)]
pub(crate) struct Notes {
    /// None before the first: what the leader before has noted is not known.
    noted: Option<BTreeMap<&'static str, Arc<Parked>>>,
}

impl Notes {
    /// Notes what is not noted yet. After an error it is noted the next time.
    pub(crate) async fn write(
        &mut self,
        store: &dyn ReadStore,
        progress: &Progress,
    ) -> Result<(), StoreError> {
        let parked = parked(progress);
        if self.noted.as_ref() == Some(&parked) {
            return Ok(());
        }
        let mut statements = vec![forget_all()];
        statements.extend(parked.iter().map(|(name, why)| note(name, why)));
        store.transact(statements).await?;
        self.noted = Some(parked);
        Ok(())
    }
}

fn parked(progress: &Progress) -> BTreeMap<&'static str, Arc<Parked>> {
    let mut all = BTreeMap::new();
    for status in progress.iter() {
        let next = status.next.as_ref().and_then(|next| next.parked.as_ref());
        for (generation, why) in [
            (Generation::Live, status.parked.as_ref()),
            (Generation::Next, next),
        ] {
            if let Some(why) = why {
                let name = registry::slot(status.view, generation).checkpoint();
                all.insert(name, Arc::clone(why));
            }
        }
    }
    all
}

fn forget_all() -> Statement {
    Statement {
        sql: "UPDATE es_projections SET parked_at = NULL, parked_reason = NULL \
              WHERE parked_at IS NOT NULL",
        parameters: vec![],
        must_touch: None,
    }
}

/// Rows that are beyond that event by now are another leader's.
fn note(name: &str, why: &Parked) -> Statement {
    let at = Value::Int(i64::try_from(why.position).unwrap_or(i64::MAX));
    Statement {
        sql: "UPDATE es_projections SET parked_at = $1, parked_reason = $2 \
              WHERE name = $3 AND position <= $1",
        parameters: vec![
            at,
            Value::Text(why.reason.clone()),
            Value::Text(name.into()),
        ],
        must_touch: None,
    }
}
