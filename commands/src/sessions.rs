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

/// Carries out a wish. `envelope` says who and when; its command is replaced,
/// and its command id is kept for the first try and derived for the next ones. If something
/// was `seen` of the agent's logins, only if they are as they were then.
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
    let mut known = seen.map_or_else(|| directory.session(agent), |seen| seen.session);
    let mut expected = seen;
    let mut tries = 1;
    loop {
        let (session, command) = match (known, &wish) {
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
                (
                    session,
                    Command::LogIn {
                        session,
                        ready: wish == Wish::Ready,
                    },
                )
            }
        };
        let was_login = matches!(command, Command::LogIn { .. });
        let mut envelope = envelope.clone();
        envelope.command = AnyCommand::Session(session, command);
        if tries > 1 {
            let label = format!("session/{session}");
            let millis = envelope.at.millis_unsigned();
            envelope.command_id =
                CommandId(domain::id::derive(millis, envelope.command_id.0, &label));
        }
        let answer = seen::dispatch(gateway, session, envelope, expected).await;
        match &answer {
            // Not-ready with a reason after a login that had none.
            Ok(_) if was_login => match &wish {
                Wish::NotReady(reason, _) if *reason != NotReadyReason::Login => {
                    // The login was what was seen.
                    expected = None;
                    known = Some((session, true));
                }
                Wish::Ready | Wish::NotReady(..) | Wish::LogOut(_) => return answer,
            },
            // The directory was a moment behind.
            Err(DispatchError::Refused(refused))
                if refused.code == "agent.session_ended"
                    && wish != Wish::LogOut(LogoutReason::Agent) =>
            {
                known = Some((session, false));
            }
            Err(DispatchError::Refused(refused)) if refused.code == "agent.already_logged_in" => {
                known = Some((session, true));
            }
            Ok(_) | Err(_) => return answer,
        }
        tries += 1;
        if tries > TRIES_MAX {
            return answer;
        }
    }
}
