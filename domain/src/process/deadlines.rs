//! What is due by itself, and since when it is known that it will be. A clock that was
//! years ahead for a while and then set right would leave all that for years: what was
//! planned by such a clock is due as soon as that is seen.

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// When each of them is due. Written as a list, as not every key can be one of a map there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(K, Planned)>", into = "Vec<(K, Planned)>")]
#[serde(bound(
    serialize = "K: Ord + Copy + Serialize",
    deserialize = "K: Ord + Copy + Deserialize<'de>"
))]
pub(super) struct Deadlines<K: Ord + Copy> {
    planned: BTreeMap<K, Planned>,
    by_due: BTreeSet<(Timestamp, K)>,
    by_since: BTreeSet<(Timestamp, K)>,
}

/// How one that is due is taken: [`Deadlines::take`] or [`Deadlines::take_ahead`].
pub(super) type Take<K> = fn(&mut Deadlines<K>, Timestamp) -> Option<(Timestamp, K)>;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Planned {
    since: Timestamp,
    due: Timestamp,
}

impl<K: Ord + Copy> Default for Deadlines<K> {
    fn default() -> Self {
        Self::from(vec![])
    }
}

impl<K: Ord + Copy> From<Vec<(K, Planned)>> for Deadlines<K> {
    fn from(planned: Vec<(K, Planned)>) -> Self {
        Self {
            by_due: planned.iter().map(|(key, it)| (it.due, *key)).collect(),
            by_since: planned.iter().map(|(key, it)| (it.since, *key)).collect(),
            planned: planned.into_iter().collect(),
        }
    }
}

impl<K: Ord + Copy> From<Deadlines<K>> for Vec<(K, Planned)> {
    fn from(deadlines: Deadlines<K>) -> Self {
        deadlines.planned.into_iter().collect()
    }
}

impl<K: Ord + Copy> Deadlines<K> {
    /// It is due then, and not when it was before; `since` is when that became known.
    pub(super) fn plan(&mut self, key: K, since: Timestamp, due: Timestamp) {
        self.forget(key);
        self.planned.insert(key, Planned { since, due });
        self.by_due.insert((due, key));
        self.by_since.insert((since, key));
    }

    /// It is not due before `until`, if it is due at all.
    pub(super) fn put_off(&mut self, key: K, now: Timestamp, until: Timestamp) {
        if let Some(Planned { since, due }) = self.planned.get(&key).copied() {
            let due = match is_ahead(since, now) {
                true => until,
                false => due.max(until),
            };
            self.plan(key, now, due);
        }
    }

    /// It is due by then at the latest, if it is due at all.
    pub(super) fn hurry(&mut self, key: K, now: Timestamp, by: Timestamp) {
        if let Some(Planned { due, .. }) = self.planned.get(&key).copied() {
            self.plan(key, now, due.min(by));
        }
    }

    /// It is not due any more.
    pub(super) fn forget(&mut self, key: K) {
        if let Some(Planned { since, due }) = self.planned.remove(&key) {
            self.by_due.remove(&(due, key));
            self.by_since.remove(&(since, key));
        }
    }

    /// Whether it is due at all.
    pub(super) fn contains(&self, key: K) -> bool {
        self.planned.contains_key(&key)
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.by_due.first().map(|(due, _)| *due)
    }

    /// Takes the next one that is due by `now`, and when it was.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<(Timestamp, K)> {
        let (due, key) = self.by_due.first().copied()?;
        if due > now {
            return None;
        }
        self.forget(key);
        Some((due, key))
    }

    /// Takes one that was planned by a clock that was far ahead of `now`, and when it was to
    /// be due.
    pub(super) fn take_ahead(&mut self, now: Timestamp) -> Option<(Timestamp, K)> {
        let (since, key) = self.by_since.last().copied()?;
        if !is_ahead(since, now) {
            return None;
        }
        let due = self.planned.get(&key)?.due;
        self.forget(key);
        Some((due, key))
    }
}

/// A clock that tells `now` can not have told that before, but by mistake.
fn is_ahead(since: Timestamp, now: Timestamp) -> bool {
    since.ms_since(now) > Timestamp::AHEAD_MAX_MS
}
