//! The newest events in memory, so that live readers need no database.

use crate::ports::{Position, Recorded};
use domain::any::Fact;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Events kept: about 6 MB. At 5,000 events a second this is most of a second,
/// far longer than any healthy reader is behind; a slower one reads the log.
const ENTRIES_MAX: usize = 4_096;

/// A stored event with its decoded form.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// As the process and the projections see it.
    pub fact: Fact,
    /// As it is stored.
    pub recorded: Recorded,
}

/// A bounded ring of entries without a hole.
#[derive(Debug, Default)]
pub struct Tail {
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    /// Everything after this position and up to the last entry is here.
    floor: Position,
    entries: VecDeque<Arc<Entry>>,
}

impl Tail {
    /// Starts after the position that the log has now.
    pub fn starting_after(head: Position) -> Self {
        Self {
            ring: Mutex::new(Ring {
                floor: head,
                entries: VecDeque::new(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        // A panic while holding the lock can not leave the ring half changed in
        // a way that matters: every change is a push or a clear.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what was just committed. `previous_head` tells whether another
    /// node wrote in between: then the ring starts anew after that.
    pub fn push(&self, previous_head: Position, entries: Vec<Arc<Entry>>) {
        let mut ring = self.lock();
        let last = ring
            .entries
            .back()
            .map_or(ring.floor, |entry| entry.recorded.position);
        if last != previous_head {
            ring.entries.clear();
            ring.floor = previous_head;
        }
        ring.entries.extend(entries);
        while ring.entries.len() > ENTRIES_MAX {
            if let Some(gone) = ring.entries.pop_front() {
                ring.floor = gone.recorded.position;
            }
        }
    }

    /// Up to `limit` entries after the position; `None` when the ring does not
    /// reach back that far.
    pub fn read(&self, after: Position, limit: usize) -> Option<Vec<Arc<Entry>>> {
        let ring = self.lock();
        if after < ring.floor {
            return None;
        }
        let start = ring
            .entries
            .partition_point(|entry| entry.recorded.position <= after);
        Some(
            ring.entries
                .iter()
                .skip(start)
                .take(limit)
                .cloned()
                .collect(),
        )
    }
}
