//! The records of the demo's calls as a table.

use super::board::{clock, seconds};
use projections::cdr;

/// One line a call, with a head.
pub(super) fn lines(rows: &[cdr::Row], agent: impl Fn(&cdr::Row) -> String) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        format!(
            "{:<8} {:<13} {:<8} {:>6} {:>6} {:>6} {:>8}  {:<11} ended by",
            "start", "caller", "agent", "wait s", "ring s", "talk s", "wrap-up", "disposition"
        ),
    ];
    lines.extend(rows.iter().map(|row| {
        let end = row.end.as_ref();
        format!(
            "{:<8} {:<13} {:<8} {:>6} {:>6} {:>6} {:>8}  {:<11} {}",
            clock(row.started_at),
            row.caller
                .party
                .as_ref()
                .map_or("-", |party| party.user.as_str()),
            agent(row),
            seconds(row.wait_ms()),
            seconds(row.ring_ms),
            seconds(row.talk_ms()),
            seconds(row.wrap_up_ms),
            end.map_or_else(String::new, |end| format!("{:?}", end.disposition)
                .to_uppercase()),
            end.map_or_else(String::new, |end| format!("{:?}", end.by).to_lowercase()),
        )
    }));
    lines
}
