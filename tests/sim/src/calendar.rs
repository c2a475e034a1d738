//! The calendar: what happens when. At one instant chance decides the order.

use crate::{action::Action, chance::Chance};
use std::{cmp::Ordering, collections::BinaryHeap};

#[derive(Debug)]
struct Entry {
    /// Microseconds since the start of the world.
    due: u64,
    tie: u64,
    action: Action,
}

impl Entry {
    const fn key(&self) -> (u64, u64) {
        (self.due, self.tie)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    /// The heap gives the greatest first: the earliest is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

#[derive(Debug)]
pub(crate) struct Calendar {
    now: u64,
    chance: Chance,
    entries: BinaryHeap<Entry>,
}

impl Calendar {
    pub(crate) const fn new(chance: Chance) -> Self {
        Self {
            now: 0,
            chance,
            entries: BinaryHeap::new(),
        }
    }

    /// Microseconds since the start of the world.
    pub(crate) const fn now(&self) -> u64 {
        self.now
    }

    /// In so many microseconds from now.
    pub(crate) fn after(&mut self, micros: u64, action: Action) {
        let tie = self.chance.next();
        let due = self.now + micros;
        self.entries.push(Entry { due, tie, action });
    }

    /// The next thing that happens; time moves on to it.
    pub(crate) fn next(&mut self) -> Option<Action> {
        let entry = self.entries.pop()?;
        self.now = entry.due;
        Some(entry.action)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}
