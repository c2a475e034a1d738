//! How far each projection is, kept in the same transaction as its rows.

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

/// Starts from zero.
pub(crate) fn reset(name: &str, version: u32) -> Statement {
    Statement {
        sql: "INSERT INTO es_projections (name, version, position) VALUES ($1, $2, 0) \
              ON CONFLICT (name) DO UPDATE SET version = excluded.version, position = 0",
        parameters: vec![Value::Text(name.into()), Value::Int(i64::from(version))],
        must_touch: Some(1),
    }
}

/// From `old` to `new`; refused when another runner has moved it.
pub(crate) fn advance(name: &str, old: Position, new: Position) -> Statement {
    let number = |position: Position| Value::Int(i64::try_from(position.0).unwrap_or(i64::MAX));
    Statement {
        sql: "UPDATE es_projections SET position = $1 WHERE name = $2 AND position = $3",
        parameters: vec![number(new), Value::Text(name.into()), number(old)],
        must_touch: Some(1),
    }
}
