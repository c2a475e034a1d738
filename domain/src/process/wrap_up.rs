//! After the call: the agent's contact ends with it, or when a supervisor takes it over, and
//! the wrap-up with its timer.

use super::{Input, Intent, Process, derived};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    call,
    id::{AgentId, CallId, OfferId, SessionId},
    session,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Ends contacts and wrap-ups.
#[derive(Debug)]
pub struct WrapUp;

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// When each wrap-up ends, and after which call it is.
    due: BTreeSet<(Timestamp, AgentId, CallId)>,
    /// The session of each wrap-up, and when it ends: an agent may be in one after each of
    /// several calls.
    running: BTreeMap<AgentId, BTreeMap<CallId, (u32, Timestamp)>>,
}

impl Process for WrapUp {
    const NAME: &'static str = "wrap_up";
    const VERSION: u32 = 2;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => on_event(state, fact),
            Input::Deadline(now) => over(state, *now),
            Input::Refused { .. } | Input::Sweep(_) => vec![],
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.due.first().map(|(due, ..)| *due)
    }
}

fn on_event(state: &mut State, fact: &Fact) -> Vec<Intent> {
    match &fact.event {
        // An extension is a new end of the same wrap-up.
        AnyEvent::Session(
            session,
            session::Event::WrapUpStarted { call, until, .. }
            | session::Event::WrapUpExtended { call, until },
        ) => {
            let key = (session.agent, *call);
            forget(state, key);
            let running = state.running.entry(session.agent).or_default();
            running.insert(*call, (session.number, *until));
            state.due.insert((*until, session.agent, *call));
            vec![]
        }
        AnyEvent::Session(session, session::Event::WrapUpEnded { call, .. }) => {
            forget(state, (session.agent, *call));
            vec![]
        }
        AnyEvent::Call(call, call::Event::TakenOver { session, offer, .. }) => {
            vec![end_contact(fact, *call, *session, *offer)]
        }
        AnyEvent::Call(
            call,
            ended @ call::Event::Ended {
                session: Some(session),
                offer: Some(offer),
                ..
            },
        ) if ended.ends_contact() => {
            vec![end_contact(fact, *call, *session, *offer)]
        }
        AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => vec![],
    }
}

const fn end_contact(fact: &Fact, call: CallId, session: SessionId, offer: OfferId) -> Intent {
    let command = session::Command::EndContact { call, offer };
    Intent::new(fact.event_id.0, AnyCommand::Session(session, command))
}

fn over(state: &mut State, now: Timestamp) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((due, agent, call)) = state.due.first().copied() {
        if due > now {
            break;
        }
        state.due.remove(&(due, agent, call));
        let running = state.running.get(&agent);
        if let Some((number, _)) = running.and_then(|running| running.get(&call)).copied() {
            let session = SessionId { agent, number };
            let command = session::Command::EndWrapUp { call, until: due };
            // An extended wrap-up ends by another command.
            let cause = derived(due, call.0, &format!("wrap_up/{}", due.micros()));
            intents.push(Intent::new(cause, AnyCommand::Session(session, command)));
        }
    }
    intents
}

fn forget(state: &mut State, (agent, call): (AgentId, CallId)) {
    let Some(running) = state.running.get_mut(&agent) else {
        return;
    };
    if let Some((_, until)) = running.remove(&call) {
        state.due.remove(&(until, agent, call));
    }
    if running.is_empty() {
        state.running.remove(&agent);
    }
}
