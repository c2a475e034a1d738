//! From "ring me back" to the call that does: each attempt is placed when it is
//! due, waits in the line at the place that the person had, and what came of it
//! decides whether there is another.

mod rules;

use super::{Input, Intent, Process, derived};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    call::{self, Event as C},
    callback::{self, Command, Event, Outcome, Request},
    cause::EndReason,
    decider::Refusal,
    id::{CallId, CallbackId, LegId, QueueId, VisitId},
    line, person, queue,
    sealed::{Party, Sealed},
    time::Timestamp,
};
use rules::{Rules, Shut};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Rings back.
#[derive(Debug)]
pub struct CallbackProcess;

/// After a refusal that time heals.
const AGAIN_MS: u64 = 1_000;

/// What it remembers: callbacks that are not over, and who stands where.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Version and rules of each queue.
    queues: BTreeMap<QueueId, (u32, Rules)>,
    /// Those that were taken away.
    gone: BTreeSet<QueueId>,
    /// Since when each call that is in queues counts: since it was enqueued first, or
    /// since what the last line that let it in has said.
    places: BTreeMap<CallId, Timestamp>,
    open: BTreeMap<CallbackId, Open>,
    /// When each is to be looked at.
    due: BTreeSet<(Timestamp, CallbackId)>,
    /// The callback that each placed call is for.
    calls: BTreeMap<CallId, CallbackId>,
}

/// A callback that is not over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Open {
    queue: QueueId,
    party: Sealed<Party>,
    place: Timestamp,
    wanted: Option<callback::Wanted>,
    expires_at: Timestamp,
    attempts_count: u32,
    live: Option<Live>,
    due: Option<Timestamp>,
    /// It waits for its queue to open.
    is_shut: bool,
}

/// An attempt that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Live {
    attempt: u32,
    call: CallId,
    /// The person's phone has rung.
    has_rung: bool,
    is_reached: bool,
}

impl Process for CallbackProcess {
    const NAME: &'static str = "callback";
    const VERSION: u32 = 7;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => on_event(state, fact),
            Input::Refused {
                command_id,
                command,
                code,
                at,
                ..
            } => refused(state, command_id.0, command, code, *at),
            Input::Deadline(now) => due(state, *now),
            Input::Sweep(_) => vec![],
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.due.first().map(|(due, _)| *due)
    }
}

/// An attempt that could not be made now is looked at again: a clock that is
/// behind, or the end of its time. A call that could not be placed has reached
/// nobody. Whatever else is refused is over or was done:
/// the event that says so is on its way.
fn refused(
    state: &mut State,
    cause: Uuid,
    command: &AnyCommand,
    code: &str,
    at: Timestamp,
) -> Vec<Intent> {
    match command {
        AnyCommand::Callback(callback, Command::StartAttempt { .. } | Command::Expire) => {
            // What was decided meanwhile has a time of its own.
            let waits = state
                .open
                .get(callback)
                .is_some_and(|open| open.live.is_none() && open.due.is_none());
            if waits {
                plan(state, *callback, at.plus_ms(AGAIN_MS));
            }
            vec![]
        }
        AnyCommand::Call(call, call::Command::PlaceCall(_)) => missed(state, cause, *call),
        AnyCommand::Call(call, call::Command::EndCall { .. })
            if code == call::Error::Unknown.code() =>
        {
            missed(state, cause, *call)
        }
        AnyCommand::Call(..)
        | AnyCommand::Callback(..)
        | AnyCommand::Mailbox(..)
        | AnyCommand::Line(..)
        | AnyCommand::Session(..)
        | AnyCommand::Queue(..)
        | AnyCommand::Person(..)
        | AnyCommand::Refusals(..)
        | AnyCommand::Schedule(..)
        | AnyCommand::Agent(..)
        | AnyCommand::Device(..)
        | AnyCommand::Trunk(..)
        | AnyCommand::Billing(..) => vec![],
    }
}

/// The call of the attempt is not there; told twice, it counts once.
fn missed(state: &mut State, cause: Uuid, call: CallId) -> Vec<Intent> {
    let live = live_of(state, call).map(|(callback, live)| (callback, live.attempt));
    let missed = live.map(|(callback, attempt)| {
        let outcome = Outcome::Missed {
            reason: EndReason::CallbackWithdrawn,
            is_counted: false,
        };
        record(cause, callback, attempt, outcome)
    });
    missed.into_iter().collect()
}

fn on_event(state: &mut State, fact: &Fact) -> Vec<Intent> {
    match &fact.event {
        AnyEvent::Queue(queue, event) => {
            rules::learn(&mut state.queues, *queue, event);
            if let queue::Event::Deleted { .. } = event {
                return is_gone(state, fact, *queue);
            }
            if event.configured().is_some() {
                state.gone.remove(queue);
            }
            // It may be open by now.
            let of = state.open.iter();
            let shut = of.filter(|(_, open)| open.queue == *queue && open.is_shut);
            let shut: Vec<_> = shut.map(|(callback, _)| *callback).collect();
            for callback in shut {
                plan(state, callback, fact.at);
            }
            vec![]
        }
        AnyEvent::Line(
            _,
            line::Event::Opened {
                call, enqueued_at, ..
            },
        ) => {
            // A call that is over keeps nothing.
            if let Some(place) = state.places.get_mut(call) {
                *place = *enqueued_at;
            }
            vec![]
        }
        AnyEvent::Call(call, event) => on_call(state, fact, *call, event),
        AnyEvent::Callback(callback, event) => on_callback(state, fact, *callback, event),
        AnyEvent::Person(person, person::Event::Erased { .. }) => {
            // Nobody knows any more who was to be rung.
            let of = state
                .open
                .iter()
                .filter(|(_, open)| open.party.subject == *person);
            let cancel = |callback: &CallbackId| {
                let by = "erasure".to_owned();
                intent(fact.event_id.0, *callback, Command::Cancel { by })
            };
            of.map(|(callback, _)| cancel(callback)).collect()
        }
        AnyEvent::Line(..)
        | AnyEvent::Session(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => vec![],
    }
}

/// Nobody rings back for a queue that is not there.
fn is_gone(state: &mut State, fact: &Fact, queue: QueueId) -> Vec<Intent> {
    state.gone.insert(queue);
    let of = state.open.iter().filter(|(_, open)| open.queue == queue);
    let cause = fact.event_id.0;
    of.map(|(callback, _)| no_queue(cause, *callback)).collect()
}

fn no_queue(cause: Uuid, callback: CallbackId) -> Intent {
    let by = "queue_deleted".to_owned();
    intent(cause, callback, Command::Cancel { by })
}

#[allow(
    clippy::too_many_lines,
    reason = "an arm for each event, and nothing else"
)]
fn on_call(state: &mut State, fact: &Fact, call: CallId, event: &C) -> Vec<Intent> {
    let cause = fact.event_id.0;
    match event {
        C::Enqueued { .. } => {
            state.places.entry(call).or_insert(fact.at);
            vec![]
        }
        C::CallbackRequested {
            callback,
            queue,
            party,
            ..
        } => {
            let request = promise(state, fact.at, call, (*queue, party));
            vec![intent(cause, *callback, Command::Request(request))]
        }
        C::LegProgressed { .. } => {
            if let Some((_, live)) = live_of(state, call) {
                live.has_rung = true;
            }
            vec![]
        }
        C::LegAnswered { .. } => match live_of(state, call) {
            Some((callback, live)) => {
                live.is_reached = true;
                vec![record(cause, callback, live.attempt, Outcome::Reached)]
            }
            None => vec![],
        },
        C::Ended { cause: end, .. } => {
            let ended = live_of(state, call).map(|(callback, live)| (callback, *live));
            state.calls.remove(&call);
            state.places.remove(&call);
            let missed = ended.filter(|(_, live)| !live.is_reached);
            let missed = missed.map(|(callback, live)| {
                let outcome = Outcome::Missed {
                    reason: end.reason,
                    is_counted: live.has_rung || says_of_the_person(end.reason),
                };
                record(cause, callback, live.attempt, outcome)
            });
            missed.into_iter().collect()
        }
        // Its agent may send it into another queue, where it has the same place.
        C::AgentConnected { .. }
        | C::Received { .. }
        | C::Placed { .. }
        | C::Routed { .. }
        | C::ExitKeyPressed { .. }
        | C::PlaceTold { .. }
        | C::Overflowed { .. }
        | C::AnnouncementStarted { .. }
        | C::VoicemailStarted { .. }
        | C::VoicemailEnded { .. }
        | C::Forwarded { .. }
        | C::LegDialled { .. }
        | C::TrunkSelected { .. }
        | C::Answered {}
        | C::OfferStarted { .. }
        | C::LegAlerting { .. }
        | C::OfferEnded { .. }
        | C::Held { .. }
        | C::Retrieved { .. }
        | C::Diverted { .. }
        | C::MediaMeasured { .. }
        | C::SupervisionRequested { .. }
        | C::SupervisionStarted { .. }
        | C::SupervisionModeChanged { .. }
        | C::TakenOver { .. }
        | C::AnswerOrdered { .. }
        | C::AnswerOrderRefused { .. }
        | C::Withdrawn { .. }
        | C::Transferred { .. }
        | C::SupervisionEnded { .. }
        | C::Tagged { .. }
        | C::LateFact { .. } => vec![],
    }
}

/// What is promised to a caller who goes home.
fn promise(
    state: &State,
    at: Timestamp,
    call: CallId,
    (queue, party): (QueueId, &Sealed<Party>),
) -> Request {
    let terms = state.queues.get(&queue).map(|(_, rules)| rules.terms);
    Request {
        queue,
        party: party.clone(),
        // Whatever lines it has stood in or was turned away from: it has waited since it
        // came into the first.
        place: state.places.get(&call).copied().unwrap_or(at),
        call: Some(call),
        terms: terms.unwrap_or_default(),
        not_before: None,
        wanted: None,
    }
}

/// Whether the end tells of the person: of our own trunks and nodes it does not.
fn says_of_the_person(reason: EndReason) -> bool {
    matches!(
        reason,
        EndReason::OutsideBusy | EndReason::OutsideNoAnswer | EndReason::OutsideRejected
    )
}

fn live_of(state: &mut State, call: CallId) -> Option<(CallbackId, &mut Live)> {
    let callback = *state.calls.get(&call)?;
    let live = state.open.get_mut(&callback)?.live.as_mut()?;
    (live.call == call).then_some((callback, live))
}

fn on_callback(state: &mut State, fact: &Fact, callback: CallbackId, event: &Event) -> Vec<Intent> {
    match event {
        Event::Requested {
            request,
            expires_at,
        } => {
            let open = Open {
                queue: request.queue,
                party: request.party.clone(),
                place: request.place,
                wanted: request.wanted,
                expires_at: *expires_at,
                attempts_count: 0,
                live: None,
                due: None,
                is_shut: false,
            };
            state.open.insert(callback, open);
            if state.gone.contains(&request.queue) {
                // It was promised in the very moment.
                return vec![no_queue(fact.event_id.0, callback)];
            }
            plan(state, callback, request.not_before.unwrap_or(fact.at));
            vec![]
        }
        Event::Rescheduled {
            not_before,
            expires_at,
            ..
        } => {
            if let Some(open) = state.open.get_mut(&callback) {
                open.expires_at = *expires_at;
                open.is_shut = false;
            }
            plan(state, callback, *not_before);
            vec![]
        }
        Event::AttemptStarted {
            attempt,
            call,
            visit,
            leg,
        } => {
            let live = Live {
                attempt: *attempt,
                call: *call,
                has_rung: false,
                is_reached: false,
            };
            place(state, fact, callback, (live, *visit, *leg))
        }
        Event::AttemptFailed { not_before, .. } => {
            if let Some(open) = state.open.get_mut(&callback) {
                open.live = None;
            }
            plan(state, callback, *not_before);
            vec![]
        }
        Event::Cancelled { .. } => {
            // A person who is being rung already may still be reached.
            let live = forget(state, callback).and_then(|open| open.live);
            live.map(|live| withdraw(fact.event_id.0, live.call))
                .into_iter()
                .collect()
        }
        Event::Connected { .. }
        | Event::Exhausted {}
        | Event::GivenUp { .. }
        | Event::Expired {} => {
            forget(state, callback);
            vec![]
        }
    }
}

/// The call of an attempt is placed; it is looked at again when its time is over.
fn place(
    state: &mut State,
    fact: &Fact,
    callback: CallbackId,
    (live, visit, leg): (Live, VisitId, LegId),
) -> Vec<Intent> {
    let cause = fact.event_id.0;
    let Some(open) = state.open.get_mut(&callback) else {
        return vec![];
    };
    open.attempts_count = live.attempt;
    open.live = Some(live);
    let expires_at = open.expires_at;
    let rules = state.queues.get(&open.queue);
    let command = call::Command::PlaceCall(call::Placing {
        leg,
        party: open.party.clone(),
        callback,
        place: open.place,
        queue: open.queue,
        config_version: rules.map_or(1, |(version, _)| *version),
        visit,
        wanted: open.wanted,
        music: rules.and_then(|(_, rules)| rules.music.clone()),
    });
    state.calls.insert(live.call, callback);
    plan(state, callback, expires_at);
    vec![Intent::new(cause, AnyCommand::Call(live.call, command))]
}

fn due(state: &mut State, now: Timestamp) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((due, callback)) = state.due.first().copied() {
        if due > now {
            break;
        }
        state.due.remove(&(due, callback));
        let Some(open) = state.open.get_mut(&callback) else {
            continue;
        };
        open.due = None;
        open.is_shut = false;
        let attempt = open.attempts_count.saturating_add(1);
        // A queue that is closed takes nobody; its callbacks wait for it to open.
        let rules = state.queues.get(&open.queue).map(|(_, rules)| rules);
        let shut = rules.map_or(Shut::No, |rules| rules.shut(now));
        if let Shut::Until(opens) = shut
            && open.live.is_none()
            && now < open.expires_at
        {
            open.is_shut = true;
            let at = opens.map_or(open.expires_at, |opens| opens.min(open.expires_at));
            plan(state, callback, at);
            continue;
        }
        // One time of one callback: asked for again, it is the same.
        let label = |what: &str| format!("{what}/{attempt}/{}", due.micros());
        let id = |what: &str| derived(due, callback.0, &label(what));
        let intent = match open.live {
            // It waits in vain, unless an agent has it by now.
            Some(live) => withdraw(id("withdraw"), live.call),
            None if now >= open.expires_at => intent(id("expire"), callback, Command::Expire),
            None => {
                let start = Command::StartAttempt {
                    attempt,
                    call: CallId(id("call")),
                    visit: VisitId(id("visit")),
                    leg: LegId(id("leg")),
                };
                intent(id("start"), callback, start)
            }
        };
        intents.push(intent);
    }
    intents
}

const fn withdraw(cause: Uuid, call: CallId) -> Intent {
    let command = call::Command::EndCall {
        reason: EndReason::CallbackWithdrawn,
        ended_at: None,
        visit: None,
    };
    Intent::new(cause, AnyCommand::Call(call, command))
}

const fn record(cause: Uuid, callback: CallbackId, attempt: u32, outcome: Outcome) -> Intent {
    intent(cause, callback, Command::RecordOutcome { attempt, outcome })
}

const fn intent(cause: Uuid, callback: CallbackId, command: callback::Command) -> Intent {
    Intent::new(cause, AnyCommand::Callback(callback, command))
}

/// It is looked at then.
fn plan(state: &mut State, callback: CallbackId, at: Timestamp) {
    let Some(open) = state.open.get_mut(&callback) else {
        return;
    };
    if let Some(before) = open.due.replace(at) {
        state.due.remove(&(before, callback));
    }
    state.due.insert((at, callback));
}

fn forget(state: &mut State, callback: CallbackId) -> Option<Open> {
    let open = state.open.remove(&callback)?;
    if let Some(due) = open.due {
        state.due.remove(&(due, callback));
    }
    Some(open)
}
