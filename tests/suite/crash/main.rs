//! What the record is worth: the node is killed, the power is cut, the clock is
//! set, and all that was acknowledged is there once.
//!
//! `RINGLEDGER_CRASH_ROUNDS` makes the loops longer than they are in CI.

mod clock;
mod cuts;
mod deadlines;
mod inputs;
mod kills;
mod work;

/// Rounds of a loop: as many as the environment says, else those of CI.
fn rounds(in_ci: usize) -> usize {
    let wanted = std::env::var("RINGLEDGER_CRASH_ROUNDS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(in_ci)
}
