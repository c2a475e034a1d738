//! The tags of a call as a column: each between commas, which no tag has, so that one is
//! found by its text in either database, and only as a whole.

use crate::value::{Columns, Corrupt, text};
use commands::ports::Value;
use domain::name;
use std::collections::BTreeSet;

pub(crate) fn value(tags: &BTreeSet<String>) -> Value {
    let mut written = String::new();
    for tag in tags {
        written.push(',');
        written.push_str(tag);
    }
    if !written.is_empty() {
        written.push(',');
    }
    text(written)
}

pub(crate) fn read(columns: &mut Columns) -> Result<BTreeSet<String>, Corrupt> {
    let written = columns.text()?;
    let tags = written.split(',').filter(|tag| !tag.is_empty());
    Ok(tags.map(str::to_owned).collect())
}

/// What stands in the column of a call that has the tag; what is no tag stands in none.
pub(crate) fn sought(tag: &str) -> Value {
    match name::is_valid(tag) {
        true => text(format!(",{tag},")),
        false => text(",,"),
    }
}
