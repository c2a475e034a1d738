//! Pages of rows: a cursor is the sort key and an id that breaks ties, so that
//! a page stays where it is while rows come and go.

use crate::{
    value::{Columns, Corrupt},
    views::ViewError,
};
use commands::ports::Value;
use std::{fmt, str::FromStr};

/// Rows on a page when nobody says.
pub const PAGE_DEFAULT: usize = 20;
/// Rows on a page at most.
pub const PAGE_MAX: usize = 100;

/// A place between two rows. Its text is opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The sort key of the row.
    pub key: SortKey,
    /// The row's id, which breaks ties.
    pub id: String,
}

/// What rows are sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    /// An instant in microseconds, or a position.
    Number(i64),
    /// A name.
    Text(String),
}

impl SortKey {
    fn value(&self) -> Value {
        match self {
            Self::Number(number) => Value::Int(*number),
            Self::Text(text) => Value::Text(text.clone()),
        }
    }
}

/// Letter of a cursor by number, then by text.
const NUMBER: &str = "n";
const TEXT: &str = "t";

impl fmt::Display for Cursor {
    /// `n{number}~{id}` or `t{text}~{id}`; ids have no `~`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            SortKey::Number(number) => write!(f, "{NUMBER}{number}~{}", self.id),
            SortKey::Text(text) => write!(f, "{TEXT}{text}~{}", self.id),
        }
    }
}

impl FromStr for Cursor {
    type Err = ViewError;

    fn from_str(cursor: &str) -> Result<Self, ViewError> {
        let (key, id) = cursor.rsplit_once('~').ok_or(ViewError::InvalidCursor)?;
        let key = if let Some(number) = key.strip_prefix(NUMBER) {
            SortKey::Number(number.parse().map_err(|_| ViewError::InvalidCursor)?)
        } else if let Some(text) = key.strip_prefix(TEXT) {
            SortKey::Text(text.into())
        } else {
            return Err(ViewError::InvalidCursor);
        };
        let id = id.into();
        Ok(Self { key, id })
    }
}

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// The first rows after the cursor, or from the start.
    First(usize, Option<Cursor>),
    /// The last rows before the cursor, or up to the end.
    Last(usize, Option<Cursor>),
}

impl Default for Page {
    fn default() -> Self {
        Self::First(PAGE_DEFAULT, None)
    }
}

/// A page of rows, in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice<T> {
    /// The rows, each with its cursor.
    pub rows: Vec<(Cursor, T)>,
    /// There are more rows in the direction of reading: after the last row of
    /// a first page, before the first row of a last page.
    pub has_more: bool,
}

/// The way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// A query for a page: conditions, joined by AND, and a sorted stretch.
#[derive(Debug)]
pub(crate) struct Query {
    sql: String,
    parameters: Vec<Value>,
    has_condition: bool,
}

impl Query {
    /// `SELECT {columns} FROM {table}`.
    pub(crate) fn select(columns: &[&str], table: &str) -> Self {
        Self {
            sql: format!("SELECT {} FROM {table}", columns.join(", ")),
            parameters: vec![],
            has_condition: false,
        }
    }

    /// Adds a condition; every `?` in it is a parameter, in order.
    pub(crate) fn and(&mut self, condition: &str, parameters: impl IntoIterator<Item = Value>) {
        let word = if self.has_condition { "AND" } else { "WHERE" };
        self.has_condition = true;
        self.sql.push_str(&format!(" {word} "));
        let mut parts = condition.split('?');
        self.sql.push_str(parts.next().unwrap_or_default());
        for (part, parameter) in parts.zip(parameters) {
            self.parameters.push(parameter);
            self.sql
                .push_str(&format!("${}{part}", self.parameters.len()));
        }
    }

    /// Adds `column IN (..)`; an empty list lets nothing through.
    pub(crate) fn and_in(&mut self, column: &str, values: Vec<Value>) {
        if values.is_empty() {
            return self.and("1 = 0", []);
        }
        let marks = vec!["?"; values.len()].join(", ");
        self.and(&format!("{column} IN ({marks})"), values);
    }

    /// Sorts by `key` then `id` and cuts the page out. One row more than asked
    /// is read, to know whether there are more.
    pub(crate) fn page(mut self, key: &str, id: &str, order: Order, page: &Page) -> PagedQuery {
        let (limit, cursor, backwards) = match page {
            Page::First(limit, cursor) => (*limit, cursor, false),
            Page::Last(limit, cursor) => (*limit, cursor, true),
        };
        let ascending = (order == Order::Ascending) != backwards;
        let (compare, direction) = if ascending {
            (">", "ASC")
        } else {
            ("<", "DESC")
        };
        if let Some(cursor) = cursor {
            let at = [cursor.key.value(), Value::Text(cursor.id.clone())];
            self.and(&format!("({key}, {id}) {compare} (?, ?)"), at);
        }
        let limit = limit.clamp(1, PAGE_MAX);
        self.parameters
            .push(Value::Int(i64::try_from(limit + 1).unwrap_or(i64::MAX)));
        self.sql.push_str(&format!(
            " ORDER BY {key} {direction}, {id} {direction} LIMIT ${}",
            self.parameters.len()
        ));
        PagedQuery {
            sql: self.sql,
            parameters: self.parameters,
            limit,
            backwards,
        }
    }

    /// The query without a page.
    pub(crate) fn all(mut self, tail: &str) -> (String, Vec<Value>) {
        self.sql.push_str(tail);
        (self.sql, self.parameters)
    }
}

/// A query that was cut to a page.
#[derive(Debug)]
pub(crate) struct PagedQuery {
    pub(crate) sql: String,
    pub(crate) parameters: Vec<Value>,
    limit: usize,
    backwards: bool,
}

impl PagedQuery {
    /// Makes the page of what the query returned.
    pub(crate) fn slice<T>(
        &self,
        rows: Vec<Vec<Value>>,
        read: impl Fn(&mut Columns) -> Result<T, Corrupt>,
        cursor: impl Fn(&T) -> Cursor,
    ) -> Result<Slice<T>, Corrupt> {
        let rows = rows
            .into_iter()
            .map(|row| {
                let row = read(&mut Columns::new(row))?;
                Ok((cursor(&row), row))
            })
            .collect::<Result<_, Corrupt>>()?;
        Ok(cut(rows, self.limit, self.backwards))
    }
}

/// Cuts rows in reading order to the page, and puts them in the list's order.
pub(crate) fn cut<T>(mut rows: Vec<(Cursor, T)>, limit: usize, backwards: bool) -> Slice<T> {
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    if backwards {
        rows.reverse();
    }
    Slice { rows, has_more }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(key: SortKey) -> Cursor {
        let id = "b".into();
        Cursor { key, id }
    }

    #[test]
    fn a_cursor_survives_its_text() {
        for key in [
            SortKey::Number(-5),
            SortKey::Text("sales~north".into()),
            SortKey::Text(String::new()),
        ] {
            let cursor = cursor(key);
            assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }
        for text in ["", "n1", "nx~a", "~a", "q1~a"] {
            assert_eq!(
                text.parse::<Cursor>(),
                Err(ViewError::InvalidCursor),
                "{text}"
            );
        }
    }

    #[test]
    fn conditions_number_their_parameters_in_order() {
        let mut query = Query::select(&["a", "b"], "t");
        query.and("a = ?", [Value::Int(1)]);
        query.and_in("b", vec![Value::Int(2), Value::Int(3)]);
        query.and_in("c", vec![]);
        let query = query.page(
            "a",
            "b",
            Order::Descending,
            &Page::First(7, Some(cursor(SortKey::Number(9)))),
        );
        assert_eq!(
            query.sql,
            "SELECT a, b FROM t WHERE a = $1 AND b IN ($2, $3) AND 1 = 0 \
             AND (a, b) < ($4, $5) ORDER BY a DESC, b DESC LIMIT $6"
        );
        assert_eq!(query.parameters.last(), Some(&Value::Int(8)));
    }

    #[test]
    fn a_last_page_is_read_backwards_and_shown_forwards() {
        let query =
            Query::select(&["a"], "t").page("a", "a", Order::Ascending, &Page::Last(2, None));
        assert_eq!(
            query.sql,
            "SELECT a FROM t ORDER BY a DESC, a DESC LIMIT $1"
        );
        let rows = [3, 2, 1].map(|number| vec![Value::Int(number)]).to_vec();
        let slice = query
            .slice(
                rows,
                |columns| columns.number::<i64>(),
                |number| Cursor {
                    key: SortKey::Number(*number),
                    id: number.to_string(),
                },
            )
            .unwrap();
        let numbers: Vec<_> = slice.rows.iter().map(|(_, number)| *number).collect();
        assert_eq!(numbers, [2, 3]);
        assert!(slice.has_more);
    }
}
