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
}

impl Process for Enqueue {
    const NAME: &'static str = "enqueue";
    const VERSION: u32 = 1;
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
    let cause = fact.event_id.0;
    match &fact.event {
        AnyEvent::Queue(queue, queue::Event::Created { config, .. }) => {
            state.queues.insert(*queue, (1, config.clone()));
            vec![]
        }
        AnyEvent::Queue(
            queue,
            queue::Event::Configured {
                config_version,
                config,
            },
        ) => {
            state
                .queues
                .insert(*queue, (*config_version, config.clone()));
            vec![]
        }
        AnyEvent::Call(call, call::Event::Enqueued { visit, queue, .. }) => {
            let Some((version, config)) = state.queues.get(queue) else {
                // The directory knew a queue whose events are not there.
                return vec![end(cause, *call, EndReason::UnknownAddress)];
            };
            let command = open(*call, *visit, fact.at, *version, config);
            vec![Intent::new(cause, AnyCommand::Line(*queue, command))]
        }
        AnyEvent::Line(
            _,
            line::Event::Opened {
                call,
                enqueued_at,
                policy,
                ..
            },
        ) => {
            remember(state, *call, *enqueued_at, policy.max_wait_ms);
            match policy.answer_mode {
                AnswerMode::Immediate => {
                    vec![Intent::new(
                        cause,
                        AnyCommand::Call(*call, call::Command::AnswerCall),
                    )]
                }
                AnswerMode::OnAgent => vec![],
            }
        }
        AnyEvent::Line(_, line::Event::Rejected { call, reason, .. }) => match reason {
            RejectReason::Full => vec![end(cause, *call, EndReason::QueueFull)],
        },
        AnyEvent::Line(_, line::Event::Closed { call, .. }) => {
            forget(state, *call);
            vec![]
        }
        AnyEvent::Call(call, call::Event::AgentConnected { .. }) => {
            forget(state, *call);
            vec![]
        }
        AnyEvent::Call(call, call::Event::Ended { .. }) => {
            forget(state, *call);
            close(fact)
        }
        AnyEvent::Call(..)
        | AnyEvent::Line(..)
        | AnyEvent::Session(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..) => vec![],
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
fn close(fact: &Fact) -> Vec<Intent> {
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
        return vec![];
    };
    let (Some(visit), Some(queue)) = (visit, queue) else {
        return vec![];
    };
    if *disposition == crate::cause::Disposition::Answered {
        return vec![];
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
    vec![Intent::new(
        fact.event_id.0,
        AnyCommand::Line(*queue, command),
    )]
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

const fn end(cause: uuid::Uuid, call: CallId, reason: EndReason) -> Intent {
    let command = call::Command::EndCall {
        reason,
        ended_at: None,
    };
    Intent::new(cause, AnyCommand::Call(call, command))
}
