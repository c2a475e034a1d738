//! How long somebody waits, as it is estimated: the place in the line times the mean time
//! of the last contacts, shared by the calls that the agents who are there may have at once. A board takes the contacts
//! from rows, and the process that decides by it from events: both take the calls that came
//! in and are over, by their answer, from that to their end, and the work after them.

/// Contacts of this time are looked at, if they are more than the last ones.
pub const RECENT_MS: u64 = 30 * 60_000;
/// As many last contacts are looked at in any case.
pub const LAST_CONTACTS: usize = 50;
/// No more than so many are looked at: that many tell the mean well enough.
pub const CONTACTS_MAX: usize = 1_000;

/// The wait of whom `place` callers, himself included, have to be served for, by so many
/// last contacts and what they took together, and so many calls at once that the agents who
/// are there may have: none when nobody is there or no contact is known, for then nothing is.
pub fn expected_wait_ms(place: u64, (contacts, handled_ms): (u64, u64), units: u64) -> Option<u64> {
    let mean_ms = handled_ms.checked_div(contacts)?;
    place.saturating_mul(mean_ms).checked_div(units)
}
