//! Writes a view's tables as text, so that two stores can be compared.

use crate::{changed::View, registry::tables_of};
use commands::ports::ReadStore;
use std::fmt::Write as _;

/// Every row of the view, in the order of its key.
pub(crate) async fn dump(read: &dyn ReadStore, view: View) -> String {
    let mut text = String::new();
    for table in tables_of(view) {
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {}",
            table.columns.join(", "),
            table.name,
            table.key
        );
        for row in read.query(&sql, vec![]).await.unwrap() {
            writeln!(text, "{}: {row:?}", table.name).unwrap();
        }
    }
    text
}

/// Every row of every view.
pub(crate) async fn dump_all(read: &dyn ReadStore) -> String {
    let mut text = String::new();
    for view in View::ALL {
        text.push_str(&dump(read, view).await);
    }
    text
}
