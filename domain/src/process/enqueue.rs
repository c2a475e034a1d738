//! From "the call is enqueued" to "the visit is open", and to its end when the
//! queue's own limits are reached.

mod way_out;

use super::{Input, Intent, Process, ring_back::RingBacks, staff::Staff};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    call::{self, AnswerMode, OverflowCause},
    cause::{By, EndReason},
    decider::Refusal,
    id::{CallId, QueueId, VisitId},
    line::{self, RejectReason, VisitPolicy, VisitResult},
    person, queue,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use way_out::{barred, deserted, empty_ones, nobody_there, send_on, take_exit};

/// Opens, limits and closes visits.
#[derive(Debug)]
pub struct Enqueue;

/// The end of a call's patience in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Due {
    at: Timestamp,
    visit: VisitId,
    queue: QueueId,
}

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    queues: BTreeMap<QueueId, (u32, queue::Config)>,
    /// When each waiting call has waited long enough.
    due: BTreeSet<(Timestamp, CallId)>,
    due_of: BTreeMap<CallId, Due>,
    /// Calls whose visit has been asked for and has not opened yet; with the
    /// end of the visit, if the call has ended before that.
    opening: BTreeMap<CallId, Option<line::Command>>,
    staff: Staff,
    /// Open visits of each queue, for when its last agent goes.
    waiting: BTreeMap<QueueId, BTreeMap<VisitId, CallId>>,
    /// Calls that were to leave before their visit was opened.
    turned_away: BTreeMap<CallId, Stay>,
    /// Calls that were sent on and whose old line has not let them go yet. The
    /// two lines are written apart: without this a call could stand in both.
    #[serde(default)]
    leaving: BTreeMap<CallId, Leaving>,
    ring_backs: RingBacks,
}

/// A call between two lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Leaving {
    /// The stay that has to be closed first.
    visit: VisitId,
    /// The stay that is opened then, unless it was sent to a number.
    next: Option<Stay>,
    /// The end of the next stay, if the call has ended meanwhile.
    end: Option<line::Command>,
}

/// A call's stay in a queue, not yet opened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Stay {
    visit: VisitId,
    queue: QueueId,
    since: Timestamp,
    /// The place, which may be one from a call before.
    enqueued_at: Timestamp,
}

impl Process for Enqueue {
    const NAME: &'static str = "enqueue";
    const VERSION: u32 = 6;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => on_event(state, fact),
            Input::Deadline(now) => timed_out(state, *now),
            Input::Refused {
                command_id,
                command,
                code,
                ..
            } => refused(state, command_id.0, command, code),
            Input::Sweep(_) => vec![],
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.due.first().map(|(due, _)| *due)
    }
}

/// The call has been where it was to go: it goes on as if there were no such
/// rule. In all other cases it has ended or is connected, or the visit is closed: the
/// events that say so are on their way.
fn refused(state: &mut State, cause: Uuid, command: &AnyCommand, code: &str) -> Vec<Intent> {
    match command {
        AnyCommand::Call(
            call,
            call::Command::OverflowCall {
                visit, cause: case, ..
            },
        ) if code == call::Error::OverflowLoop.code() => {
            match case {
                OverflowCause::Full => vec![end(cause, *call, *visit, EndReason::QueueFull)],
                OverflowCause::Closed => vec![end(cause, *call, *visit, EndReason::QueueClosed)],
                OverflowCause::MaxWait => vec![end(cause, *call, *visit, EndReason::MaxWait)],
                // It waits on, and is offered again.
                OverflowCause::Attempts | OverflowCause::ExitKey => vec![],
                OverflowCause::Unstaffed => match state.turned_away.remove(call) {
                    // It waits for somebody to come.
                    Some(stay) => open_visit(state, cause, *call, stay),
                    // Where nobody waits for that, it ends; else it waits on.
                    None => nobody_there(state, cause, *call, *visit),
                },
            }
        }
        AnyCommand::Call(..)
        | AnyCommand::Line(..)
        | AnyCommand::Session(..)
        | AnyCommand::Queue(..)
        | AnyCommand::Person(..)
        | AnyCommand::Agent(..)
        | AnyCommand::Device(..)
        | AnyCommand::Trunk(..)
        | AnyCommand::Billing(..) => vec![],
    }
}

fn on_event(state: &mut State, fact: &Fact) -> Vec<Intent> {
    match &fact.event {
        AnyEvent::Queue(queue, event) => {
            let (version, config) = match event {
                queue::Event::Created { config, .. } => (1, config),
                queue::Event::Configured {
                    config_version,
                    config,
                } => (*config_version, config),
            };
            state.queues.insert(*queue, (version, config.clone()));
            vec![]
        }
        AnyEvent::Call(call, event) => on_call(state, fact, *call, event),
        AnyEvent::Line(queue, event) => on_line(state, fact, *queue, event),
        AnyEvent::Session(..) | AnyEvent::Agent(..) => {
            // An agent who is told to serve another queue leaves these.
            let queues = state.staff.queues_of(&fact.event);
            let before = empty_ones(state, &queues);
            state.staff.hear(fact);
            let after = empty_ones(state, &queues);
            let emptied = after.difference(&before);
            emptied
                .flat_map(|queue| deserted(state, fact, *queue))
                .collect()
        }
        AnyEvent::Person(person, person::Event::Erased { .. }) => {
            state.ring_backs.forget(*person);
            vec![]
        }
        AnyEvent::Device(..) | AnyEvent::Trunk(..) | AnyEvent::Billing(..) => vec![],
    }
}

/// The place of a caller who has left by itself is kept for a while.
fn drop_or_end(state: &mut State, fact: &Fact, call: CallId, by: By) {
    let queues = &state.queues;
    if by == By::Caller {
        state.ring_backs.drops(call, fact.at, |queue| {
            let config = queues.get(&queue).map(|(_, config)| config);
            config.map_or(0, |config| config.ring_back_ms)
        });
    }
    state.ring_backs.is_over(call);
}

/// Asks the line to let a call in, once no other line has it any more.
fn open_visit(state: &mut State, cause: Uuid, call: CallId, stay: Stay) -> Vec<Intent> {
    if let Some(leaving) = state.leaving.get_mut(&call) {
        leaving.next = Some(stay);
        return vec![];
    }
    let Some((version, config)) = state.queues.get(&stay.queue) else {
        // The directory knew a queue whose events are not there.
        return vec![end(cause, call, stay.visit, EndReason::UnknownAddress)];
    };
    let barred = barred(state, stay.queue, stay.since);
    let command = open(call, &stay, *version, config, barred);
    state.opening.insert(call, None);
    vec![Intent::new(cause, AnyCommand::Line(stay.queue, command))]
}

/// The call is to wait: its line is asked, unless it is sent on at once.
fn joined(state: &mut State, fact: &Fact, call: CallId, place: (VisitId, QueueId)) -> Vec<Intent> {
    let (cause, (visit, queue)) = (fact.event_id.0, place);
    let stay = Stay {
        visit,
        queue,
        since: fact.at,
        enqueued_at: state.ring_backs.joins(call, queue, fact.at),
    };
    // A queue that takes nobody says so itself, and its line writes it.
    if barred(state, queue, fact.at).is_none() && state.staff.is_away(queue, &[]) {
        let case = OverflowCause::Unstaffed;
        if let Some(intent) = send_on(state, fact.at, cause, call, place, case) {
            state.turned_away.insert(call, stay);
            return vec![intent];
        }
    }
    open_visit(state, cause, call, stay)
}

fn on_call(state: &mut State, fact: &Fact, call: CallId, event: &call::Event) -> Vec<Intent> {
    let cause = fact.event_id.0;
    match event {
        call::Event::Enqueued { visit, queue, .. } => joined(state, fact, call, (*visit, *queue)),
        call::Event::Received { withheld: true, .. } => vec![],
        call::Event::Received { from, .. } => {
            state.ring_backs.rang_in(call, from.subject);
            vec![]
        }
        call::Event::AgentConnected { .. } => {
            state.ring_backs.leaves(call);
            forget(state, call);
            vec![]
        }
        call::Event::ExitKeyPressed { visit, queue, key } => {
            let exit = take_exit(state, fact, call, (*visit, *queue), *key);
            exit.into_iter().collect()
        }
        call::Event::Overflowed {
            visit,
            queue,
            cause: case,
        } => {
            state.ring_backs.leaves(call);
            forget(state, call);
            if state.turned_away.remove(&call).is_some() {
                // It was never in that line.
                return vec![];
            }
            let (visit, queue) = (*visit, *queue);
            leave(state, call, (visit, queue));
            let close = line::Command::CloseVisit {
                visit,
                result: left_by(*case),
                closed_at: fact.at,
            };
            vec![Intent::new(cause, AnyCommand::Line(queue, close))]
        }
        call::Event::Ended { cause: end, .. } => {
            drop_or_end(state, fact, call, end.by);
            ended(state, fact, call)
        }
        call::Event::Routed { .. }
        | call::Event::Forwarded { .. }
        | call::Event::LegDialled { .. }
        | call::Event::TrunkSelected { .. }
        | call::Event::LegProgressed { .. }
        | call::Event::LegAnswered { .. }
        | call::Event::Answered {}
        | call::Event::OfferStarted { .. }
        | call::Event::LegAlerting { .. }
        | call::Event::OfferEnded { .. }
        | call::Event::Held { .. }
        | call::Event::Retrieved { .. }
        | call::Event::LateFact { .. } => vec![],
    }
}

/// The call is over: so is its stay, wherever that is.
fn ended(state: &mut State, fact: &Fact, call: CallId) -> Vec<Intent> {
    forget(state, call);
    state.turned_away.remove(&call);
    let Some((queue, close)) = close(fact) else {
        state.leaving.remove(&call);
        return vec![];
    };
    if let Some(leaving) = state.leaving.get_mut(&call) {
        // Its next stay is opened and closed when the old one is over.
        leaving.end = Some(close);
        return vec![];
    }
    if let Some(opening) = state.opening.get_mut(&call) {
        *opening = Some(close.clone());
    }
    vec![Intent::new(fact.event_id.0, AnyCommand::Line(queue, close))]
}

fn on_line(state: &mut State, fact: &Fact, queue: QueueId, event: &line::Event) -> Vec<Intent> {
    let cause = fact.event_id.0;
    match event {
        line::Event::Opened {
            visit,
            call,
            enqueued_at,
            joined_at,
            policy,
            ..
        } => {
            if let Some(Some(close)) = state.opening.remove(call) {
                // A store that was away for a moment let the end overtake.
                return vec![Intent::new(cause, AnyCommand::Line(queue, close))];
            }
            state
                .waiting
                .entry(queue)
                .or_default()
                .insert(*visit, *call);
            if policy.max_wait_ms > 0 {
                let since = joined_at.unwrap_or(*enqueued_at);
                let at = since.plus_ms(policy.max_wait_ms);
                let visit = *visit;
                remember(state, *call, Due { at, visit, queue });
            }
            match policy.answer_mode {
                AnswerMode::Immediate => {
                    let answer = call::Command::AnswerCall;
                    vec![Intent::new(cause, AnyCommand::Call(*call, answer))]
                }
                AnswerMode::OnAgent => vec![],
            }
        }
        line::Event::Rejected {
            visit,
            call,
            reason,
        } => {
            state.opening.remove(call);
            let (case, otherwise) = match reason {
                RejectReason::Full => (OverflowCause::Full, EndReason::QueueFull),
                RejectReason::Closed => (OverflowCause::Closed, EndReason::QueueClosed),
                RejectReason::Empty => (OverflowCause::Unstaffed, EndReason::NobodyThere),
            };
            let sent_on = send_on(state, fact.at, cause, *call, (*visit, queue), case);
            vec![sent_on.unwrap_or_else(|| end(cause, *call, *visit, otherwise))]
        }
        line::Event::Closed { visit, call, .. } => {
            if let Some(waiting) = state.waiting.get_mut(&queue) {
                waiting.remove(visit);
            }
            // It may wait in another queue by now.
            if state
                .due_of
                .get(call)
                .is_some_and(|due| due.visit == *visit)
            {
                forget(state, *call);
            }
            let_go(state, cause, *call, *visit)
        }
        line::Event::Returned {
            visit,
            call,
            attempt,
            still_ringing: false,
            ..
        } => offered_enough(state, fact, *call, (*visit, queue), *attempt),
        line::Event::Matched { .. }
        | line::Event::Returned { .. }
        | line::Event::PriorityChanged { .. } => vec![],
    }
}

/// The call is sent on from a stay that is open still: what happens to that queue
/// is not about the call any more.
fn leave(state: &mut State, call: CallId, (visit, queue): (VisitId, QueueId)) {
    let waiting = state.waiting.get_mut(&queue);
    if waiting.is_some_and(|waiting| waiting.remove(&visit).is_some()) {
        let leaving = Leaving {
            visit,
            next: None,
            end: None,
        };
        state.leaving.insert(call, leaving);
    }
}

/// The old line has let go of the call: the next one may have it.
fn let_go(state: &mut State, cause: Uuid, call: CallId, visit: VisitId) -> Vec<Intent> {
    let left = state.leaving.get(&call).map(|leaving| leaving.visit);
    if left != Some(visit) {
        return vec![];
    }
    let Some(Leaving { next, end, .. }) = state.leaving.remove(&call) else {
        return vec![];
    };
    let Some(stay) = next else {
        return vec![];
    };
    let opened = open_visit(state, cause, call, stay);
    if let Some(opening) = state.opening.get_mut(&call) {
        *opening = end;
    }
    opened
}

/// Offered in vain as often as the queue allows: sent on, where it says so.
fn offered_enough(
    state: &State,
    fact: &Fact,
    call: CallId,
    place: (VisitId, QueueId),
    attempt: u32,
) -> Vec<Intent> {
    let rules = state.queues.get(&place.1);
    let limit = rules.map_or(0, |(_, config)| config.matching.attempts_max);
    if limit == 0 || attempt < limit {
        return vec![];
    }
    let case = OverflowCause::Attempts;
    let sent_on = send_on(state, fact.at, fact.event_id.0, call, place, case);
    sent_on.into_iter().collect()
}

const fn open(
    call: CallId,
    stay: &Stay,
    config_version: u32,
    config: &queue::Config,
    barred: Option<RejectReason>,
) -> line::Command {
    line::Command::OpenVisit {
        visit: stay.visit,
        call,
        enqueued_at: stay.enqueued_at,
        joined_at: match stay.enqueued_at.micros() == stay.since.micros() {
            true => None,
            false => Some(stay.since),
        },
        capacity: config.capacity,
        policy: VisitPolicy {
            config_version,
            answer_mode: config.answer_mode,
            ring_timeout_ms: config.ring_timeout_ms,
            wrap_up_ms: config.wrap_up_ms,
            max_wait_ms: config.max_wait_ms,
        },
        barred,
    }
}

/// How a stay ended that the call has left for another place.
const fn left_by(case: OverflowCause) -> VisitResult {
    match case {
        OverflowCause::ExitKey => VisitResult::ExitKey,
        OverflowCause::Full
        | OverflowCause::MaxWait
        | OverflowCause::Unstaffed
        | OverflowCause::Attempts
        | OverflowCause::Closed => VisitResult::Overflow,
    }
}

/// An ended call leaves the line, unless an agent had it: that closed the visit.
fn close(fact: &Fact) -> Option<(QueueId, line::Command)> {
    let AnyEvent::Call(
        _,
        call::Event::Ended {
            cause,
            disposition,
            ended_at,
            visit,
            queue,
            ..
        },
    ) = &fact.event
    else {
        return None;
    };
    let (Some(visit), Some(queue)) = (visit, queue) else {
        return None;
    };
    if *disposition == crate::cause::Disposition::Answered {
        return None;
    }
    let result = match (cause.reason, cause.by) {
        (EndReason::MaxWait, _) => VisitResult::Timeout,
        (EndReason::Operator, _) => VisitResult::Withdrawn,
        (_, By::Caller) => VisitResult::Abandoned,
        (_, By::Agent | By::Outside | By::System | By::Supervisor) => VisitResult::System,
    };
    let command = line::Command::CloseVisit {
        visit: *visit,
        result,
        closed_at: *ended_at,
    };
    Some((*queue, command))
}

fn timed_out(state: &mut State, now: Timestamp) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((due, call)) = state.due.first().copied() {
        if due > now {
            break;
        }
        let Some(Due { visit, queue, .. }) = state.due_of.get(&call).copied() else {
            state.due.remove(&(due, call));
            continue;
        };
        forget(state, call);
        let case = OverflowCause::MaxWait;
        let sent_on = send_on(state, now, visit.0, call, (visit, queue), case);
        intents.push(sent_on.unwrap_or_else(|| end(visit.0, call, visit, EndReason::MaxWait)));
    }
    intents
}

fn remember(state: &mut State, call: CallId, due: Due) {
    forget(state, call);
    state.due.insert((due.at, call));
    state.due_of.insert(call, due);
}

fn forget(state: &mut State, call: CallId) {
    if let Some(due) = state.due_of.remove(&call) {
        state.due.remove(&(due.at, call));
    }
}

/// Ends the call because of that stay, if it is in it still.
const fn end(cause: Uuid, call: CallId, visit: VisitId, reason: EndReason) -> Intent {
    let command = call::Command::EndCall {
        reason,
        ended_at: None,
        visit: Some(visit),
    };
    Intent::new(cause, AnyCommand::Call(call, command))
}
