//! The one log, in memory: what everybody who reads it has passed may be
//! forgotten, so that a long day fits.

use domain::any::Fact;
use std::collections::VecDeque;

#[derive(Debug, Default, Clone)]
pub(crate) struct Log {
    /// Position of the last fact that was forgotten.
    forgotten: u64,
    facts: VecDeque<Fact>,
}

impl Log {
    /// Position of the newest fact.
    pub(crate) fn head(&self) -> u64 {
        self.forgotten + self.facts.len() as u64
    }

    pub(crate) fn push(&mut self, fact: Fact) {
        self.facts.push_back(fact);
    }

    /// The fact at that position, from 1.
    pub(crate) fn get(&self, position: u64) -> Option<&Fact> {
        let index = position.checked_sub(self.forgotten + 1)?;
        self.facts.get(usize::try_from(index).ok()?)
    }

    /// Forgets what is not after that position.
    pub(crate) fn forget(&mut self, position: u64) {
        while self.forgotten < position && self.facts.pop_front().is_some() {
            self.forgotten += 1;
        }
    }

    /// What is still there, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter()
    }
}
