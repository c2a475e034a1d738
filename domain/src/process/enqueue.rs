//! From "the call is enqueued" to "the visit is open", and to its end when the
//! queue's own limits are reached.

use super::{Input, Intent, Process};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    call::{self, AnswerMode},
    cause::{By, EndReason},
    id::{CallId, QueueId, VisitId},
    line::{self, RejectReason, VisitPolicy, VisitResult},
    queue,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Opens, limits and closes visits.
#[derive(Debug)]
pub struct Enqueue;

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    queues: BTreeMap<QueueId, (u32, queue::Config)>,
    /// When each waiting call has waited long enough.
    due: BTreeSet<(Timestamp, CallId)>,
    due_of: BTreeMap<CallId, Timestamp>,
    /// Calls whose visit has been asked for and has not opened yet; with the
    /// end of the visit, if the call has ended before that.
    opening: BTreeMap<CallId, Option<line::Command>>,
}

impl Process for Enqueue {
    const NAME: &'static str = "enqueue";
    const VERSION: u32 = 2;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => on_event(state, fact),
            Input::Deadline(now) => timed_out(state, *now),
            // The call has ended or is connected, or the visit is closed: the
            // events that say so are on their way.
            Input::Refused { .. } | Input::Sweep(_) => vec![],
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.due.first().map(|(due, _)| *due)
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
        AnyEvent::Line(queue, event) => on_line(state, fact.event_id.0, *queue, event),
        AnyEvent::Session(..)
        | AnyEvent::Person(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Billing(..) => vec![],
    }
}

fn on_call(state: &mut State, fact: &Fact, call: CallId, event: &call::Event) -> Vec<Intent> {
    let cause = fact.event_id.0;
    match event {
        call::Event::Enqueued { visit, queue, .. } => {
            let Some((version, config)) = state.queues.get(queue) else {
                // The directory knew a queue whose events are not there.
                return vec![end(cause, call, EndReason::UnknownAddress)];
            };
            let command = open(call, *visit, fact.at, *version, config);
            state.opening.insert(call, None);
            vec![Intent::new(cause, AnyCommand::Line(*queue, command))]
        }
        call::Event::AgentConnected { .. } => {
            forget(state, call);
            vec![]
        }
        call::Event::Ended { .. } => {
            forget(state, call);
            let Some((queue, close)) = close(fact) else {
                return vec![];
            };
            if let Some(opening) = state.opening.get_mut(&call) {
                *opening = Some(close.clone());
            }
            vec![Intent::new(cause, AnyCommand::Line(queue, close))]
        }
        call::Event::Received { .. }
        | call::Event::Routed { .. }
        | call::Event::Answered {}
        | call::Event::OfferStarted { .. }
        | call::Event::LegAlerting { .. }
        | call::Event::OfferEnded { .. }
        | call::Event::Held { .. }
        | call::Event::Retrieved { .. }
        | call::Event::LateFact { .. } => vec![],
    }
}

fn on_line(state: &mut State, cause: Uuid, queue: QueueId, event: &line::Event) -> Vec<Intent> {
    match event {
        line::Event::Opened {
            call,
            enqueued_at,
            policy,
            ..
        } => {
            if let Some(Some(close)) = state.opening.remove(call) {
                // A store that was away for a moment let the end overtake.
                return vec![Intent::new(cause, AnyCommand::Line(queue, close))];
            }
            remember(state, *call, *enqueued_at, policy.max_wait_ms);
            match policy.answer_mode {
                AnswerMode::Immediate => {
                    let answer = call::Command::AnswerCall;
                    vec![Intent::new(cause, AnyCommand::Call(*call, answer))]
                }
                AnswerMode::OnAgent => vec![],
            }
        }
        line::Event::Rejected { call, reason, .. } => {
            state.opening.remove(call);
            match reason {
                RejectReason::Full => vec![end(cause, *call, EndReason::QueueFull)],
            }
        }
        line::Event::Closed { call, .. } => {
            forget(state, *call);
            vec![]
        }
        line::Event::Matched { .. } | line::Event::Returned { .. } => vec![],
    }
}

const fn open(
    call: CallId,
    visit: VisitId,
    enqueued_at: Timestamp,
    config_version: u32,
    config: &queue::Config,
) -> line::Command {
    line::Command::OpenVisit {
        visit,
        call,
        enqueued_at,
        capacity: config.capacity,
        policy: VisitPolicy {
            config_version,
            answer_mode: config.answer_mode,
            ring_timeout_ms: config.ring_timeout_ms,
            wrap_up_ms: config.wrap_up_ms,
            max_wait_ms: config.max_wait_ms,
        },
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
        (_, By::Agent | By::System | By::Supervisor) => VisitResult::System,
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
        forget(state, call);
        intents.push(end(call.0, call, EndReason::MaxWait));
    }
    intents
}

/// The call waits until then at most; 0 for no limit.
fn remember(state: &mut State, call: CallId, enqueued_at: Timestamp, max_wait_ms: u64) {
    if max_wait_ms > 0 {
        let due = enqueued_at.plus_ms(max_wait_ms);
        state.due.insert((due, call));
        state.due_of.insert(call, due);
    }
}

fn forget(state: &mut State, call: CallId) {
    if let Some(due) = state.due_of.remove(&call) {
        state.due.remove(&(due, call));
    }
}

const fn end(cause: Uuid, call: CallId, reason: EndReason) -> Intent {
    let command = call::Command::EndCall {
        reason,
        ended_at: None,
    };
    Intent::new(cause, AnyCommand::Call(call, command))
}
