//! Runs a statement of the read store on SQLite.

use commands::ports::{Statement, StoreError, Value};
use rusqlite::{Connection, types::ToSqlOutput, types::ValueRef};

use super::worker::unavailable;

/// Runs it and checks how many rows it touched.
pub(crate) fn execute(db: &Connection, statement: &Statement) -> Result<(), StoreError> {
    let mut prepared = db.prepare_cached(statement.sql).map_err(unavailable)?;
    bind(&mut prepared, statement.sql, &statement.parameters)?;
    let touched = if prepared.column_count() == 0 {
        prepared.raw_execute().map_err(unavailable)? as u64
    } else {
        // RETURNING: each row given back is a row touched.
        let mut rows = prepared.raw_query();
        let mut count = 0;
        while rows.next().map_err(unavailable)?.is_some() {
            count += 1;
        }
        count
    };
    match statement.must_touch {
        Some(wanted) if wanted != touched => Err(StoreError::Fenced),
        Some(_) | None => Ok(()),
    }
}

/// Runs a query and returns its rows.
pub(crate) fn query(
    db: &Connection,
    sql: &str,
    parameters: &[Value],
) -> Result<Vec<Vec<Value>>, StoreError> {
    let mut prepared = db.prepare_cached(sql).map_err(unavailable)?;
    bind(&mut prepared, sql, parameters)?;
    let columns = prepared.column_count();
    let mut rows = prepared.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(unavailable)? {
        let mut values = Vec::with_capacity(columns);
        for column in 0..columns {
            values.push(value(row.get_ref(column).map_err(unavailable)?)?);
        }
        found.push(values);
    }
    Ok(found)
}

/// SQLite takes `$1` for a name and numbers it by its first use, so parameters
/// are bound by what their name says.
fn bind(
    prepared: &mut rusqlite::CachedStatement<'_>,
    sql: &str,
    parameters: &[Value],
) -> Result<(), StoreError> {
    for index in 1..=prepared.parameter_count() {
        let wanted = prepared
            .parameter_name(index)
            .and_then(|name| name.strip_prefix('$'))
            .and_then(|number| number.parse::<usize>().ok())
            .and_then(|number| parameters.get(number.wrapping_sub(1)));
        let Some(parameter) = wanted else {
            return Err(StoreError::Unavailable(format!(
                "statement has no value for its parameter {index}: {sql}"
            )));
        };
        let bound = match parameter {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        };
        prepared
            .raw_bind_parameter(index, ToSqlOutput::Borrowed(bound))
            .map_err(unavailable)?;
    }
    Ok(())
}

fn value(stored: ValueRef<'_>) -> Result<Value, StoreError> {
    match stored {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Int(number)),
        ValueRef::Text(text) => String::from_utf8(text.to_vec())
            .map(Value::Text)
            .map_err(|error| StoreError::Unavailable(format!("text is not UTF-8: {error}"))),
        ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_vec())),
        ValueRef::Real(_) => Err(StoreError::Unavailable(
            "column is a fraction: read models hold whole numbers".into(),
        )),
    }
}
