//! How far each projection is, kept in the same transaction as its rows.

use crate::table::kept;
use commands::ports::{Position, ReadStore, Statement, StoreError, Value};

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
