//! From "the call is enqueued" to "the visit is open", and to its end when the
//! queue's own limits are reached.

mod carried;
mod expiry;
mod pace;
mod stays;
mod telling;
mod way_out;

use super::{
    Input, Intent, Process,
    deadlines::{Deadlines, Take},
    places::Places,
    staff::Staff,
};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    call::{self, AnswerMode, OverflowCause},
    cause::{By, EndReason},
    decider::Refusal,
    id::{CallId, QueueId, VisitId},
    line::{self, RejectReason, VisitPolicy},
    mailbox, person, queue,
    time::Timestamp,
};
use carried::Carried;
use expiry::{Expiry, expired, outlived};
use pace::Pace;
use serde::{Deserialize, Serialize};
use stays::{Leaving, Opening, Stay, end_of_stay, leave, let_go, open_visit, pass};
use std::collections::{BTreeMap, BTreeSet};
use telling::Telling;
use uuid::Uuid;
use way_out::{
    barred, deserted, empty_ones, has_somebody, nobody_there, ruled, send_on, take_exit, turned_out,
};

/// Opens, limits and closes visits.
#[derive(Debug)]
pub struct Enqueue;

/// The end of a call's patience in its queue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Due {
    visit: VisitId,
    queue: QueueId,
}

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    queues: BTreeMap<QueueId, (u32, queue::Config)>,
    /// Those that were taken away.
    #[serde(default)]
    gone: BTreeSet<QueueId>,
    /// What people have said of their doors.
    hands: BTreeMap<QueueId, queue::Hand>,
    /// When each waiting call has waited long enough.
    due: Deadlines<CallId>,
    due_of: BTreeMap<CallId, Due>,
    /// Stays that have been asked for and that their line has not answered yet.
    opening: BTreeMap<VisitId, Opening>,
    staff: Staff,
    /// Open visits of each queue, for when its last agent goes.
    waiting: BTreeMap<QueueId, BTreeMap<VisitId, CallId>>,
    /// Those that were to leave with the last agent, but for a phone that was to
    /// ring for them.
    spared: BTreeMap<QueueId, BTreeSet<VisitId>>,
    /// Calls that were to leave before their visit was opened.
    turned_away: BTreeMap<CallId, Stay>,
    /// Calls that were sent on and whose old line has not let them go yet. The
    /// two lines are written apart: without this a call could stand in both.
    leaving: BTreeMap<CallId, Leaving>,
    places: Places,
    /// What each call takes along when it goes into another queue.
    carried: BTreeMap<CallId, Carried>,
    /// Calls that we placed, and since when the person waits: they have no caller
    /// who could be sent elsewhere, and wait as long as their callback stands.
    placed: BTreeMap<CallId, Timestamp>,
    /// When each open stay is too old.
    expiry: Expiry,
    /// How fast callers are served, where a queue asks for it.
    pace: Pace,
    /// When callers are told their places, where a queue does.
    telling: Telling,
}

impl Process for Enqueue {
    const NAME: &'static str = "enqueue";
    const VERSION: u32 = 20;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => on_event(state, fact),
            Input::Deadline(now) => {
                let mut intents = timed_out(state, *now, Deadlines::take);
                intents.extend(expired(state, *now, Deadlines::take));
                intents.extend(telling::tell(state, *now));
                intents
            }
            Input::Refused {
                command_id,
                command,
                code,
                at,
                ..
            } => refused(state, command_id.0, (command, code), *at),
            Input::Sweep(now) => {
                let mut intents = timed_out(state, *now, Deadlines::take_ahead);
                intents.extend(expired(state, *now, Deadlines::take_ahead));
                intents
            }
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        let patience = state.due.next();
        let others = [state.expiry.next(), state.telling.next()];
        patience
            .into_iter()
            .chain(others.into_iter().flatten())
            .min()
    }
}

/// The call has been where it was to go, its caller can not be rung back, or the mailbox
/// is full: it goes on as if there were no such rule. In all other cases it has ended or is
/// connected, or the visit is closed: the events that say so are on their way.
fn refused(
    state: &mut State,
    cause: Uuid,
    (command, code): (&AnyCommand, &str),
    at: Timestamp,
) -> Vec<Intent> {
    let (call, visit, case) = match command {
        AnyCommand::Call(
            _,
            call::Command::EndCall {
                reason: EndReason::VisitExpired,
                visit: Some(visit),
                ..
            },
        ) => return outlived(state, cause, *visit, at).into_iter().collect(),
        AnyCommand::Call(
            call,
            call::Command::OverflowCall {
                visit, cause: case, ..
            },
        ) if code == call::Error::OverflowLoop.code() || code == call::Error::NoNumber.code() => {
            (*call, *visit, *case)
        }
        AnyCommand::Mailbox(
            _,
            mailbox::Command::ExpectMessage {
                call,
                visit,
                cause: case,
                ..
            },
        ) => (*call, *visit, *case),
        AnyCommand::Call(..)
        | AnyCommand::Line(..)
        | AnyCommand::Session(..)
        | AnyCommand::Queue(..)
        | AnyCommand::Person(..)
        | AnyCommand::Refusals(..)
        | AnyCommand::Schedule(..)
        | AnyCommand::Agent(..)
        | AnyCommand::Device(..)
        | AnyCommand::Trunk(..)
        | AnyCommand::Callback(..)
        | AnyCommand::Mailbox(..)
        | AnyCommand::Billing(..) => return vec![],
    };
    match case {
        OverflowCause::Full => vec![end(cause, call, visit, EndReason::QueueFull)],
        OverflowCause::Closed => vec![end(cause, call, visit, EndReason::QueueClosed)],
        OverflowCause::MaxWait => vec![end(cause, call, visit, EndReason::MaxWait)],
        // It waits on, and is offered again.
        OverflowCause::Attempts | OverflowCause::ExitKey | OverflowCause::Supervisor => {
            vec![]
        }
        OverflowCause::Unstaffed | OverflowCause::ExpectedWait => {
            match state.turned_away.remove(&call) {
                // It waits for somebody to come.
                Some(stay) => open_visit(state, call, stay),
                // Where nobody waits for that, it ends; else it waits on.
                None => nobody_there(state, cause, call, visit),
            }
        }
    }
}

fn on_event(state: &mut State, fact: &Fact) -> Vec<Intent> {
    state.hears_pace(fact);
    match &fact.event {
        AnyEvent::Queue(queue, event) => {
            on_queue(state, *queue, event);
            on_staff(state, fact)
        }
        AnyEvent::Call(call, event) => on_call(state, fact, *call, event),
        AnyEvent::Line(queue, event) => on_line(state, fact, *queue, event),
        AnyEvent::Session(..) | AnyEvent::Agent(..) => on_staff(state, fact),
        AnyEvent::Person(person, person::Event::Erased { .. }) => {
            state.places.forget(*person);
            vec![]
        }
        AnyEvent::Device(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => vec![],
    }
}

fn on_queue(state: &mut State, queue: QueueId, event: &queue::Event) {
    if let Some((version, config)) = event.configured() {
        state.queues.insert(queue, (version, config.clone()));
        state.gone.remove(&queue);
        let mut configs = state.queues.values().map(|(_, config)| config);
        let keeps = configs.any(|config| config.resume_abandoned_ms > 0);
        state.places.keep(keeps);
        state.ranks_all(queue);
    }
    if let queue::Event::Deleted { .. } = event {
        // Who waits in it is still served by its rules; who comes now comes too late.
        state.gone.insert(queue);
    }
    match event.hand() {
        Some(Some(hand)) => _ = state.hands.insert(queue, hand),
        Some(None) => _ = state.hands.remove(&queue),
        None => {}
    }
}

/// An agent comes, goes, or does something else: callers of queues in which
/// nobody is to wait for nobody may have to leave.
fn on_staff(state: &mut State, fact: &Fact) -> Vec<Intent> {
    let queues = ruled(state, state.staff.queues_of(&fact.event));
    let before = empty_ones(state, &queues);
    state.staff.hear(fact);
    let after = empty_ones(state, &queues);
    let mut intents = vec![];
    for queue in queues {
        let leave = match (before.contains(&queue), after.contains(&queue)) {
            (_, false) => {
                state.spared.remove(&queue);
                continue;
            }
            (false, true) => state.waiting.get(&queue).cloned().unwrap_or_default(),
            // No phone is to ring for them any more, and still nobody is there.
            (true, true) => state.spared_of(queue),
        };
        intents.extend(deserted(state, fact, queue, leave));
    }
    intents
}

/// The place of a caller who has left by itself is kept for a while.
fn drop_or_end(state: &mut State, fact: &Fact, call: CallId, by: By) {
    let queues = &state.queues;
    if by == By::Caller {
        state.places.drops(call, fact.at, |queue| {
            let config = queues.get(&queue).map(|(_, config)| config);
            config.map_or(0, |config| config.resume_abandoned_ms)
        });
    }
    state.places.is_over(call);
}

/// The call is to wait: its line is asked, unless it is sent on at once.
fn joined(state: &mut State, fact: &Fact, call: CallId, place: (VisitId, QueueId)) -> Vec<Intent> {
    let (cause, (visit, queue)) = (fact.event_id.0, place);
    let stay = Stay {
        visit,
        queue,
        since: fact.at,
        enqueued_at: match state.placed.get(&call) {
            Some(place) => *place,
            None => state.joins(call, queue, fact.at),
        },
        cause,
        found_somebody: has_somebody(state, queue),
        is_sent: state.was_sent(call),
    };
    // A queue that takes nobody says so itself, and its line writes it.
    if !stay.is_sent
        && barred(state, queue, fact.at).is_none()
        && let Some(case) = would_wait_in_vain(state, call, &stay)
        && let Some(intent) = send_on(state, fact.at, cause, call, place, case)
    {
        state.turned_away.insert(call, stay);
        return vec![intent];
    }
    open_visit(state, call, stay)
}

/// Nobody is there for the call that comes, or too many are before it.
fn would_wait_in_vain(state: &State, call: CallId, stay: &Stay) -> Option<OverflowCause> {
    if state.staff.is_away(stay.queue, &[]) {
        return Some(OverflowCause::Unstaffed);
    }
    let (_, config) = state.queues.get(&stay.queue)?;
    let most = Some(config.expected_wait_max_ms).filter(|most| *most > 0)?;
    let expected = state.expected_wait_ms(call, stay)?;
    (expected > most).then_some(OverflowCause::ExpectedWait)
}

fn on_call(state: &mut State, fact: &Fact, call: CallId, event: &call::Event) -> Vec<Intent> {
    match event {
        call::Event::Enqueued { visit, queue, .. } => joined(state, fact, call, (*visit, *queue)),
        call::Event::Received { withheld: true, .. } => vec![],
        call::Event::Received { from, .. } => {
            state.places.rang_in(call, from.subject);
            vec![]
        }
        call::Event::Placed { place, .. } => {
            state.placed.insert(call, *place);
            vec![]
        }
        call::Event::AgentConnected { visit, .. } => answered(state, call, *visit),
        call::Event::ExitKeyPressed { visit, queue, key } => {
            let exit = take_exit(state, fact, call, (*visit, *queue), *key);
            exit.into_iter().collect()
        }
        call::Event::Overflowed {
            visit,
            queue,
            cause: case,
            mailbox,
            ..
        } => {
            state.places.leaves(call);
            state.is_sent_on(call, *case);
            forget(state, call);
            let result = stays::left_by(*case, *mailbox);
            leave(state, fact, call, (*visit, *queue), result)
        }
        call::Event::Transferred { visit, queue, .. } => {
            stays::served(state, call, (*visit, *queue))
        }
        call::Event::Ended { cause: end, .. } => {
            drop_or_end(state, fact, call, end.by);
            state.placed.remove(&call);
            ended(state, fact, call)
        }
        call::Event::Routed { .. }
        | call::Event::AnnouncementStarted { .. }
        | call::Event::PlaceTold { .. }
        | call::Event::VoicemailStarted { .. }
        | call::Event::VoicemailEnded { .. }
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
        | call::Event::AnswerOrdered { .. }
        | call::Event::AnswerOrderRefused { .. }
        | call::Event::Withdrawn { .. }
        | call::Event::CallbackRequested { .. }
        | call::Event::Diverted { .. }
        | call::Event::MediaMeasured { .. }
        | call::Event::SupervisionRequested { .. }
        | call::Event::SupervisionStarted { .. }
        | call::Event::SupervisionModeChanged { .. }
        | call::Event::TakenOver { .. }
        | call::Event::SupervisionEnded { .. }
        | call::Event::Tagged { .. }
        | call::Event::LateFact { .. } => vec![],
    }
}

/// An agent has the call: it waits for nothing any more.
fn answered(state: &mut State, call: CallId, visit: VisitId) -> Vec<Intent> {
    state.places.leaves(call);
    forget(state, call);
    let spared = state.spared.values_mut();
    spared.for_each(|spared| _ = spared.remove(&visit));
    vec![]
}

/// The call is over: so is its stay, wherever that is.
fn ended(state: &mut State, fact: &Fact, call: CallId) -> Vec<Intent> {
    forget(state, call);
    let turned_away = state.turned_away.remove(&call);
    let Some((visit, queue, close)) = end_of_stay(fact) else {
        state.is_gone(call);
        return vec![];
    };
    if let Some(stay) = turned_away {
        let came_and_went = pass(state, call, stay, close);
        state.is_gone(call);
        return came_and_went;
    }
    if let Some(leaving) = state.leaving.get_mut(&call) {
        // Its next stay is opened and closed when the old one is over.
        leaving.end = Some(close);
        return vec![];
    }
    state.carried.remove(&call);
    if let Some(opening) = state.opening.get_mut(&visit) {
        opening.close = Some(close.clone());
    }
    vec![Intent::new(fact.event_id.0, AnyCommand::Line(queue, close))]
}

fn on_line(state: &mut State, fact: &Fact, queue: QueueId, event: &line::Event) -> Vec<Intent> {
    match event {
        line::Event::Opened {
            visit,
            call,
            enqueued_at,
            joined_at,
            policy,
            ..
        } => {
            let since = joined_at.unwrap_or(*enqueued_at);
            match state.opening.get(visit) {
                Some(opening) if opening.passes => state.comes_from(*call, *visit),
                Some(_) | None => state.stands_in(*call, *visit, *enqueued_at),
            }
            state.was_asked(*call, *visit);
            opened(state, fact, *call, (*visit, queue), (since, policy))
        }
        line::Event::Rejected {
            visit,
            call,
            reason,
        } => rejected(state, fact, *call, (*visit, queue), *reason),
        line::Event::Closed { visit, call, .. } => {
            state.waits_no_more(queue, *visit);
            state.expiry.closes(*visit);
            state.telling.closes(*visit);
            // It may wait in another queue by now.
            if state
                .due_of
                .get(call)
                .is_some_and(|due| due.visit == *visit)
            {
                forget(state, *call);
            }
            let_go(state, *call, *visit)
        }
        line::Event::Returned {
            visit,
            call,
            attempt,
            still_ringing: false,
            ..
        } => offered_enough(state, fact, *call, (*visit, queue), *attempt),
        line::Event::PriorityChanged { call, priority, .. } => {
            state.prefers(*call, *priority);
            vec![]
        }
        line::Event::Matched { .. }
        | line::Event::Returned { .. }
        | line::Event::Assigned { .. } => vec![],
    }
}

/// The line has let the call in.
fn opened(
    state: &mut State,
    fact: &Fact,
    call: CallId,
    (visit, queue): (VisitId, QueueId),
    (since, policy): (Timestamp, &VisitPolicy),
) -> Vec<Intent> {
    let cause = fact.event_id.0;
    let opening = state.opening.remove(&visit);
    let ttl_ms = state.queues.get(&queue);
    let ttl_ms = ttl_ms.map_or(0, |(_, config)| config.ttl_ms(policy.max_wait_ms));
    let stay = (visit, queue, call);
    state.expiry.opens(stay, (fact.at, since), ttl_ms);
    let found_somebody = opening.as_ref().is_some_and(|it| it.found_somebody);
    if let Some(close) = opening.and_then(|opening| opening.close) {
        // A store that was away for a moment let the end overtake.
        return vec![Intent::new(cause, AnyCommand::Line(queue, close))];
    }
    state.places.opened(call, queue);
    state.waiting.entry(queue).or_default().insert(visit, call);
    if policy.max_wait_ms > 0 {
        let until = since.plus_ms(policy.max_wait_ms);
        state.due.plan(call, fact.at, until);
        state.due_of.insert(call, Due { visit, queue });
    }
    state.is_to_be_told(call, (visit, queue), fact.at, policy);
    let mut intents = vec![];
    match policy.answer_mode {
        AnswerMode::Immediate => {
            let answer = call::Command::AnswerCall;
            intents.push(Intent::new(cause, AnyCommand::Call(call, answer)));
        }
        AnswerMode::OnAgent => {}
    }
    // The last agent has gone meanwhile: nothing will say so again.
    if found_somebody && !has_somebody(state, queue) {
        intents.extend(turned_out(state, fact, call, (visit, queue)));
    }
    intents
}

/// The line has not let the call in.
fn rejected(
    state: &mut State,
    fact: &Fact,
    call: CallId,
    (visit, queue): (VisitId, QueueId),
    reason: RejectReason,
) -> Vec<Intent> {
    state.was_asked(call, visit);
    state.opening.remove(&visit);
    if state.is_leaving(call, visit) {
        return let_go(state, call, visit);
    }
    state.places.leaves(call);
    let (case, otherwise) = match reason {
        RejectReason::Full => (OverflowCause::Full, EndReason::QueueFull),
        RejectReason::Closed => (OverflowCause::Closed, EndReason::QueueClosed),
        RejectReason::Empty => (OverflowCause::Unstaffed, EndReason::NobodyThere),
    };
    let cause = fact.event_id.0;
    let sent_on = send_on(state, fact.at, cause, call, (visit, queue), case);
    vec![sent_on.unwrap_or_else(|| end(cause, call, visit, otherwise))]
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

fn timed_out(state: &mut State, now: Timestamp, take: Take<CallId>) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((_, call)) = take(&mut state.due, now) {
        let Some(Due { visit, queue }) = state.due_of.remove(&call) else {
            continue;
        };
        state.expiry.put_off(visit, now);
        let case = OverflowCause::MaxWait;
        let sent_on = send_on(state, now, visit.0, call, (visit, queue), case);
        intents.push(sent_on.unwrap_or_else(|| end(visit.0, call, visit, EndReason::MaxWait)));
    }
    intents
}

fn forget(state: &mut State, call: CallId) {
    state.due_of.remove(&call);
    state.due.forget(call);
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
