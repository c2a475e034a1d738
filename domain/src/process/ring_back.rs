//! Callers who drop and ring back within their queue's window come back to their
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
}

/// The memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RingBacks {
    /// Who rang in with each call that is not over.
    callers: BTreeMap<CallId, SubjectId>,
    /// Where each call waits, and since when it counts; whether that is a place
    /// from a call before.
    stays: BTreeMap<CallId, (QueueId, Timestamp, bool)>,
    kept: BTreeMap<SubjectId, BTreeMap<QueueId, Place>>,
    falls: BTreeSet<(Timestamp, SubjectId, QueueId)>,
}

impl RingBacks {
    pub(super) fn rang_in(&mut self, call: CallId, caller: SubjectId) {
        self.callers.insert(call, caller);
    }

    /// The call waits in that queue from now on, at the place that its caller has
    /// left there not long ago, if so: since when that counts.
    pub(super) fn joins(&mut self, call: CallId, queue: QueueId, at: Timestamp) -> Timestamp {
        let caller = self.callers.get(&call).copied();
        let place = caller.and_then(|caller| self.give_up(caller, queue));
        let place = place.filter(|place| at <= place.until);
        let enqueued_at = place.map_or(at, |place| place.enqueued_at);
        self.stays
            .insert(call, (queue, enqueued_at, place.is_some()));
        enqueued_at
    }

    /// The call waits there no more, without having been dropped.
    pub(super) fn leaves(&mut self, call: CallId) {
        self.stays.remove(&call);
    }

    /// The caller has dropped the call: its place is kept for that long, unless it
    /// was one already.
    pub(super) fn drops(
        &mut self,
        call: CallId,
        at: Timestamp,
        window_of: impl Fn(QueueId) -> u64,
    ) {
        let (Some(caller), Some((queue, enqueued_at, false))) =
            (self.callers.get(&call).copied(), self.stays.remove(&call))
        else {
            return;
        };
        let window_ms = window_of(queue);
        if window_ms == 0 {
            return;
        }
        self.give_up(caller, queue);
        let until = at.plus_ms(window_ms);
        let place = Place { enqueued_at, until };
        self.kept.entry(caller).or_default().insert(queue, place);
        self.falls.insert((until, caller, queue));
        while let Some((falls_at, other, queue)) = self.falls.first().copied() {
            if falls_at >= at && self.falls.len() <= KEPT_MAX {
                break;
            }
            self.give_up(other, queue);
        }
    }

    pub(super) fn is_over(&mut self, call: CallId) {
        self.callers.remove(&call);
        self.stays.remove(&call);
    }

    /// Nothing is known of that person any more.
    pub(super) fn forget(&mut self, caller: SubjectId) {
        for (queue, place) in self.kept.remove(&caller).unwrap_or_default() {
            self.falls.remove(&(place.until, caller, queue));
        }
    }

    fn give_up(&mut self, caller: SubjectId, queue: QueueId) -> Option<Place> {
        let places = self.kept.get_mut(&caller)?;
        let place = places.remove(&queue)?;
        if places.is_empty() {
            self.kept.remove(&caller);
        }
        self.falls.remove(&(place.until, caller, queue));
        Some(place)
    }
}
