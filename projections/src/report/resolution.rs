//! First contact resolution: whether whoever had a contact came again about the same, which
//! is to the same queue. Only what the records of calls say: nobody is asked whether it helped.

use super::queue::Asked;
use crate::{
    value::{Columns, Corrupt, number, text, time},
    views::{ViewError, read_all},
};
use commands::ports::ReadStore;
use domain::{
    sealed::{WITHHELD_HOST, WITHHELD_USERS},
    time::Timestamp,
};

/// Days after a contact in which another one means that it was not the last, unless asked.
pub const FCR_WINDOW_DAYS: u32 = 7;
/// Days at most.
pub const FCR_WINDOW_DAYS_MAX: u32 = 31;

const DAY_MICROS: i64 = 86_400_000_000;

/// Contacts in the interval in which an agent was connected, by whether another one followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resolution {
    /// Without another contact.
    pub resolved_count: u64,
    /// With one.
    pub repeated_count: u64,
    /// Of whom nobody can say whether they came again: no number was shown, or the person
    /// is forgotten.
    pub unknown_count: u64,
    /// That go on, or whose window is not over.
    pub open_count: u64,
}

impl Resolution {
    /// Those of which it is known: what FCR divides by.
    pub const fn contacts_count(&self) -> u64 {
        self.resolved_count + self.repeated_count
    }

    /// The two parts of the first contact resolution.
    pub const fn parts(&self) -> (u64, u64) {
        (self.resolved_count, self.contacts_count())
    }

    /// Both together.
    pub(super) const fn plus(self, other: Self) -> Self {
        Self {
            resolved_count: self.resolved_count + other.resolved_count,
            repeated_count: self.repeated_count + other.repeated_count,
            unknown_count: self.unknown_count + other.unknown_count,
            open_count: self.open_count + other.open_count,
        }
    }
}

/// Whoever shows no number, in SQL: what [`domain::sealed::Party::is_withheld`] says.
fn withheld() -> String {
    let words = WITHHELD_USERS.map(|word| format!("'{word}'")).join(", ");
    format!(
        "(cdr.from_user IS NULL OR LOWER(cdr.from_user) IN ({words}) \
         OR LOWER(COALESCE(cdr.from_host, '')) = '{WITHHELD_HOST}')"
    )
}

/// A later call of the same person in which an agent of the same queue was reached; in a
/// call of ours the agent is there before the person answers. `start` is the column of its
/// beginning, `first` the number of the parameter with the window.
fn later(table: &str, start: &str, first: usize) -> String {
    format!(
        "EXISTS (SELECT 1 FROM {table} AS later WHERE later.subject = cdr.subject \
         AND later.queue_id = visits.queue_id AND later.{start} > cdr.ended_at \
         AND later.{start} <= cdr.ended_at + ${first} AND later.from_user IS NOT NULL \
         AND later.agent_connected_at IS NOT NULL \
         AND (later.direction = 'inbound' OR later.answered_at IS NOT NULL))"
    )
}

/// Contacts by quarter of an hour and by what is known of them. A call of ours that was not
/// answered was none.
fn sql() -> String {
    let (ended, live) = (
        later("cdr", "started_at", 6),
        later("live_calls", "received_at", 7),
    );
    let withheld = withheld();
    format!(
        "SELECT slot, told, COUNT(*) FROM ( \
         SELECT visits.closed_at / 900000000 AS slot, CASE \
         WHEN cdr.call_id IS NULL THEN {OPEN} \
         WHEN cdr.direction = 'outbound' AND cdr.answered_at IS NULL THEN {NONE} \
         WHEN {withheld} THEN {UNKNOWN} \
         WHEN cdr.ended_at + $4 > $5 THEN {OPEN} \
         WHEN {ended} OR {live} THEN {REPEATED} ELSE {RESOLVED} END AS told \
         FROM visits LEFT JOIN cdr ON cdr.call_id = visits.call_id \
         WHERE visits.queue_id = $1 AND visits.result = 'answered' \
         AND visits.closed_at >= $2 AND visits.closed_at < $3 \
         ) AS contacts GROUP BY 1, 2"
    )
}

const NONE: u8 = 0;
const OPEN: u8 = 1;
const UNKNOWN: u8 = 2;
const REPEATED: u8 = 3;
const RESOLVED: u8 = 4;

fn told(columns: &mut Columns) -> Result<(i64, Resolution), Corrupt> {
    let slot = columns.number()?;
    let (told, count): (u8, u64) = (columns.number()?, columns.number()?);
    let of = |kind: u8| if told == kind { count } else { 0 };
    Ok((
        slot,
        Resolution {
            resolved_count: of(RESOLVED),
            repeated_count: of(REPEATED),
            unknown_count: of(UNKNOWN),
            open_count: of(OPEN),
        },
    ))
}

/// The contacts of a queue in that time, by quarter of an hour; none where it is not asked.
pub(super) async fn by_slot(
    read: &dyn ReadStore,
    asked: Asked,
    (from, until): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Vec<(i64, Resolution)>, ViewError> {
    let Some(days) = asked.fcr_window_days else {
        return Ok(vec![]);
    };
    let window = number(i64::from(days) * DAY_MICROS);
    let parameters = vec![
        text(asked.queue),
        time(from),
        time(until),
        window.clone(),
        time(now),
        window.clone(),
        window,
    ];
    read_all(read, &sql(), parameters, told).await
}

#[cfg(test)]
mod tests;
