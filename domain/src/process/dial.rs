//! How long somebody outside is waited for, or the phone of a supervisor: a leg that goes
//! out and is not answered until then is given up. And how long an announcement or a message may go on of which
//! nobody tells that it is over.

use super::{
    Input, Intent, Process,
    deadlines::{Deadlines, Take},
};
use crate::{
    any::{AnyCommand, AnyEvent},
    call,
    id::{CallId, LegId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Watches the legs that go out, and those of callers who are told something.
#[derive(Debug)]
pub struct Dial;

/// What it remembers: the leg that each call is dialling or tells something, and
/// until when.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    dialling: BTreeMap<CallId, LegId>,
    due: Deadlines<CallId>,
}

impl Process for Dial {
    const NAME: &'static str = "dial";
    const VERSION: u32 = 2;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => {
                if let AnyEvent::Call(call, event) = &fact.event {
                    on_call(state, *call, event, fact.at);
                }
                vec![]
            }
            Input::Deadline(now) => due(state, *now, Deadlines::take),
            Input::Sweep(now) => due(state, *now, Deadlines::take_ahead),
            // It was answered or has ended: the event that says so is on its way.
            Input::Refused { .. } => vec![],
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.due.next()
    }
}

fn on_call(state: &mut State, call: CallId, event: &call::Event, at: Timestamp) {
    match event {
        call::Event::LegDialled { leg, until, .. }
        | call::Event::AnnouncementStarted { leg, until, .. }
        | call::Event::VoicemailStarted { leg, until, .. }
        | call::Event::SupervisionRequested { leg, until, .. } => {
            state.dialling.insert(call, *leg);
            state.due.plan(call, at, *until);
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
        | call::Event::AnswerOrdered { .. }
        | call::Event::AnswerOrderRefused { .. }
        | call::Event::Withdrawn { .. }
        | call::Event::CallbackRequested { .. }
        | call::Event::Diverted { .. }
        | call::Event::VoicemailEnded { .. }
        | call::Event::MediaMeasured { .. }
        | call::Event::SupervisionModeChanged { .. }
        | call::Event::TakenOver { .. }
        | call::Event::Transferred { .. }
        | call::Event::Tagged { .. }
        | call::Event::LateFact { .. } => {}
    }
}

fn due(state: &mut State, now: Timestamp, take: Take<CallId>) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((_, call)) = take(&mut state.due, now) {
        if let Some(leg) = state.dialling.remove(&call) {
            let command = call::Command::TimeOutLeg { leg };
            intents.push(Intent::new(leg.0, AnyCommand::Call(call, command)));
        }
    }
    intents
}

fn forget(state: &mut State, call: CallId) {
    state.dialling.remove(&call);
    state.due.forget(call);
}
