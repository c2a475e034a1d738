//! Callers who hang up and call again within their queue's window come back to their
//! place, once. They are known by their data subject, never by a number; whoever
//! withholds the number is nobody in particular.

use crate::{
    id::{CallId, QueueId, SubjectId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Places that are kept at most; the one that falls first is given up.
const KEPT_MAX: usize = 10_000;

/// Where somebody stood who dropped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Place {
    enqueued_at: Timestamp,
    until: Timestamp,
    /// The call that is to have it, if the line lets it in.
    taken_by: Option<CallId>,
}

/// Where a call waits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Stay {
    queue: QueueId,
    /// Since when it counts.
    enqueued_at: Timestamp,
    /// That is a place from a call before.
    is_resumed: bool,
}

/// The memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Places {
    /// Some queue keeps places: who calls is remembered for nothing else.
    keeps: bool,
    /// Who rang in with each call that is not over.
    callers: BTreeMap<CallId, SubjectId>,
    stays: BTreeMap<CallId, Stay>,
    kept: BTreeMap<SubjectId, BTreeMap<QueueId, Place>>,
    falls: BTreeSet<(Timestamp, SubjectId, QueueId)>,
}

impl Places {
    /// Whether any queue keeps places.
    pub(super) fn keep(&mut self, keeps: bool) {
        self.keeps = keeps;
    }

    pub(super) fn rang_in(&mut self, call: CallId, caller: SubjectId) {
        if self.keeps {
            self.callers.insert(call, caller);
        }
    }

    /// The call is to wait in that queue, at the place that its caller has left
    /// there not long ago, if so: since when that counts, and whether that is a place
    /// from a call before. Nobody else gets that
    /// place, and the caller has it still if the line does not let the call in, or if the
    /// call brings an earlier one along from another queue.
    pub(super) fn joins(
        &mut self,
        call: CallId,
        queue: QueueId,
        at: Timestamp,
        brought: Option<(Timestamp, bool)>,
    ) -> (Timestamp, bool) {
        self.purge(at);
        let (since, was_resumed) = brought.unwrap_or((at, false));
        let Some(caller) = self.callers.get(&call).copied() else {
            return (since, was_resumed);
        };
        let place = self.place_of(caller, queue);
        let place = place.filter(|place| place.taken_by.is_none() && place.enqueued_at < since);
        let is_resumed = was_resumed || place.is_some();
        let enqueued_at = place.map_or(since, |place| {
            place.taken_by = Some(call);
            place.enqueued_at
        });
        let stay = Stay {
            queue,
            enqueued_at,
            is_resumed,
        };
        self.stays.insert(call, stay);
        (enqueued_at, is_resumed)
    }

    /// The line has let the call in: what place it took is taken for good.
    pub(super) fn opened(&mut self, call: CallId, queue: QueueId) {
        let stay = self.stays.get(&call).copied();
        if let Some(stay) = stay.filter(|stay| stay.queue == queue) {
            self.use_up(call, stay);
        }
    }

    /// The call waits there no more, without having been dropped, or was not let in.
    pub(super) fn leaves(&mut self, call: CallId) {
        let (Some(stay), Some(caller)) = (self.stays.remove(&call), self.callers.get(&call)) else {
            return;
        };
        let place = self.place_of(*caller, stay.queue);
        if let Some(place) = place.filter(|place| place.taken_by == Some(call)) {
            place.taken_by = None;
        }
    }

    /// The caller has dropped the call: its place is kept for that long, unless it
    /// was one already.
    pub(super) fn drops(
        &mut self,
        call: CallId,
        at: Timestamp,
        window_of: impl Fn(QueueId) -> u64,
    ) {
        let (Some(caller), Some(stay)) =
            (self.callers.get(&call).copied(), self.stays.remove(&call))
        else {
            return;
        };
        if stay.is_resumed {
            self.use_up(call, stay);
            return;
        }
        let window_ms = window_of(stay.queue);
        if window_ms == 0 {
            return;
        }
        self.give_up(caller, stay.queue);
        let until = at.plus_ms(window_ms);
        let place = Place {
            enqueued_at: stay.enqueued_at,
            until,
            taken_by: None,
        };
        let places = self.kept.entry(caller).or_default();
        places.insert(stay.queue, place);
        self.falls.insert((until, caller, stay.queue));
        self.purge(at);
    }

    pub(super) fn is_over(&mut self, call: CallId) {
        self.leaves(call);
        self.callers.remove(&call);
    }

    /// Nothing is known of that person any more.
    pub(super) fn forget(&mut self, caller: SubjectId) {
        self.callers.retain(|_, other| *other != caller);
        for (queue, place) in self.kept.remove(&caller).unwrap_or_default() {
            self.falls.remove(&(place.until, caller, queue));
        }
    }

    fn place_of(&mut self, caller: SubjectId, queue: QueueId) -> Option<&mut Place> {
        self.kept.get_mut(&caller)?.get_mut(&queue)
    }

    /// The place that the call took is nobody's any more.
    fn use_up(&mut self, call: CallId, stay: Stay) {
        let Some(caller) = self.callers.get(&call).copied() else {
            return;
        };
        let place = self.place_of(caller, stay.queue);
        if place.is_some_and(|place| place.taken_by == Some(call)) {
            self.give_up(caller, stay.queue);
        }
    }

    /// What was kept long enough is given up, and what is too much.
    fn purge(&mut self, at: Timestamp) {
        while let Some((falls_at, caller, queue)) = self.falls.first().copied() {
            if falls_at >= at && self.falls.len() <= KEPT_MAX {
                break;
            }
            self.give_up(caller, queue);
        }
    }

    fn give_up(&mut self, caller: SubjectId, queue: QueueId) {
        let Some(places) = self.kept.get_mut(&caller) else {
            return;
        };
        if let Some(place) = places.remove(&queue) {
            self.falls.remove(&(place.until, caller, queue));
        }
        if places.is_empty() {
            self.kept.remove(&caller);
        }
    }
}
