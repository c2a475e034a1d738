//! How far each projection is, kept in the same transaction as its rows.

use crate::{changed::View, registry, slot::Generation, table::kept};
use commands::ports::{Position, ReadStore, Statement, StoreError, Value};
use std::collections::HashMap;

/// The stored checkpoint of a projection, and the version of its rows.
pub(crate) async fn read(
    store: &dyn ReadStore,
    name: &str,
) -> Result<Option<(u32, Position)>, StoreError> {
    let rows = store
        .query(
            "SELECT version, position FROM es_projections WHERE name = $1",
            vec![Value::Text(name.into())],
        )
        .await?;
    Ok(match rows.first().map(Vec::as_slice) {
        Some([Value::Int(version), Value::Int(position)]) => Some((
            u32::try_from(*version).unwrap_or(0),
            Position(u64::try_from(*position).unwrap_or(0)),
        )),
        Some(_) | None => None,
    })
}

/// What every node sees of the rows of one projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Standing {
    /// Version of the rules that made them.
    pub(crate) version: u32,
    /// How far they are.
    pub(crate) position: Position,
    /// How often they were replaced by others.
    pub(crate) switches: i64,
}

/// Where all projections stand, by name: one query, which a node that stands by asks
/// for each time it looks.
pub(crate) async fn standings(
    store: &dyn ReadStore,
) -> Result<HashMap<String, Standing>, StoreError> {
    let rows = store
        .query(
            "SELECT name, version, position, switches FROM es_projections",
            vec![],
        )
        .await?;
    let standings = rows.into_iter().filter_map(|row| match row.as_slice() {
        [
            Value::Text(name),
            Value::Int(version),
            Value::Int(position),
            Value::Int(switches),
        ] => Some((
            name.clone(),
            Standing {
                version: u32::try_from(*version).unwrap_or(0),
                position: Position(u64::try_from(*position).unwrap_or(0)),
                switches: *switches,
            },
        )),
        _ => None,
    });
    Ok(standings.collect())
}

fn number(position: Position) -> Value {
    Value::Int(i64::try_from(position.0).unwrap_or(i64::MAX))
}

fn statement(sql: &'static str, parameters: Vec<Value>) -> Statement {
    Statement {
        sql,
        parameters,
        must_touch: Some(1),
    }
}

/// Starts there, with rows of that version.
pub(crate) fn set(name: &str, version: u32, position: Position) -> Statement {
    let name = Value::Text(name.into());
    statement(
        "INSERT INTO es_projections (name, version, position) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET version = excluded.version, \
         position = excluded.position",
        vec![name, Value::Int(i64::from(version)), number(position)],
    )
}

/// All of these from `old` to `new`; refused when another runner has moved one.
/// One statement: there are many projections, and each is at the same place
/// nearly always.
pub(crate) fn advance(names: &[&str], old: Position, new: Position) -> Statement {
    let marks: Vec<_> = (3..names.len() + 3)
        .map(|mark| format!("${mark}"))
        .collect();
    let sql = kept(format!(
        "UPDATE es_projections SET position = $1 WHERE position = $2 AND name IN ({})",
        marks.join(", ")
    ));
    let mut parameters = vec![number(new), number(old)];
    parameters.extend(names.iter().map(|name| Value::Text((*name).into())));
    Statement {
        sql,
        parameters,
        must_touch: Some(names.len() as u64),
    }
}

/// From `old` to the version and position of other rows, which take their place.
pub(crate) fn replace(name: &str, old: Position, version: u32, new: Position) -> Statement {
    let (version, name) = (Value::Int(i64::from(version)), Value::Text(name.into()));
    statement(
        "UPDATE es_projections SET version = $1, position = $2, switches = switches + 1 \
         WHERE name = $3 AND position = $4",
        vec![version, number(new), name, number(old)],
    )
}

/// Takes it away; refused when another runner has moved it.
pub(crate) fn forget(name: &str, position: Position) -> Statement {
    statement(
        "DELETE FROM es_projections WHERE name = $1 AND position = $2",
        vec![Value::Text(name.into()), number(position)],
    )
}

/// Takes it away, if it is there.
pub(crate) fn clear(name: &str) -> Statement {
    Statement {
        sql: "DELETE FROM es_projections WHERE name = $1",
        parameters: vec![Value::Text(name.into())],
        must_touch: None,
    }
}

/// The stored checkpoint of one projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which.
    pub view: View,
    /// Of rows that are built beside those that readers see.
    pub is_next: bool,
    /// Version of the rules that made the rows.
    pub version: u32,
    /// They know every event up to here.
    pub position: Position,
}

/// Every stored checkpoint.
///
/// # Errors
/// When the read store can not be used.
pub async fn checkpoints(store: &dyn ReadStore) -> Result<Vec<Checkpoint>, StoreError> {
    let mut found = vec![];
    for view in View::ALL {
        for generation in [Generation::Live, Generation::Next] {
            let name = registry::slot(view, generation).checkpoint();
            let stored = read(store, name).await?;
            found.extend(stored.map(|(version, position)| Checkpoint {
                view,
                is_next: generation == Generation::Next,
                version,
                position,
            }));
        }
    }
    Ok(found)
}
