//! Writes a view's tables as text, so that two stores can be compared.

use crate::{
    agent_log::AgentLog,
    agent_states::AgentStates,
    billing::{
        accounts::Accounts, charges::Charges, decks::Decks, invoices::Invoices, plans::Plans,
        usage::UsageRecords,
    },
    callbacks::Callbacks,
    cdr::Cdr,
    changed::View,
    erasures::Erasures,
    live_calls::LiveCalls,
    projection::Projection,
    queue_stats::QueueStats,
    table::Table,
    timeline::Timeline,
    trunks::Trunks,
    visits::Visits,
};
use commands::ports::ReadStore;
use std::fmt::Write as _;

const fn tables(view: View) -> &'static [Table] {
    match view {
        View::Timeline => Timeline::TABLES,
        View::LiveCalls => LiveCalls::TABLES,
        View::AgentStates => AgentStates::TABLES,
        View::QueueStats => QueueStats::TABLES,
        View::Cdr => Cdr::TABLES,
        View::Erasures => Erasures::TABLES,
        View::Trunks => Trunks::TABLES,
        View::Accounts => Accounts::TABLES,
        View::Plans => Plans::TABLES,
        View::Decks => Decks::TABLES,
        View::Charges => Charges::TABLES,
        View::Usage => UsageRecords::TABLES,
        View::Invoices => Invoices::TABLES,
        View::Visits => Visits::TABLES,
        View::AgentLog => AgentLog::TABLES,
        View::Callbacks => Callbacks::TABLES,
    }
}

/// Every row of the view, in the order of its key.
pub(crate) async fn dump(read: &dyn ReadStore, view: View) -> String {
    let mut text = String::new();
    for table in tables(view) {
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
