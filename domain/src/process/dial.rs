//! How long somebody outside is waited for, or the phone of a supervisor: a leg that goes
//! out and is not answered until then is given up. And how long an announcement or a message may go on of which
//! nobody tells that it is over.

use super::{Input, Intent, Process};
use crate::{
    any::{AnyCommand, AnyEvent},
    call,
    id::{CallId, LegId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Watches the legs that go out, and those of callers who are told something.
#[derive(Debug)]
pub struct Dial;

/// What it remembers: the leg that each call is dialling or tells something, and
/// until when.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    dialling: BTreeMap<CallId, (LegId, Timestamp)>,
    due: BTreeSet<(Timestamp, CallId)>,
}

impl Process for Dial {
    const NAME: &'static str = "dial";
    const VERSION: u32 = 1;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => {
                if let AnyEvent::Call(call, event) = &fact.event {
                    on_call(state, *call, event);
                }
                vec![]
            }
            Input::Deadline(now) => due(state, *now),
            // It was answered or has ended: the event that says so is on its way.
            Input::Refused { .. } | Input::Sweep(_) => vec![],
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.due.first().map(|(due, _)| *due)
    }
}

fn on_call(state: &mut State, call: CallId, event: &call::Event) {
    match event {
        call::Event::LegDialled { leg, until, .. }
        | call::Event::AnnouncementStarted { leg, until, .. }
        | call::Event::VoicemailStarted { leg, until, .. }
        | call::Event::SupervisionRequested { leg, until, .. } => {
            state.dialling.insert(call, (*leg, *until));
            state.due.insert((*until, call));
        }
        call::Event::LegAnswered { .. }
        | call::Event::SupervisionStarted { .. }
        | call::Event::SupervisionEnded { .. }
        | call::Event::Ended { .. } => forget(state, call),
        call::Event::Received { .. }
        | call::Event::Routed { .. }
        | call::Event::Enqueued { .. }
        | call::Event::ExitKeyPressed { .. }
        | call::Event::PlaceTold { .. }
        | call::Event::Overflowed { .. }
        | call::Event::Forwarded { .. }
        | call::Event::TrunkSelected { .. }
        | call::Event::LegProgressed { .. }
        | call::Event::Answered {}
        | call::Event::OfferStarted { .. }
        | call::Event::LegAlerting { .. }
        | call::Event::OfferEnded { .. }
        | call::Event::AgentConnected { .. }
        | call::Event::Held { .. }
        | call::Event::Retrieved { .. }
        | call::Event::Placed { .. }
        | call::Event::CallbackRequested { .. }
        | call::Event::Diverted { .. }
        | call::Event::VoicemailEnded { .. }
        | call::Event::MediaMeasured { .. }
        | call::Event::SupervisionModeChanged { .. }
        | call::Event::TakenOver { .. }
        | call::Event::Tagged { .. }
        | call::Event::LateFact { .. } => {}
    }
}

fn due(state: &mut State, now: Timestamp) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((due, call)) = state.due.first().copied() {
        if due > now {
            break;
        }
        let leg = state.dialling.get(&call).map(|(leg, _)| *leg);
        state.due.remove(&(due, call));
        state.dialling.remove(&call);
        if let Some(leg) = leg {
            let command = call::Command::TimeOutLeg { leg };
            intents.push(Intent::new(leg.0, AnyCommand::Call(call, command)));
        }
    }
    intents
}

fn forget(state: &mut State, call: CallId) {
    if let Some((_, until)) = state.dialling.remove(&call) {
        state.due.remove(&(until, call));
    }
}
