//! What a call takes along when it goes from one queue into another: when it was
//! enqueued first, its own priority, and which stay it comes from.

use super::State;
use crate::{
    call::OverflowCause,
    id::{CallId, QueueId, VisitId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What a call has that is its own and not its queue's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Carried {
    /// When it was enqueued first; the place of a call before, where it came back to one.
    pub(super) enqueued_at: Timestamp,
    /// That is a place from a call before, which nobody comes back to twice.
    pub(super) is_resumed: bool,
    /// Both as they were when it last stood in a line: a place that it was to come back to
    /// is its caller's still, where the line did not let it in.
    #[serde(default)]
    stood: Option<(Timestamp, bool)>,
    /// A priority of its own.
    pub(super) priority: Option<i32>,
    /// The last line that let it in.
    pub(super) previous: Option<VisitId>,
    /// A person has sent it on, and it does not stand elsewhere yet.
    pub(super) is_sent: bool,
}

impl Carried {
    /// What it takes into the next line: when it was enqueued first, and whether that is a
    /// place from a call before.
    fn brings(self) -> (Timestamp, bool) {
        self.stood.unwrap_or((self.enqueued_at, self.is_resumed))
    }
}

impl State {
    /// The call is to wait in that queue: since when that counts.
    pub(super) fn joins(&mut self, call: CallId, queue: QueueId, at: Timestamp) -> Timestamp {
        let before = self.carried.get(&call).copied();
        let brought = before.map(Carried::brings);
        let (enqueued_at, is_resumed) = self.places.joins(call, queue, at, brought);
        let carried = Carried {
            enqueued_at,
            is_resumed,
            stood: Some(brought.unwrap_or((at, false))),
            priority: before.and_then(|before| before.priority),
            previous: before.and_then(|before| before.previous),
            is_sent: before.is_some_and(|before| before.is_sent),
        };
        self.carried.insert(call, carried);
        enqueued_at
    }

    /// Since when it waits, whatever place of before it was to come back to where it is now.
    pub(super) fn place_of(&self, call: CallId) -> Option<Timestamp> {
        let placed = self.placed.get(&call).copied();
        placed.or_else(|| Some(self.carried.get(&call)?.brings().0))
    }

    /// The call leaves a queue for another place.
    pub(super) fn is_sent_on(&mut self, call: CallId, case: OverflowCause) {
        if let Some(carried) = self.carried.get_mut(&call) {
            carried.is_sent = case == OverflowCause::Supervisor;
        }
    }

    /// Whether a person has sent the call to where it is to stand now.
    pub(super) fn was_sent(&mut self, call: CallId) -> bool {
        let carried = self.carried.get_mut(&call);
        carried.is_some_and(|carried| std::mem::take(&mut carried.is_sent))
    }

    /// A line has let the call in at that place: where it goes next, it comes from there,
    /// and keeps it, also where it was sent on before the line has said so.
    pub(super) fn stands_in(&mut self, call: CallId, visit: VisitId, enqueued_at: Timestamp) {
        let Some(carried) = self.carried.get_mut(&call) else {
            return;
        };
        carried.previous = Some(visit);
        match self.leaving.get_mut(&call) {
            None => carried.stood = Some((carried.enqueued_at, carried.is_resumed)),
            // What it carries is of the stay that comes.
            Some(leaving) => {
                leaving.stood_at(enqueued_at);
                let (brought, was_resumed) = carried.brings();
                let is_resumed = was_resumed || enqueued_at < brought;
                carried.stood = Some((enqueued_at, is_resumed));
                if enqueued_at < carried.enqueued_at {
                    (carried.enqueued_at, carried.is_resumed) = (enqueued_at, is_resumed);
                }
            }
        }
    }

    /// The call has passed through a line on its way: where it goes next, it comes from there.
    pub(super) fn comes_from(&mut self, call: CallId, visit: VisitId) {
        if let Some(carried) = self.carried.get_mut(&call) {
            carried.previous = Some(visit);
        }
    }

    /// Somebody has given the call a priority of its own.
    pub(super) fn prefers(&mut self, call: CallId, priority: i32) {
        if let Some(carried) = self.carried.get_mut(&call) {
            carried.priority = Some(priority);
        }
    }
}
