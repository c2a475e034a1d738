//! How commands come to their streams and facts to their readers: mailboxes,
//! conflicts, a store that is away, processes that lag.

use super::{DONE_MICROS, Planned, World};
use crate::{
    action::{Action, Posted, Target},
    people::MS,
    violation::Violation,
};

/// Facts that a process reads in one go, most.
const BATCH_MAX: u64 = 8;

impl World {
    /// A command has reached the gateway.
    pub(super) fn arrive(&mut self, mut posted: Posted) {
        if posted.asked_by.is_some() {
            self.under_way_count -= 1;
        }
        // Stamped when it comes in, by the clock of the node that it comes to.
        posted.at = match posted.asked_by {
            Some((runner, _)) => self.wall_of(runner),
            None => {
                let node = self.chance.below(self.offsets.len() as u64) as usize;
                self.wall(node)
            }
        };
        self.post(posted);
    }

    pub(super) fn post(&mut self, posted: Posted) {
        let target = Target::of(&posted.command);
        let mailbox = self.mailboxes.entry(target).or_default();
        mailbox.push_back(posted);
        if mailbox.len() == 1 {
            let wait = self.chance.below(4 * MS);
            self.calendar.after(wait, Action::Deliver(target));
        }
    }

    /// The first command of the mailbox is decided and committed.
    pub(super) fn deliver(&mut self, target: Target) -> Result<(), Violation> {
        let now = self.calendar.now();
        let is_away = now < self.store_is_back;
        let Some(mailbox) = self.mailboxes.get_mut(&target) else {
            return Ok(());
        };
        let Some(posted) = mailbox.pop_front() else {
            return Ok(());
        };
        let is_empty = mailbox.is_empty();
        if is_empty {
            self.mailboxes.remove(&target);
        } else {
            let wait = self.chance.below(2 * MS);
            self.calendar.after(wait, Action::Deliver(target));
        }
        let fails = is_away || (self.terms.faults && self.chance.percent(2));
        if fails {
            self.try_again(posted);
            return Ok(());
        }
        let id = posted.asked_by.map(|(_, id)| id);
        let kept = id.and_then(|id| self.done.get(&id).copied());
        let outcome = kept.unwrap_or_else(|| {
            self.all
                .handle(posted.at, posted.command, self.options.mutant)
        });
        // What changed nothing leaves no trace: it is decided again.
        if kept.is_none()
            && outcome != Ok(0)
            && let Some(id) = id
        {
            self.done.insert(id, outcome);
            self.done_order.push_back((now, id));
        }
        if let Some((runner, id)) = posted.asked_by {
            self.runners[runner].answered(id, outcome.map(|_| ()));
        }
        self.hear_news()
    }

    /// The store was away, or somebody else wrote first too often: whoever asked
    /// asks again after a while, behind what has come since.
    fn try_again(&mut self, posted: Posted) {
        self.summary.conflicts_count += 1;
        if posted.asked_by.is_some() {
            self.under_way_count += 1;
        }
        let away = self.store_is_back.saturating_sub(self.calendar.now());
        let wait = away / 2 + self.chance.below(200) * MS;
        self.calendar.after(wait, Action::Arrive(Box::new(posted)));
    }

    /// Everybody who follows the log at once hears what was committed.
    pub(super) fn hear_news(&mut self) -> Result<(), Violation> {
        while let Some(fact) = self.all.log.get(self.heard + 1) {
            self.heard += 1;
            self.summary.facts_count += 1;
            if self.options.trace {
                self.trace.push(format!("{fact:?}"));
            }
            self.ledger.note(fact)?;
            self.readers.note(fact, &self.ledger)?;
            for (micros, action) in self.people.hear(fact) {
                self.calendar.after(micros, action);
            }
        }
        Ok(())
    }

    // ---- processes

    /// The process reads some of what is new.
    pub(super) fn read(&mut self, number: usize) {
        self.planned[number].read = false;
        for _ in 0..=self.chance.below(BATCH_MAX) {
            let asked = self.runners[number].read_one(&self.all.log, self.options.mutant);
            self.ask(number, asked);
        }
    }

    /// A deadline may have come. A timer does not wait for what is not read yet.
    pub(super) fn wake(&mut self, number: usize) {
        self.planned[number].wake = None;
        let now = self.wall_of(number);
        if self.is_due(number) {
            let asked = self.runners[number].wake(now);
            self.ask(number, asked);
        }
    }

    pub(super) fn is_due(&self, number: usize) -> bool {
        self.deadline(number)
            .is_some_and(|due| due <= self.wall_of(number))
    }

    fn deadline(&self, number: usize) -> Option<domain::time::Timestamp> {
        let runner = &self.runners[number];
        let stopped = self
            .options
            .mutant
            .is_some_and(|mutant| mutant.stops_timer(runner.name()));
        runner.next_deadline().filter(|_| !stopped)
    }

    /// Puts on the calendar what each process has to do next.
    pub(super) fn plan_runners(&mut self) {
        let head = self.all.log.head();
        for number in 0..self.runners.len() {
            let Planned { read, hear, wake } = self.planned[number];
            if !read && self.runners[number].position() < head {
                self.planned[number].read = true;
                let lags = self.terms.faults && self.chance.percent(2);
                let most_ms = if lags { 2_000 } else { 3 };
                let wait = self.chance.below(most_ms * MS);
                self.calendar.after(wait, Action::Read(number));
            }
            if !hear && self.runners[number].has_answers() {
                self.planned[number].hear = true;
                let wait = self.chance.below(2 * MS);
                self.calendar.after(wait, Action::Hear(number));
            }
            let due = self.deadline(number);
            if let Some(due) = due.filter(|due| wake.is_none_or(|planned| *due < planned)) {
                self.planned[number].wake = Some(due);
                let now = self.wall_of(number).micros();
                let wait = u64::try_from(due.micros() - now).unwrap_or(0);
                self.calendar.after(wait, Action::Wake(number));
            }
        }
    }

    /// Forgets what nobody reads or asks for any more.
    pub(super) fn tidy_up(&mut self) {
        let needed = self
            .runners
            .iter()
            .map(|runner| runner.saved_position())
            .min()
            .unwrap_or(0);
        if !self.options.rebuild {
            self.all.log.forget(needed);
        }
        let now = self.calendar.now();
        while let Some((at, id)) = self.done_order.front().copied() {
            if at + DONE_MICROS > now {
                break;
            }
            self.done_order.pop_front();
            self.done.remove(&id);
        }
    }
}
