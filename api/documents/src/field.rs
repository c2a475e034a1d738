//! A record as named values, from which each format is written.

use crate::csv::{self, Cell};
use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use domain::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A whole number.
    Number(Option<u64>),
    /// Yes or no.
    Flag(bool),
    /// A word from a closed list, an id, a decimal number.
    Word(Option<String>),
    /// Anything that came from somewhere else.
    Text(Option<String>),
    /// An instant: written in the zone of the export, and in UTC beside it.
    Time(Option<Timestamp>),
    /// More than one value: JSON, which in CSV stands in one cell.
    Json(Value),
}

impl Field {
    /// The value as JSON; an instant as in UTC.
    pub fn value(self) -> Value {
        match self {
            Self::Number(number) => number.into(),
            Self::Flag(flag) => flag.into(),
            Self::Word(text) | Self::Text(text) => text.into(),
            Self::Time(at) => at.map(plain).into(),
            Self::Json(value) => value,
        }
    }
}

/// The wire name of a word of the domain.
pub fn word(word: impl Serialize) -> Field {
    Field::Word(name(word))
}

/// The wire name of a word, if it has one.
pub fn name(word: impl Serialize) -> Option<String> {
    match serde_json::to_value(word) {
        Ok(Value::String(name)) => Some(name),
        Ok(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_),
        )
        | Err(_) => None,
    }
}

/// An id, if there is one.
pub fn id(id: Option<impl ToString>) -> Field {
    Field::Word(id.map(|id| id.to_string()))
}

/// A number, if there is one.
pub fn number(number: Option<impl Into<u64>>) -> Field {
    Field::Number(number.map(Into::into))
}

/// Text, if there is any.
pub fn text(text: Option<impl Into<String>>) -> Field {
    Field::Text(text.map(Into::into))
}

/// A record: its fields by name, in order.
pub type Record = Vec<(&'static str, Field)>;

/// The instant in a zone, with its offset, to the millisecond.
pub fn local(at: Timestamp, zone: Tz) -> String {
    DateTime::from_timestamp_micros(at.micros()).map_or_else(
        || at.to_string(),
        |instant| {
            let instant = instant.with_timezone(&zone).fixed_offset();
            instant.to_rfc3339_opts(SecondsFormat::Millis, zone == Tz::UTC)
        },
    )
}

/// Suffix of the column that holds the instant in UTC, to the microsecond.
const UTC: &str = "_utc";

/// The header line of records with these names: those that end in `_at` are
/// instants.
pub fn header<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut all = vec![];
    for name in names {
        all.push(name.to_owned());
        if name.ends_with("_at") {
            all.push(format!("{name}{UTC}"));
        }
    }
    let mut line = String::new();
    csv::line(all.iter().map(|name| Cell::Plain(name)), &mut line);
    line
}

/// Adds the record as a line of CSV.
pub fn csv(record: &Record, zone: Tz, into: &mut String) {
    let cells: Vec<(bool, String)> = record
        .iter()
        .flat_map(|(_, field)| match field {
            Field::Number(number) => vec![(false, number.map_or_else(String::new, plain))],
            Field::Flag(flag) => vec![(false, plain(flag))],
            Field::Word(word) => vec![(false, word.clone().unwrap_or_default())],
            Field::Text(text) => vec![(true, text.clone().unwrap_or_default())],
            Field::Time(at) => vec![
                (false, at.map_or_else(String::new, |at| local(at, zone))),
                (false, at.map_or_else(String::new, plain)),
            ],
            Field::Json(value) => vec![(true, value.to_string())],
        })
        .collect();
    let cells = cells.iter().map(|(is_text, cell)| match is_text {
        true => Cell::Text(cell),
        false => Cell::Plain(cell),
    });
    csv::line(cells, into);
}

fn plain(value: impl ToString) -> String {
    value.to_string()
}

/// The record as JSON; what has no value is null.
pub fn json(record: &Record, zone: Tz) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, field) in record {
        let value = match field {
            Field::Number(_)
            | Field::Flag(_)
            | Field::Word(_)
            | Field::Text(_)
            | Field::Json(_) => field.clone().value(),
            Field::Time(at) => {
                object.insert(format!("{name}{UTC}"), field.clone().value());
                at.map(|at| local(at, zone)).into()
            }
        };
        object.insert((*name).to_owned(), value);
    }
    object
}
