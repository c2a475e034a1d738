//! Phones and logins: an agent whose configuration says so is logged in, ready,
//! when the first phone registers, and logged out when the last one is gone.

use super::{Input, Intent, Process};
use crate::{
    agent,
    any::{AnyCommand, AnyEvent, Fact},
    device,
    id::{AgentId, SessionId},
    session::{self, LogoutReason},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Logs agents in and out with their phones.
#[derive(Debug)]
pub struct Registration;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Known {
    ready_on_register: bool,
    bindings: BTreeSet<Uuid>,
    /// Number of the last session, and whether it is still open.
    last_session: u32,
    logged_in: bool,
    /// A login has been asked for because of a phone, and has not been heard of.
    login_asked: bool,
}

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    agents: BTreeMap<AgentId, Known>,
}

impl Process for Registration {
    const NAME: &'static str = "registration";
    const VERSION: u32 = 2;
    type State = State;

    fn step(state: &mut State, input: &Input<'_>) -> Vec<Intent> {
        match input {
            Input::Event(fact) => on_event(state, fact),
            Input::Refused {
                command_id,
                command,
                code,
                ..
            } => match command {
                // Another login came first and is over already: take the next number.
                AnyCommand::Session(session, session::Command::LogIn { ready, .. })
                    if *code == "agent.session_ended" =>
                {
                    let next = SessionId {
                        number: session.number.saturating_add(1),
                        ..*session
                    };
                    vec![log_in(command_id.0, next, *ready)]
                }
                AnyCommand::Session(..)
                | AnyCommand::Call(..)
                | AnyCommand::Line(..)
                | AnyCommand::Queue(..)
                | AnyCommand::Person(..)
                | AnyCommand::Agent(..)
                | AnyCommand::Device(..)
                | AnyCommand::Trunk(..)
                | AnyCommand::Callback(..)
                | AnyCommand::Billing(..) => vec![],
            },
            Input::Deadline(_) | Input::Sweep(_) => vec![],
        }
    }

    fn next_deadline(_state: &State) -> Option<Timestamp> {
        None
    }
}

fn on_event(state: &mut State, fact: &Fact) -> Vec<Intent> {
    let cause = fact.event_id.0;
    match &fact.event {
        AnyEvent::Agent(
            agent,
            agent::Event::Created { config, .. } | agent::Event::Configured { config, .. },
        ) => {
            state.agents.entry(*agent).or_default().ready_on_register = config.ready_on_register;
            vec![]
        }
        AnyEvent::Device(agent, device::Event::Registered { binding, .. }) => {
            let known = state.agents.entry(*agent).or_default();
            known.bindings.insert(*binding);
            if known.ready_on_register && !known.logged_in {
                known.login_asked = true;
                vec![log_in(cause, next_session(*agent, known), true)]
            } else {
                vec![]
            }
        }
        AnyEvent::Device(
            agent,
            device::Event::Deregistered { binding, .. } | device::Event::Expired { binding, .. },
        ) => {
            let known = state.agents.entry(*agent).or_default();
            known.bindings.remove(binding);
            if known.bindings.is_empty() && known.logged_in {
                vec![log_out(cause, *agent, known)]
            } else {
                vec![]
            }
        }
        AnyEvent::Session(session, session::Event::LoggedIn { .. }) => {
            let known = state.agents.entry(session.agent).or_default();
            known.last_session = session.number;
            known.logged_in = true;
            // The phone that this login was for may be gone already.
            let was_asked = std::mem::take(&mut known.login_asked);
            if was_asked && known.bindings.is_empty() {
                vec![log_out(cause, session.agent, known)]
            } else {
                vec![]
            }
        }
        AnyEvent::Session(session, session::Event::LoggedOut { reason }) => {
            let known = state.agents.entry(session.agent).or_default();
            known.logged_in = false;
            // The phone came back while the logout was still pending.
            let is_back = *reason == LogoutReason::DeviceLost && !known.bindings.is_empty();
            if is_back && known.ready_on_register {
                known.login_asked = true;
                vec![log_in(cause, next_session(session.agent, known), true)]
            } else {
                vec![]
            }
        }
        AnyEvent::Session(..)
        | AnyEvent::Call(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Billing(..) => vec![],
    }
}

const fn log_out(cause: Uuid, agent: AgentId, known: &Known) -> Intent {
    let session = SessionId {
        agent,
        number: known.last_session,
    };
    let reason = LogoutReason::DeviceLost;
    Intent::new(
        cause,
        AnyCommand::Session(session, session::Command::LogOut { reason }),
    )
}

const fn next_session(agent: AgentId, known: &Known) -> SessionId {
    SessionId {
        agent,
        number: known.last_session.saturating_add(1),
    }
}

const fn log_in(cause: Uuid, session: SessionId, ready: bool) -> Intent {
    Intent::new(
        cause,
        AnyCommand::Session(session, session::Command::LogIn { session, ready }),
    )
}
