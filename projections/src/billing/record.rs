//! Rows that stand in one column as JSON, beside the columns that they are
//! found and sorted by.

use crate::value::{Columns, Corrupt, number, text};
use commands::ports::Value;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Display;

/// The last column: the whole row.
pub(super) fn json(row: &impl Serialize) -> Value {
    // A row is plain data; the columns beside it say whose it is.
    serde_json::to_string(row).map_or(Value::Null, Value::Text)
}

/// Key and position, the first two columns of every row.
pub(super) fn head(key: impl Display, position: u64) -> Vec<Value> {
    vec![text(key), number(position)]
}

/// Reads the row back from its last column.
pub(super) fn read<T: DeserializeOwned>(
    columns: &mut Columns,
    before: usize,
) -> Result<T, Corrupt> {
    columns.skip(before)?;
    columns.word()
}

/// Wire name of a word of the domain.
pub(super) fn name(word: impl Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(
            serde_json::Value::Null
            | serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_),
        )
        | Err(_) => String::new(),
    }
}
