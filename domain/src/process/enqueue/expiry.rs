//! The safety net under every stay: none becomes older than its queue allows, however it
//! came to be stuck. Whatever else ends a stay comes first.

use super::{State, end};
use crate::{
    any::AnyCommand,
    cause::EndReason,
    id::{CallId, QueueId, VisitId},
    line::{self, VisitResult},
    process::{Intent, derived},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A stay that is there still is looked at again after this.
const AGAIN_MS: u64 = 60_000;

/// An open stay that has a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Aging {
    due: Timestamp,
    queue: QueueId,
    call: CallId,
}

/// When each open stay is too old.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Expiry {
    due: BTreeSet<(Timestamp, VisitId)>,
    stays: BTreeMap<VisitId, Aging>,
}

impl Expiry {
    /// The stay is open; it is too old after so long.
    pub(super) fn opens(
        &mut self,
        (visit, queue, call): (VisitId, QueueId, CallId),
        since: Timestamp,
        ttl_ms: u64,
    ) {
        if ttl_ms > 0 {
            let due = since.plus_ms(ttl_ms);
            self.plan(visit, Aging { due, queue, call });
        }
    }

    /// Something else ends the stay just now: it is looked at again if it is there still.
    pub(super) fn put_off(&mut self, visit: VisitId, now: Timestamp) {
        if let Some(aging) = self.stays.get(&visit).copied() {
            let due = aging.due.max(now.plus_ms(AGAIN_MS));
            self.plan(visit, Aging { due, ..aging });
        }
    }

    /// The stay is over: its line says so.
    pub(super) fn closes(&mut self, visit: VisitId) {
        if let Some(aging) = self.stays.remove(&visit) {
            self.due.remove(&(aging.due, visit));
        }
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    fn plan(&mut self, visit: VisitId, aging: Aging) {
        self.closes(visit);
        self.due.insert((aging.due, visit));
        self.stays.insert(visit, aging);
    }
}

/// Those that are too old by now: their calls end, if they are in them still.
pub(super) fn expired(state: &mut State, now: Timestamp) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((due, visit)) = state.expiry.due.first().copied() {
        if due > now {
            break;
        }
        state.expiry.due.remove(&(due, visit));
        let Some(aging) = state.expiry.stays.get(&visit).copied() else {
            continue;
        };
        // One look of one stay: asked for again, it is the same.
        let cause = derived(due, visit.0, &format!("expires/{}", due.micros()));
        intents.push(end(cause, aging.call, visit, EndReason::VisitExpired));
        let due = now.plus_ms(AGAIN_MS);
        state.expiry.plan(visit, Aging { due, ..aging });
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
