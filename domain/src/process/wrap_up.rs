//! After the call: the agent's contact ends with it, when a supervisor takes it over, or as
//! the agent transfers it; and the wrap-up with its timer.

use super::{
    Input, Intent, Process,
    deadlines::{Deadlines, Take},
    derived,
};
use crate::{
    any::{AnyCommand, AnyEvent, Fact},
    call,
    id::{CallId, OfferId, SessionId},
    session,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// Ends contacts and wrap-ups.
#[derive(Debug)]
pub struct WrapUp;

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// When each wrap-up ends: an agent may be in one after each of several calls.
    running: Deadlines<(SessionId, CallId)>,
}

impl Process for WrapUp {
    const NAME: &'static str = "wrap_up";
    const VERSION: u32 = 3;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => on_event(state, fact),
            Input::Deadline(now) => over(state, *now, Deadlines::take),
            Input::Sweep(now) => over(state, *now, Deadlines::take_ahead),
            Input::Refused { .. } => vec![],
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.running.next()
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
            state.running.plan((*session, *call), fact.at, *until);
            vec![]
        }
        AnyEvent::Session(session, session::Event::WrapUpEnded { call, .. }) => {
            state.running.forget((*session, *call));
            vec![]
        }
        AnyEvent::Call(
            call,
            call::Event::TakenOver { session, offer, .. }
            | call::Event::Transferred { session, offer, .. },
        ) => {
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
        | AnyEvent::Schedule(..)
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

fn over(state: &mut State, now: Timestamp, take: Take<(SessionId, CallId)>) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((until, (session, call))) = take(&mut state.running, now) {
        let command = session::Command::EndWrapUp { call, until };
        // An extended wrap-up ends by another command.
        let cause = derived(until, call.0, &format!("wrap_up/{}", until.micros()));
        intents.push(Intent::new(cause, AnyCommand::Session(session, command)));
    }
    intents
}
