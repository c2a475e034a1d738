//! When the world is looked at, and what has to hold then.

use super::World;
use crate::{
    people::MS,
    violation::{Violation, must},
};

/// Steps between two times that memory is tidied up.
const TIDY_STEPS: u64 = 512;
/// Quiet moments between two sweeps.
const SWEEP_EVERY: u64 = 64;
/// Things on the calendar at most: everything is bounded.
const CALENDAR_MAX: usize = 50_000;
/// Commands in one mailbox at most.
const MAILBOX_MAX: usize = 4_096;
/// Steps for each call at most; a world that needs more never comes to rest.
const STEPS_PER_CALL_MAX: u64 = 20_000;

impl World {
    /// After every single step.
    pub(super) fn check_step(&mut self) -> Result<(), Violation> {
        if let Some(violation) = self.runners.iter().find_map(|runner| runner.violation()) {
            return Err(violation.clone());
        }
        if self.people.is_last_call()
            && !self.people.is_closing()
            && self.ledger.calls.ended_count >= self.options.calls
            && self.ledger.calls.live_count() == 0
            && self.ledger.callbacks.open_count() == 0
        {
            self.people.close();
        }
        let steps = self.summary.steps_count;
        if steps.is_multiple_of(TIDY_STEPS) {
            self.tidy_up();
            must(self.calendar.len() < CALENDAR_MAX, || {
                "the calendar grows without bound".into()
            })?;
            must(
                self.mailboxes.values().all(|box_| box_.len() < MAILBOX_MAX),
                || "a mailbox grows without bound".into(),
            )?;
        }
        must(
            steps < (self.options.calls + 1_000) * STEPS_PER_CALL_MAX,
            || "the world never comes to rest".into(),
        )
    }

    /// Nothing is under way, everything is read, no timer is due.
    pub(super) fn is_quiet(&self) -> bool {
        let head = self.all.log.head();
        self.mailboxes.is_empty()
            && self.under_way_count == 0
            && (0..self.runners.len()).all(|number| {
                let runner = &self.runners[number];
                runner.position() == head
                    && runner.is_idle()
                    && !runner.has_answers()
                    && !self.is_due(number)
            })
    }

    /// Whenever nothing is under way, all tell the same story.
    pub(super) fn check_quiet(&mut self) -> Result<(), Violation> {
        self.summary.quiet_count += 1;
        self.ledger.check_quiet(self.earliest_wall())?;
        self.readers.check_quiet(&self.ledger)?;
        if self.summary.quiet_count.is_multiple_of(SWEEP_EVERY) {
            self.sweep()?;
        }
        Ok(())
    }

    /// The sweep finds nothing that was forgotten. (Of two nodes, each may have
    /// missed what the other did.)
    fn sweep(&mut self) -> Result<(), Violation> {
        for number in 0..self.runners.len() {
            let now = self.wall_of(number);
            let asked = self.runners[number].sweep(now);
            must(asked.is_empty() || self.offsets.len() > 1, || {
                format!("the sweep found something forgotten: {asked:?}")
            })?;
            self.ask(number, asked);
        }
        Ok(())
    }

    /// The day is over, everybody is gone: nothing is left behind.
    pub(super) fn check_end(&mut self) -> Result<(), Violation> {
        must(self.is_quiet(), || {
            let now = self.calendar.now() / MS;
            format!("nothing moves any more at {now} ms, and something is under way")
        })?;
        self.check_quiet()?;
        self.ledger.check_end()?;
        self.summary.calls_count = self.ledger.calls.received_count;
        self.summary.connected_count = self.ledger.calls.connected_count;
        self.summary.assignments_count = self.ledger.agents.reserved_count;
        self.summary.resumed_count = self.ledger.places.resumed_count;
        self.summary.moved_count = self.ledger.places.moved_count;
        self.summary.exits_count = self.ledger.lines.exits_count;
        self.summary.requeued_count = self.ledger.lines.requeued_count;
        self.summary.expired_count = self.ledger.lines.expired_count;
        self.summary.sent_ahead_count = self.ledger.calls.sent_ahead_count;
        self.summary.closed_count = self.ledger.lines.closed_count;
        self.summary.closed_by_hand_count = self.ledger.hands.closed_count;
        self.summary.assigned_count = self.ledger.lines.assigned_count;
        self.summary.paused_count = self.ledger.agents.paused_count;
        self.summary.too_many_count = self.ledger.asked.too_many_count;
        self.summary.beside_count = self.ledger.agents.beside_count;
        self.summary.words_count = self.ledger.asked.words_count;
        self.summary.forced_count = self.ledger.asked.forced_count;
        self.summary.withdrawn_count = self.ledger.calls.withdrawn_count;
        self.summary.ordered_count = self.ledger.calls.ordered_count;
        self.summary.taken_count = self.ledger.calls.taken_count;
        self.summary.transferred_count = self.ledger.calls.transferred_count;
        self.summary.nobody_there_count = self.ledger.nobody_there_count();
        self.summary.placed_count = self.ledger.calls.placed_count;
        self.summary.promised_count = self.ledger.callbacks.promised_count;
        self.summary.kept_count = self.ledger.callbacks.kept_count;
        self.summary.messages_count = self.ledger.messages.left_count;
        let records = self.readers.records_count;
        let calls = self.summary.calls_count + self.summary.placed_count;
        must(
            self.ledger.calls.ended_count == calls && records == calls,
            || format!("{records} records of {calls} calls"),
        )?;
        self.check_rows_are_bounded()?;
        if self.options.rebuild {
            self.readers.check_rebuilt(self.all.log.iter())?;
        }
        Ok(())
    }

    /// What a process remembers depends on who is there, not on how many calls
    /// there were.
    fn check_rows_are_bounded(&self) -> Result<(), Violation> {
        // And who has dropped a call in the last minutes, to come back to its place.
        let places = 40_000;
        // And who served each caller last: of so many callers at most.
        let served = self.options.calls.min(10_000) * 200;
        let room = places + served + 2_000 + self.terms.agents * (2_000 + 400 * self.terms.queues);
        for runner in &self.runners {
            let length = runner.row_length() as u64;
            must(length < room, || {
                format!("the row of {} has {length} bytes at the end", runner.name())
            })?;
        }
        Ok(())
    }
}
