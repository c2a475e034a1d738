//! An agent's wish to take calls or not, brought to the right session: the
//! open one, or the next.

use crate::{
    directory::Directory,
    envelope::{Committed, Envelope},
    error::DispatchError,
    gateway::Gateway,
    seen::{self, SeenLogins},
};
use domain::{
    any::AnyCommand,
    id::{AgentId, CommandId, SessionId},
    session::{Command, LogoutReason, NotReadyCode, NotReadyReason},
};

/// How often a session that has just ended is followed to the next.
const TRIES_MAX: u32 = 3;

/// What an agent, or somebody for the agent, wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Take calls; logs in if need be.
    Ready,
    /// Take none, for that reason, and in a word of the settings for it; logs in if need
    /// be.
    NotReady(NotReadyReason, Option<NotReadyCode>),
    /// Leave.
    LogOut(LogoutReason),
}

/// Carries out a wish. `envelope` says who and when; its command is replaced. Its command
/// id is that of the step that fulfils the wish, so that whoever asks again once that was
/// done hears what came of it; a login that only goes before has one derived from it. If
/// something was `seen` of the agent's logins, only if they are as they were then.
///
/// # Errors
/// A refusal by the rules, or a fault of the store.
pub async fn carry_out(
    gateway: &Gateway,
    directory: &Directory,
    agent: AgentId,
    wish: Wish,
    envelope: &Envelope,
    seen: Option<&SeenLogins>,
) -> Result<Committed, DispatchError> {
    // The directory may lead to another session by now, where it would have an effect again.
    if let Some(first) = gateway.first_answer(envelope.command_id).await? {
        return Ok(first);
    }
    let mut known = seen.map_or_else(|| directory.session(agent), |seen| seen.session);
    let mut expected = seen;
    let mut tries = 1;
    loop {
        let (session, command) = next_step(agent, known, &wish);
        let goes_before = matches!(command, Command::LogIn { .. }) && wish.is_more_than_login();
        let mut step = envelope.clone();
        step.command = AnyCommand::Session(session, command);
        if goes_before {
            step.command_id = login_before(envelope.command_id, session);
        } else if expected.is_some() && wish.is_more_than_login() {
            let login = login_before(envelope.command_id, session);
            // An earlier try came so far: that login was what was seen.
            if gateway.first_answer(login).await?.is_some() {
                expected = None;
            }
        }
        let answer = seen::dispatch(gateway, session, step, expected).await;
        known = match &answer {
            Ok(_) if goes_before => {
                // The login was what was seen.
                expected = None;
                known = Some((session, true));
                continue;
            }
            // The directory was a moment behind.
            Err(DispatchError::Refused(refused))
                if refused.code == "agent.session_ended"
                    && wish != Wish::LogOut(LogoutReason::Agent) =>
            {
                Some((session, false))
            }
            Err(DispatchError::Refused(refused)) if refused.code == "agent.already_logged_in" => {
                Some((session, true))
            }
            Ok(_) | Err(_) => return answer,
        };
        tries += 1;
        if tries > TRIES_MAX {
            return answer;
        }
    }
}

impl Wish {
    /// A login alone does not fulfil it.
    fn is_more_than_login(&self) -> bool {
        match self {
            Self::NotReady(reason, _) => *reason != NotReadyReason::Login,
            Self::Ready | Self::LogOut(_) => false,
        }
    }
}

/// What to ask of which session, if the agent's last one is the `known` one.
fn next_step(
    agent: AgentId,
    known: Option<(SessionId, bool)>,
    wish: &Wish,
) -> (SessionId, Command) {
    match (known, wish) {
        (Some((session, true)), Wish::Ready) => (session, Command::GoReady),
        (Some((session, true)), Wish::NotReady(reason, code)) => {
            let (reason, code) = (*reason, code.clone());
            (session, Command::GoNotReady { reason, code })
        }
        (Some((session, _)), Wish::LogOut(reason)) => {
            (session, Command::LogOut { reason: *reason })
        }
        (None, Wish::LogOut(reason)) => {
            let session = SessionId { agent, number: 1 };
            (session, Command::LogOut { reason: *reason })
        }
        (last, Wish::Ready | Wish::NotReady(..)) => {
            let number = last.map_or(1, |(session, _)| session.number.saturating_add(1));
            let session = SessionId { agent, number };
            let ready = *wish == Wish::Ready;
            (session, Command::LogIn { session, ready })
        }
    }
}

/// The id of the login that goes before: the same whenever the wish is asked again.
fn login_before(wish: CommandId, session: SessionId) -> CommandId {
    let millis = domain::id::millis_of(wish.0).unwrap_or_default();
    let label = format!("log_in/{session}");
    CommandId(domain::id::derive(millis, wish.0, &label))
}
