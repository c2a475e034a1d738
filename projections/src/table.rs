//! A table of a read model, and the SQL that fills it: the same text for
//! SQLite and PostgreSQL, with several rows to a statement, because a
//! statement costs more than a row.

use crate::value::{number, text};
use commands::ports::{Statement, Value};
use domain::id::SubjectId;
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// Rows of one statement, most first: few rows, as most tables have of one
/// transaction, are one statement or two, each of which is a way to the database and
/// back. Each size is a text of its own, so that the database can prepare it once. 64 rows of 60 columns stay far under the
/// 32,766 parameters that SQLite takes.
const ROWS_PER_STATEMENT: [usize; 8] = [64, 32, 16, 8, 4, 3, 2, 1];
/// Keys of one query or deletion; the last is repeated to fill it up.
const KEYS_PER_STATEMENT: [usize; 3] = [64, 8, 1];
/// Rows that are read at once where all of a table are looked at; few in tests, so that
/// each of theirs turns a page.
pub(crate) const ROWS_PER_PAGE: usize = if cfg!(test) { 2 } else { 512 };

/// What a table is called and has.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The column that finds a row.
    pub key: &'static str,
    /// All columns, the key and `position` among them.
    pub columns: &'static [&'static str],
    /// What of a person stands in it.
    pub personal: Personal,
}

/// How a table lets go of a person who is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personal {
    /// Nothing of a person is in it.
    Nothing,
    /// Few rows: all are read, page by page, and `Row::forget` says what is left of each.
    Rows,
    /// Many rows: columns that say whose they are, each with the columns that are
    /// emptied with it, by one statement.
    Columns(&'static [(&'static str, &'static [&'static str])]),
}

/// The prepared texts of one table.
#[derive(Debug)]
pub(crate) struct Texts {
    upserts: [&'static str; ROWS_PER_STATEMENT.len()],
    deletes: [&'static str; KEYS_PER_STATEMENT.len()],
    selects: [&'static str; KEYS_PER_STATEMENT.len()],
    clear: &'static str,
    all: &'static str,
    more: &'static str,
    /// Where in a row its key stands.
    key_at: usize,
    forget: Option<&'static str>,
}

/// A query for some rows of a table by their keys.
#[derive(Debug)]
pub(crate) struct Select {
    pub(crate) sql: &'static str,
    pub(crate) keys: Vec<Value>,
}

impl Texts {
    /// Writes the texts of a table. They live as long as the process: made
    /// once for each table, whatever it is called.
    pub(crate) fn of(table: &Table, name: &'static str) -> Self {
        let table = &Table {
            name,
            key: table.key,
            columns: table.columns,
            personal: table.personal,
        };
        let keyed = |head: String, size| {
            let marks = marks(1, size);
            kept(format!("{head} WHERE {} IN ({marks})", table.key))
        };
        Self {
            upserts: ROWS_PER_STATEMENT.map(|size| kept(upsert(table, size))),
            deletes: KEYS_PER_STATEMENT
                .map(|size| keyed(format!("DELETE FROM {}", table.name), size)),
            clear: kept(format!("DELETE FROM {}", table.name)),
            all: kept(page(table, "")),
            more: kept(page(table, &format!("WHERE {} > $1 ", table.key))),
            key_at: table
                .columns
                .iter()
                .position(|column| *column == table.key)
                .expect("the key is a column"),
            forget: forget(table).map(kept),
            selects: KEYS_PER_STATEMENT.map(|size| {
                let columns = table.columns.join(", ");
                keyed(format!("SELECT {columns} FROM {}", table.name), size)
            }),
        }
    }

    /// The statement that empties the table.
    pub(crate) const fn clear(&self) -> &'static str {
        self.clear
    }

    /// The query for the next page of all rows, in the order of their keys: those after
    /// that row, where rows let go of a person one by one.
    pub(crate) fn page(&self, last: Option<&[Value]>) -> (&'static str, Vec<Value>) {
        match last {
            None => (self.all, vec![]),
            Some(row) => (self.more, vec![row[self.key_at].clone()]),
        }
    }

    /// The statement by which the whole table lets go of a person: that it did
    /// so at `position` is the last thing that its rows know.
    pub(crate) fn forget(&self, subject: SubjectId, position: u64) -> Option<Statement> {
        self.forget.map(|sql| Statement {
            sql,
            parameters: vec![number(position), text(subject)],
            must_touch: None,
        })
    }

    /// Statements that insert these rows, or replace those that know less.
    pub(crate) fn upsert(&self, rows: Vec<Vec<Value>>, into: &mut Vec<Statement>) {
        let mut left = rows.len();
        let mut rows = rows.into_iter();
        while left > 0 {
            let (size, sql) = fitting(&ROWS_PER_STATEMENT, &self.upserts, left);
            into.push(Statement {
                sql,
                parameters: rows.by_ref().take(size).flatten().collect(),
                must_touch: None,
            });
            left -= size;
        }
    }

    /// Statements that take the rows of these keys away.
    pub(crate) fn delete(&self, keys: &[Value], into: &mut Vec<Statement>) {
        into.extend(
            keyed(&self.deletes, keys).map(|(sql, parameters)| Statement {
                sql,
                parameters,
                must_touch: None,
            }),
        );
    }

    /// Queries for the rows of these keys.
    pub(crate) fn select(&self, keys: &[Value]) -> Vec<Select> {
        keyed(&self.selects, keys)
            .map(|(sql, keys)| Select { sql, keys })
            .collect()
    }
}

/// The query for a page of the table.
fn page(table: &Table, after: &str) -> String {
    let (columns, name, key) = (table.columns.join(", "), table.name, table.key);
    format!("SELECT {columns} FROM {name} {after}ORDER BY {key} LIMIT {ROWS_PER_PAGE}")
}

/// The greatest size that is not more than what is left.
fn fitting(sizes: &[usize], texts: &[&'static str], left: usize) -> (usize, &'static str) {
    sizes
        .iter()
        .zip(texts)
        .find(|(size, _)| **size <= left)
        .map(|(size, text)| (*size, *text))
        .expect("the last size is 1 and something is left")
}

/// Cuts keys into statements; a statement that is not full repeats its last.
fn keyed<'a>(
    texts: &'a [&'static str; KEYS_PER_STATEMENT.len()],
    keys: &'a [Value],
) -> impl Iterator<Item = (&'static str, Vec<Value>)> + 'a {
    keys.chunks(KEYS_PER_STATEMENT[0]).map(move |chunk| {
        let (size, sql) = KEYS_PER_STATEMENT
            .iter()
            .zip(texts)
            .rfind(|(size, _)| **size >= chunk.len())
            .map(|(size, text)| (*size, *text))
            .expect("a chunk is not longer than the first size");
        let mut parameters = chunk.to_vec();
        if let Some(last) = chunk.last() {
            parameters.resize(size, last.clone());
        }
        (sql, parameters)
    })
}

fn upsert(table: &Table, rows: usize) -> String {
    let Table {
        name, key, columns, ..
    } = table;
    let width = columns.len();
    let tuples: Vec<_> = (0..rows)
        .map(|row| format!("({})", marks(row * width + 1, width)))
        .collect();
    let sets: Vec<_> = columns
        .iter()
        .filter(|column| *column != key)
        .map(|column| format!("{column} = excluded.{column}"))
        .collect();
    format!(
        "INSERT INTO {name} ({}) VALUES {} ON CONFLICT ({key}) DO UPDATE SET {} \
         WHERE excluded.position > {name}.position",
        columns.join(", "),
        tuples.join(", "),
        sets.join(", "),
    )
}

fn forget(table: &Table) -> Option<String> {
    let persons = match table.personal {
        Personal::Nothing | Personal::Rows => return None,
        Personal::Columns(persons) => persons,
    };
    // Two persons of one row may be the same, and one of them may stay.
    let empty: Vec<_> = persons
        .iter()
        .flat_map(|(subject, columns)| columns.iter().map(move |column| (subject, column)))
        .map(|(subject, column)| {
            format!("{column} = CASE WHEN {subject} = $2 THEN NULL ELSE {column} END")
        })
        .collect();
    let is_one: Vec<_> = persons
        .iter()
        .map(|(subject, _)| format!("{subject} = $2"))
        .collect();
    Some(format!(
        "UPDATE {} SET position = $1, {} WHERE ({}) AND position < $1",
        table.name,
        empty.join(", "),
        is_one.join(" OR "),
    ))
}

/// The marks of that many parameters from that number on.
pub(crate) fn marks(first: usize, count: usize) -> String {
    let marks: Vec<_> = (first..first + count)
        .map(|number| format!("${number}"))
        .collect();
    marks.join(", ")
}

/// The text, kept as long as the process lives; the same text once.
pub(crate) fn kept(text: String) -> &'static str {
    static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text.as_str()) {
        return known;
    }
    let new: &'static str = Box::leak(text.into_boxed_str());
    texts.insert(new);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    const PETS: Table = Table {
        name: "pets",
        key: "id",
        columns: &["id", "position", "name"],
        personal: Personal::Columns(&[("subject", &["name"])]),
    };

    #[test]
    fn a_row_replaces_only_what_knows_less() {
        assert_eq!(
            upsert(&PETS, 2),
            "INSERT INTO pets (id, position, name) VALUES ($1, $2, $3), ($4, $5, $6) \
             ON CONFLICT (id) DO UPDATE SET position = excluded.position, name = excluded.name \
             WHERE excluded.position > pets.position"
        );
    }

    #[test]
    fn a_person_is_let_go_of_only_where_the_row_does_not_know_more() {
        let texts = Texts::of(&PETS, PETS.name);
        let subject = SubjectId(uuid::Uuid::nil());
        let statement = texts.forget(subject, 7).unwrap();
        assert_eq!(
            statement.sql,
            "UPDATE pets SET position = $1, name = CASE WHEN subject = $2 THEN NULL ELSE name END \
             WHERE (subject = $2) AND position < $1"
        );
    }

    #[test]
    fn all_rows_are_read_page_by_page_in_the_order_of_their_keys() {
        let texts = Texts::of(&PETS, PETS.name);
        let first = "SELECT id, position, name FROM pets ORDER BY id LIMIT 2";
        assert_eq!(texts.page(None), (first, vec![]));
        let next = "SELECT id, position, name FROM pets WHERE id > $1 ORDER BY id LIMIT 2";
        let row = [Value::Int(7), Value::Int(3), Value::Null];
        assert_eq!(texts.page(Some(&row)), (next, vec![Value::Int(7)]));
    }

    #[test]
    fn rows_are_cut_into_few_statements() {
        let texts = Texts::of(&PETS, PETS.name);
        let rows = vec![vec![Value::Int(1); 3]; 64 + 16 + 8 + 3];
        let mut statements = vec![];
        texts.upsert(rows, &mut statements);
        let sizes: Vec<_> = statements
            .iter()
            .map(|statement| statement.parameters.len() / 3)
            .collect();
        assert_eq!(sizes, [64, 16, 8, 3]);
    }

    #[test]
    fn a_query_that_is_not_full_repeats_its_last_key() {
        let texts = Texts::of(&PETS, PETS.name);
        let keys: Vec<_> = (0..67).map(Value::Int).collect();
        let selects = texts.select(&keys);
        assert_eq!(selects.len(), 2);
        assert_eq!(selects[0].keys.len(), 64);
        assert_eq!(selects[1].keys.len(), 8);
        assert_eq!(selects[1].keys[7], Value::Int(66));
        assert!(texts.select(&[]).is_empty());
        let mut statements = vec![];
        texts.delete(&keys[..1], &mut statements);
        assert_eq!(statements[0].sql, "DELETE FROM pets WHERE id IN ($1)");
    }
}
