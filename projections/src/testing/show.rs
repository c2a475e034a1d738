//! Folds a record with one projection, without a store, and writes its rows as
//! short text for golden tests.

use super::world::{START, World};
use crate::projection::{Effect, Input, Projection, Row as _, fold};
use commands::ports::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// All rows after the whole record.
pub(crate) fn fold_all<P: Projection>(world: &World) -> BTreeMap<P::Key, P::Row> {
    let mut rows = BTreeMap::new();
    for fact in &world.facts {
        let Some(key) = P::key(fact) else { continue };
        let mut row = rows.remove(&key);
        let party = world.party(fact);
        let before = row.clone();
        let effect = fold::<P>(&mut row, &Input { fact, party });
        assert_eq!(effect == Effect::Kept, row == before, "{fact:?}");
        rows.extend(row.map(|row| (key, row)));
    }
    rows
}

/// One line a row: these columns, those without a value left out. Ids are
/// written as their kind and number, instants as seconds after the start.
pub(crate) fn show<P: Projection>(world: &World, columns: &[&str]) -> String {
    let mut lines = vec![];
    for row in fold_all::<P>(world).values() {
        let table = &P::TABLES[row.table()];
        let values = row.values();
        assert_eq!(values.len(), table.columns.len());
        let words: Vec<_> = columns
            .iter()
            .filter_map(|column| {
                let place = table.columns.iter().position(|name| name == column)?;
                let value = text(column, &values[place])?;
                Some(format!("{column}={value}"))
            })
            .collect();
        lines.push(format!("{}: {}", table.name, words.join(" ")));
    }
    lines.join("\n")
}

fn text(column: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Int(micros) if column.ends_with("_at") || column == "since" => {
            let ms = (micros - START.micros()) / 1000;
            Some(format!("{ms}ms"))
        }
        Value::Int(number) => Some(number.to_string()),
        Value::Text(text) => Some(text.parse().map_or_else(|_| text.clone(), short)),
        Value::Bytes(bytes) => Some(format!("{} bytes", bytes.len())),
    }
}

fn short(id: Uuid) -> String {
    const KINDS: [&str; 7] = ["", "call", "leg", "agent", "queue", "visit", "offer"];
    let number = id.as_u128();
    match KINDS.get((number >> 64) as usize) {
        Some(kind) => format!("{kind}{}", number as u64),
        None => "id".into(),
    }
}
