//! Runs a statement of the read store on SQLite.

use commands::ports::{Statement, StoreError, Value};
use rusqlite::{Connection, types::ToSqlOutput, types::ValueRef};

use super::worker::unavailable;

/// Parameters that SQLite takes in one statement at most.
const NAMES_MAX: usize = 32_766;

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
/// are bound in the order in which the text names them. The text is read for
/// that and SQLite not asked: it looks a name up in a list from its start, and
/// a statement of the read models has hundreds.
fn bind(
    prepared: &mut rusqlite::CachedStatement<'_>,
    sql: &str,
    parameters: &[Value],
) -> Result<(), StoreError> {
    let names = names(sql);
    let missing = |index: usize| {
        StoreError::Unavailable(format!(
            "statement has no value for its parameter {index}: {sql}"
        ))
    };
    if names.len() != prepared.parameter_count() {
        return Err(missing(names.len() + 1));
    }
    for (index, name) in (1..).zip(names) {
        let wanted = parameters.get(name.wrapping_sub(1));
        let bound = match wanted.ok_or_else(|| missing(index))? {
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

/// The numbers of the parameters of a text, each where it stands first. What is
/// quoted names nothing; 0 stands for a name that is no number.
fn names(sql: &str) -> Vec<usize> {
    let mut names = Vec::new();
    let mut is_seen = Vec::new();
    // Every second piece between quotes is quoted; a doubled quote is an empty
    // piece outside and changes nothing.
    for piece in sql.split('\'').step_by(2) {
        for rest in piece.split('$').skip(1) {
            let end = rest
                .find(|letter: char| !letter.is_ascii_digit())
                .unwrap_or(rest.len());
            let name = rest[..end].parse::<usize>().unwrap_or(0);
            let name = if name > NAMES_MAX { 0 } else { name };
            if is_seen.len() <= name {
                is_seen.resize(name + 1, false);
            }
            if !std::mem::replace(&mut is_seen[name], true) {
                names.push(name);
            }
        }
    }
    names
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

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn parameters_are_bound_by_their_numbers_wherever_they_stand() {
        assert_eq!(names("SELECT 1"), [0usize; 0]);
        assert_eq!(names("UPDATE t SET a = $2, b = $1 WHERE c = $2"), [2, 1]);
        assert_eq!(names("SELECT '$1', 'it''s $2', $3, $10"), [3, 10]);
        assert_eq!(names("SELECT $x, $99999999"), [0]);
    }
}
