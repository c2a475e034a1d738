//! Where a call goes that its queue does not serve, and when that is so.

use super::{
    super::{Intent, derived, derived_from},
    State, end,
};
use crate::{
    any::{AnyCommand, Fact},
    call::{self, Destination, OverflowCause},
    cause::EndReason,
    id::{CallId, CallbackId, LegId, QueueId, VisitId, VoicemailId},
    line::RejectReason,
    mailbox,
    queue::{self, Away},
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};
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
    if state.placed.contains_key(&call) {
        return None;
    }
    let (_, config) = state.queues.get(&queue)?;
    let way = Way {
        cause,
        call,
        visit,
        case,
    };
    way.to(state, at, config.overflow(case)?)
}

/// A call that leaves a stay.
#[derive(Debug, Clone, Copy)]
struct Way {
    cause: Uuid,
    call: CallId,
    visit: VisitId,
    case: OverflowCause,
}

impl Way {
    /// To that place. A mailbox is asked for room first; the call goes there when it
    /// has kept some.
    fn to(self, state: &State, at: Timestamp, to: &queue::OverflowTo) -> Option<Intent> {
        let Self {
            cause,
            call,
            visit,
            case,
        } = self;
        if let queue::OverflowTo::Mailbox(mailbox) = to {
            // Asked again, by a key and by the time, a stay keeps one place there.
            let command = mailbox::Command::ExpectMessage {
                message: VoicemailId(derived_from(visit.0, &format!("voicemail/{mailbox}"))),
                call,
                visit,
                cause: case,
            };
            // One fact may send many callers to one mailbox.
            let cause = derived_from(cause, &visit.to_string());
            return Some(Intent::new(cause, AnyCommand::Mailbox(*mailbox, command)));
        }
        let to = destination(state, at, visit, to)?;
        Some(leave_for(cause, call, visit, case, to))
    }
}

const fn leave_for(
    cause: Uuid,
    call: CallId,
    visit: VisitId,
    case: OverflowCause,
    to: Destination,
) -> Intent {
    let command = call::Command::OverflowCall {
        visit,
        cause: case,
        to,
    };
    Intent::new(cause, AnyCommand::Call(call, command))
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
        queue::OverflowTo::Callback => {
            let callback = derived(at, visit.0, "callback");
            Some(Destination::Callback(CallbackId(callback)))
        }
        queue::OverflowTo::Announcement(name) => Some(Destination::Announcement(name.clone())),
        // It is asked, not gone to.
        queue::OverflowTo::Mailbox(_) => None,
        queue::OverflowTo::Queue(next) if state.gone.contains(next) => None,
        queue::OverflowTo::Queue(next) => state.queues.get(next).map(|(version, config)| {
            let visit = VisitId(derived(at, visit.0, "overflow"));
            Destination::Queue {
                queue: *next,
                config_version: *version,
                answer_mode: config.answer_mode,
                visit,
                exit_keys: config.exit_keys(),
                music: config.music.clone(),
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
    let way = Way {
        cause: fact.event_id.0,
        call,
        visit,
        case: OverflowCause::ExitKey,
    };
    way.to(state, fact.at, config.exit(key)?)
}

/// Nobody is there for the queue any more: who waits is sent on or away, where
/// the queue says so. Whoever is being offered to an agent is not, for now.
pub(super) fn deserted(
    state: &mut State,
    fact: &Fact,
    queue: QueueId,
    mut waiting: BTreeMap<VisitId, CallId>,
) -> Vec<Intent> {
    let asked_for = state.staff.asked_for();
    let spared: BTreeSet<VisitId> = waiting
        .keys()
        .filter(|visit| asked_for.contains(visit))
        .copied()
        .collect();
    waiting.retain(|visit, _| !spared.contains(visit));
    state.spared.insert(queue, spared);
    let leave = waiting.into_iter();
    leave
        .filter_map(|(visit, call)| turned_out(state, fact, call, (visit, queue)))
        .collect()
}

/// The call waits in a queue in which nobody is there.
pub(super) fn turned_out(
    state: &State,
    fact: &Fact,
    call: CallId,
    (visit, queue): (VisitId, QueueId),
) -> Option<Intent> {
    let (cause, case) = (fact.event_id.0, OverflowCause::Unstaffed);
    let sent_on = send_on(state, fact.at, cause, call, (visit, queue), case);
    let ends = leave_rule(state, queue).is_some() && !state.placed.contains_key(&call);
    sent_on.or_else(|| ends.then(|| end(cause, call, visit, EndReason::NobodyThere)))
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

/// Those of the queues in which nobody waits for nobody.
pub(super) fn ruled(state: &State, queues: BTreeSet<QueueId>) -> BTreeSet<QueueId> {
    let queues = queues.into_iter();
    queues.filter(|queue| has_rule(state, *queue)).collect()
}

fn has_rule(state: &State, queue: QueueId) -> bool {
    let rules = state.queues.get(&queue);
    rules.is_some_and(|(_, config)| {
        config.empty.leave.is_some() || config.overflow(OverflowCause::Unstaffed).is_some()
    })
}

/// The queues with callers for which nobody is there.
pub(super) fn empty_ones(state: &State, queues: &BTreeSet<QueueId>) -> BTreeSet<QueueId> {
    let has_callers = |queue: &QueueId| {
        let waiting = state.waiting.get(queue);
        waiting.is_some_and(|waiting| !waiting.is_empty())
    };
    let queues = queues.iter().copied().filter(has_callers);
    queues
        .filter(|queue| !has_somebody(state, *queue))
        .collect()
}

/// Somebody is there for those who wait, of a queue in which that counts.
pub(super) fn has_somebody(state: &State, queue: QueueId) -> bool {
    let away = leave_rule(state, queue).unwrap_or_default();
    has_rule(state, queue) && !state.staff.is_away(queue, away)
}

/// Why the queue takes nobody at that moment, if so.
pub(super) fn barred(state: &State, queue: QueueId, at: Timestamp) -> Option<RejectReason> {
    let (_, config) = state.queues.get(&queue)?;
    if !config.is_open(state.hands.get(&queue).copied(), at) {
        return Some(RejectReason::Closed);
    }
    let away = config.empty.join.as_deref()?;
    let is_empty = state.staff.is_away(queue, away);
    is_empty.then_some(RejectReason::Empty)
}
