//! The safety net under every stay: none becomes older than its queue allows, however it
//! came to be stuck. Whatever else ends a stay comes first.

use super::{State, end};
use crate::{
    any::AnyCommand,
    cause::EndReason,
    id::{CallId, QueueId, VisitId},
    line::{self, VisitResult},
    process::{
        Intent,
        deadlines::{Deadlines, Take},
        derived,
    },
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A stay that is there still is looked at again after this.
const AGAIN_MS: u64 = 60_000;

/// An open stay that has a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Aging {
    queue: QueueId,
    call: CallId,
}

/// When each open stay is too old.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Expiry {
    due: Deadlines<VisitId>,
    stays: BTreeMap<VisitId, Aging>,
}

impl Expiry {
    /// The stay is open; it is too old after so long.
    pub(super) fn opens(
        &mut self,
        (visit, queue, call): (VisitId, QueueId, CallId),
        (now, since): (Timestamp, Timestamp),
        ttl_ms: u64,
    ) {
        if ttl_ms > 0 {
            self.due.plan(visit, now, since.plus_ms(ttl_ms));
            self.stays.insert(visit, Aging { queue, call });
        }
    }

    /// Something else ends the stay just now: it is looked at again if it is there still.
    pub(super) fn put_off(&mut self, visit: VisitId, now: Timestamp) {
        self.due.put_off(visit, now, now.plus_ms(AGAIN_MS));
    }

    /// The stay is over: its line says so.
    pub(super) fn closes(&mut self, visit: VisitId) {
        self.stays.remove(&visit);
        self.due.forget(visit);
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.next()
    }
}

/// Those that are too old by now: their calls end, if they are in them still.
pub(super) fn expired(state: &mut State, now: Timestamp, take: Take<VisitId>) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((due, visit)) = take(&mut state.expiry.due, now) {
        let Some(aging) = state.expiry.stays.get(&visit).copied() else {
            continue;
        };
        // One look of one stay: asked for again, it is the same.
        let cause = derived(due, visit.0, &format!("expires/{}", due.micros()));
        intents.push(end(cause, aging.call, visit, EndReason::VisitExpired));
        let again = now.plus_ms(AGAIN_MS);
        state.expiry.due.plan(visit, now, again);
    }
    intents
}

/// The call is over, or elsewhere, and its line has not heard: the stay is closed there.
pub(super) fn outlived(
    state: &State,
    cause: Uuid,
    visit: VisitId,
    closed_at: Timestamp,
) -> Option<Intent> {
    let aging = state.expiry.stays.get(&visit)?;
    let close = line::Command::CloseVisit {
        visit,
        result: VisitResult::Expired,
        closed_at,
    };
    Some(Intent::new(cause, AnyCommand::Line(aging.queue, close)))
}
