//! Phones and logins: an agent whose configuration says so is logged in, ready,
//! when the first phone registers, and logged out when the last one says that it goes.
//! When it is lost instead, nothing happens for a while, as phones come back; then the
//! agent is not ready, and much later logged out.

use super::{
    Input, Intent, Process,
    deadlines::{Deadlines, Take},
    derived,
};
use crate::{
    agent,
    any::{AnyCommand, AnyEvent, Fact},
    device,
    id::{AgentId, SessionId},
    session::{self, LogoutReason, NotReadyReason},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Whoever has had no phone for so long after that has gone home.
pub(super) const GONE_HOME_MS: u64 = 900_000;

/// Follows the agents' phones.
#[derive(Debug)]
pub struct Registration;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Known {
    ready_on_register: bool,
    grace_ms: u64,
    bindings: BTreeSet<Uuid>,
    /// Number of the last session, and whether it is still open.
    last_session: u32,
    logged_in: bool,
    /// A login has been asked for because of a phone, and has not been heard of.
    login_asked: bool,
    /// That phone has said meanwhile that it goes.
    #[serde(default)]
    signed_off: bool,
    is_ready: bool,
    /// The phone did not come back in time.
    is_late: bool,
    /// Not ready for that, and for no other reason.
    is_paused: bool,
}

/// What it remembers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    agents: BTreeMap<AgentId, Known>,
    /// When each agent is looked at who has no phone any more.
    due: Deadlines<AgentId>,
}

impl Process for Registration {
    const NAME: &'static str = "registration";
    const VERSION: u32 = 4;
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
                | AnyCommand::Refusals(..)
                | AnyCommand::Schedule(..)
                | AnyCommand::Agent(..)
                | AnyCommand::Device(..)
                | AnyCommand::Trunk(..)
                | AnyCommand::Callback(..)
                | AnyCommand::Mailbox(..)
                | AnyCommand::Billing(..) => vec![],
            },
            Input::Deadline(now) => due(state, *now, Deadlines::take),
            Input::Sweep(now) => due(state, *now, Deadlines::take_ahead),
        }
    }

    fn next_deadline(state: &State) -> Option<Timestamp> {
        state.due.next()
    }
}

fn on_event(state: &mut State, fact: &Fact) -> Vec<Intent> {
    match &fact.event {
        AnyEvent::Agent(
            agent,
            agent::Event::Created { config, .. } | agent::Event::Configured { config, .. },
        ) => {
            let known = state.agents.entry(*agent).or_default();
            known.ready_on_register = config.ready_on_register;
            known.grace_ms = config.registration_grace_ms;
            vec![]
        }
        AnyEvent::Device(agent, event) => on_device(state, fact, *agent, event),
        AnyEvent::Session(session, event) => on_session(state, fact, *session, event),
        AnyEvent::Call(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => vec![],
    }
}

fn on_device(state: &mut State, fact: &Fact, agent: AgentId, event: &device::Event) -> Vec<Intent> {
    let cause = fact.event_id.0;
    match event {
        device::Event::Registered { binding, .. } => {
            unplan(state, agent);
            let known = state.agents.entry(agent).or_default();
            known.bindings.insert(*binding);
            known.signed_off = false;
            let was_paused = std::mem::take(&mut known.is_paused);
            match (known.ready_on_register, known.logged_in) {
                (true, false) => {
                    known.login_asked = true;
                    vec![log_in(cause, next_session(agent, known), true)]
                }
                (true, true) if was_paused => {
                    let back = session::Command::RecordPhoneBack;
                    vec![in_session(cause, agent, known, back)]
                }
                (true, true) | (false, _) => vec![],
            }
        }
        device::Event::Deregistered { binding, .. } => {
            let known = state.agents.entry(agent).or_default();
            known.bindings.remove(binding);
            known.signed_off = known.bindings.is_empty() && known.login_asked;
            match known.bindings.is_empty() && known.logged_in {
                true => vec![log_out(cause, agent, known)],
                false => vec![],
            }
        }
        device::Event::Expired { binding, .. } => {
            let known = state.agents.entry(agent).or_default();
            known.bindings.remove(binding);
            if known.bindings.is_empty() && known.logged_in {
                is_lost(state, fact, agent);
            }
            vec![]
        }
    }
}

fn on_session(
    state: &mut State,
    fact: &Fact,
    session: SessionId,
    event: &session::Event,
) -> Vec<Intent> {
    let agent = session.agent;
    match event {
        session::Event::LoggedIn { .. } => {
            let known = state.agents.entry(agent).or_default();
            known.last_session = session.number;
            known.logged_in = true;
            // The phone that this login was for may be gone already.
            let was_asked = std::mem::take(&mut known.login_asked);
            if std::mem::take(&mut known.signed_off) {
                return vec![log_out(fact.event_id.0, agent, known)];
            }
            if was_asked && known.bindings.is_empty() {
                is_lost(state, fact, agent);
            }
            vec![]
        }
        session::Event::LoggedOut { reason } => {
            unplan(state, agent);
            let known = state.agents.entry(agent).or_default();
            (known.logged_in, known.is_ready, known.is_paused) = (false, false, false);
            // The phone came back while the logout was still pending.
            let is_back = *reason == LogoutReason::DeviceLost && !known.bindings.is_empty();
            if is_back && known.ready_on_register {
                known.login_asked = true;
                vec![log_in(fact.event_id.0, next_session(agent, known), true)]
            } else {
                vec![]
            }
        }
        // Whatever the agent or a supervisor decides counts from then on.
        session::Event::BecameReady {} => {
            let known = state.agents.entry(agent).or_default();
            (known.is_ready, known.is_paused) = (true, false);
            vec![]
        }
        session::Event::BecameNotReady { reason, .. } => {
            let known = state.agents.entry(agent).or_default();
            known.is_ready = false;
            known.is_paused &= *reason == NotReadyReason::Unreachable;
            vec![]
        }
        session::Event::NextStateRequested { .. }
        | session::Event::Reserved { .. }
        | session::Event::ReservationReleased { .. }
        | session::Event::ConnectedToContact { .. }
        | session::Event::ContactEnded { .. }
        | session::Event::WrapUpStarted { .. }
        | session::Event::WrapUpEnded { .. }
        | session::Event::WrapUpExtended { .. }
        | session::Event::Forced { .. } => vec![],
    }
}

/// The last phone is gone: it may come back in time.
fn is_lost(state: &mut State, fact: &Fact, agent: AgentId) {
    let grace_ms = state.agents.get(&agent).map_or(0, |known| known.grace_ms);
    unplan(state, agent);
    state.due.plan(agent, fact.at, fact.at.plus_ms(grace_ms));
}

fn due(state: &mut State, now: Timestamp, take: Take<AgentId>) -> Vec<Intent> {
    let mut intents = vec![];
    while let Some((due, agent)) = take(&mut state.due, now) {
        let was_late = unplan(state, agent);
        let Some(known) = state.agents.get_mut(&agent) else {
            continue;
        };
        let cause = derived(due, agent.0, "phone lost");
        if was_late {
            intents.push(log_out(cause, agent, known));
            continue;
        }
        // Whoever takes no calls anyway keeps the reason for that.
        if known.is_ready {
            known.is_paused = true;
            let lost = session::Command::RecordPhoneLost;
            intents.push(in_session(cause, agent, known, lost));
        }
        let late_since = due.min(now);
        state.due.plan(agent, now, late_since.plus_ms(GONE_HOME_MS));
        state.agents.entry(agent).or_default().is_late = true;
    }
    intents
}

/// The agent is not looked at. Whether the phone was late already.
fn unplan(state: &mut State, agent: AgentId) -> bool {
    state.due.forget(agent);
    let known = state.agents.entry(agent).or_default();
    std::mem::take(&mut known.is_late)
}

const fn in_session(
    cause: Uuid,
    agent: AgentId,
    known: &Known,
    command: session::Command,
) -> Intent {
    let session = SessionId {
        agent,
        number: known.last_session,
    };
    Intent::new(cause, AnyCommand::Session(session, command))
}

const fn log_out(cause: Uuid, agent: AgentId, known: &Known) -> Intent {
    let reason = LogoutReason::DeviceLost;
    in_session(cause, agent, known, session::Command::LogOut { reason })
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
