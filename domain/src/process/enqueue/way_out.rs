//! Where a call goes that its queue does not serve, and when that is so.

use super::{
    super::{Intent, derived},
    State, end,
};
use crate::{
    any::{AnyCommand, Fact},
    call::{self, Destination, OverflowCause},
    cause::EndReason,
    id::{CallId, LegId, QueueId, VisitId},
    line::RejectReason,
    queue::{self, Away},
    time::Timestamp,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The call leaves that stay for where its queue sends it in that case, if it
/// does. Ids are derived from the stay, which overflows once.
pub(super) fn send_on(
    state: &State,
    at: Timestamp,
    cause: Uuid,
    call: CallId,
    (visit, queue): (VisitId, QueueId),
    case: OverflowCause,
) -> Option<Intent> {
    let (_, config) = state.queues.get(&queue)?;
    let to = destination(state, at, visit, config.overflow(case)?)?;
    let command = call::Command::OverflowCall {
        visit,
        cause: case,
        to,
    };
    Some(Intent::new(cause, AnyCommand::Call(call, command)))
}

fn destination(
    state: &State,
    at: Timestamp,
    visit: VisitId,
    to: &queue::OverflowTo,
) -> Option<Destination> {
    match to {
        queue::OverflowTo::Number(number) => Some(Destination::Forward {
            number: number.clone(),
            leg: LegId(derived(at, visit.0, "forward")),
        }),
        queue::OverflowTo::Queue(next) => state.queues.get(next).map(|(version, config)| {
            let visit = VisitId(derived(at, visit.0, "overflow"));
            Destination::Queue {
                queue: *next,
                config_version: *version,
                answer_mode: config.answer_mode,
                visit,
                exit_keys: config.exit_keys(),
            }
        }),
    }
}

/// A caller has pressed a key that led out when the call was enqueued: it goes
/// where that key leads now, if it still does.
pub(super) fn take_exit(
    state: &State,
    fact: &Fact,
    call: CallId,
    (visit, queue): (VisitId, QueueId),
    key: call::Key,
) -> Option<Intent> {
    let (_, config) = state.queues.get(&queue)?;
    let to = destination(state, fact.at, visit, config.exit(key)?)?;
    let command = call::Command::OverflowCall {
        visit,
        cause: OverflowCause::ExitKey,
        to,
    };
    let cause = fact.event_id.0;
    Some(Intent::new(cause, AnyCommand::Call(call, command)))
}

/// Nobody is there for the queue any more: who waits is sent on or away, where
/// the queue says so. Whoever is being offered to an agent is not.
pub(super) fn deserted(state: &State, fact: &Fact, queue: QueueId) -> Vec<Intent> {
    let waiting = state.waiting.get(&queue).into_iter().flatten();
    waiting
        .filter(|(visit, _)| !state.staff.is_asked_for(**visit))
        .filter_map(|(visit, call)| {
            let case = OverflowCause::Unstaffed;
            // Each visit has a command of its own under the one event.
            let (cause, place) = (fact.event_id.0, (*visit, queue));
            let sent_on = send_on(state, fact.at, cause, *call, place, case);
            let ends = leave_rule(state, queue).is_some();
            sent_on.or_else(|| ends.then(|| end(cause, *call, *visit, EndReason::NobodyThere)))
        })
        .collect()
}

/// A call that can not be sent on from a queue in which nobody waits for nobody.
pub(super) fn nobody_there(
    state: &State,
    cause: Uuid,
    call: CallId,
    visit: VisitId,
) -> Vec<Intent> {
    let mut lines = state.waiting.iter();
    let waits_in = lines.find(|(_, waiting)| waiting.contains_key(&visit));
    let may_wait = waits_in.is_some_and(|(queue, _)| leave_rule(state, *queue).is_none());
    match may_wait {
        true => vec![],
        false => vec![end(cause, call, visit, EndReason::NobodyThere)],
    }
}

/// Who counts as away for those who wait, where they are not to wait for nobody.
fn leave_rule(state: &State, queue: QueueId) -> Option<&[Away]> {
    let (_, config) = state.queues.get(&queue)?;
    config.empty.leave.as_deref()
}

/// The queues with callers for which nobody is there.
pub(super) fn empty_ones(state: &State, queues: &[QueueId]) -> BTreeSet<QueueId> {
    let has_callers = |queue: &QueueId| {
        let waiting = state.waiting.get(queue);
        waiting.is_some_and(|waiting| !waiting.is_empty())
    };
    let queues = queues.iter().copied().filter(has_callers);
    queues
        .filter(|queue| {
            let away = leave_rule(state, *queue).unwrap_or_default();
            state.staff.is_away(*queue, away)
        })
        .collect()
}

/// Why the queue takes nobody at that moment, if so.
pub(super) fn barred(state: &State, queue: QueueId, at: Timestamp) -> Option<RejectReason> {
    let (_, config) = state.queues.get(&queue)?;
    if !config.is_open(at) {
        return Some(RejectReason::Closed);
    }
    let away = config.empty.join.as_deref()?;
    let is_empty = state.staff.is_away(queue, away);
    is_empty.then_some(RejectReason::Empty)
}
