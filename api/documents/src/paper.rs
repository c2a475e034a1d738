//! A document as a person reads it, before it is HTML or PDF: blocks of text
//! and tables, all words and figures already written out. Both forms show the
//! same because neither can add anything.

use domain::time::Timestamp;

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// Language of every word, as BCP 47 has it.
    pub language: &'static str,
    /// What it is: `Invoice`.
    pub kind: String,
    /// Its title: `Invoice INV-00000007`.
    pub title: String,
    /// When it was made, which is no secret of the file: the same document has
    /// the same bytes.
    pub made_at: Timestamp,
    /// Who sends it: the name first.
    pub sender: Vec<String>,
    /// Who gets it: the name first.
    pub recipient: Vec<String>,
    /// Number, dates and the like: what, and its value.
    pub facts: Vec<(String, String)>,
    /// What is said before the tables.
    pub opening: Vec<String>,
    /// The tables.
    pub tables: Vec<Table>,
    /// What is said after the tables, under headings.
    pub closing: Vec<Note>,
    /// A table after everything else: what is good to know beside it.
    pub beside: Option<Table>,
    /// The last line of every page.
    pub footer: String,
}

/// Lines under a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The heading.
    pub heading: String,
    /// The lines.
    pub lines: Vec<String>,
}

/// On which side of its column something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Start,
    /// Figures.
    End,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its header.
    pub title: String,
    /// Where its cells stand.
    pub align: Align,
    /// Its share of the width, beside those of the others.
    pub weight: u16,
}

/// A column of words.
pub fn words(title: &str, weight: u16) -> Column {
    Column {
        title: title.into(),
        align: Align::Start,
        weight,
    }
}

/// A column of figures.
pub fn figures(title: &str, weight: u16) -> Column {
    Column {
        title: title.into(),
        align: Align::End,
        weight,
    }
}

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// One of many.
    Item,
    /// A heading over the rows after it.
    Group,
    /// A sum.
    Sum,
    /// The sum that matters.
    Total,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub kind: RowKind,
    /// One text for each column; the first one names the row.
    pub cells: Vec<String>,
    /// A smaller line under the first cell; may be empty.
    pub detail: String,
    /// The sum of the rows up to this one, for a page that ends here.
    pub running: Option<String>,
}

impl Row {
    /// A row without a second line or running sum.
    pub fn new(kind: RowKind, cells: Vec<String>) -> Self {
        Self {
            kind,
            cells,
            detail: String::new(),
            running: None,
        }
    }

    /// An item.
    pub fn item(cells: Vec<String>) -> Self {
        Self::new(RowKind::Item, cells)
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it shows, as a heading.
    pub caption: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, in order; sums come last.
    pub rows: Vec<Row>,
}

impl Table {
    /// Sums at the end, which stay on one page.
    pub(crate) fn split(&self) -> (&[Row], &[Row]) {
        let is_sum = |row: &Row| matches!(row.kind, RowKind::Sum | RowKind::Total);
        let sums = self.rows.iter().rev().take_while(|row| is_sum(row)).count();
        self.rows.split_at(self.rows.len() - sums)
    }
}
