//! Members that a queue offers nothing for now: a person's word, which counts until
//! somebody takes it back.

use super::{decide::Decision, error::Error, event::Event, state::Queue};
use crate::{id::AgentId, time::Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who has paused an agent in a queue, why and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PausedMember {
    /// Who said so.
    pub by: String,
    /// Why, in a word.
    pub why: String,
    /// Since when it counts.
    pub since: Timestamp,
}

impl Event {
    /// What it changes of who is paused, at that instant.
    pub fn pause(&self, at: Timestamp, paused: &mut BTreeMap<AgentId, PausedMember>) {
        match self {
            Self::MemberPaused { agent, by, why } => {
                let said = PausedMember {
                    by: by.clone(),
                    why: why.clone(),
                    since: at,
                };
                paused.insert(*agent, said);
            }
            Self::MemberUnpaused { agent, .. } => _ = paused.remove(agent),
            Self::Created { .. }
            | Self::Configured { .. }
            | Self::Opened { .. }
            | Self::Closed { .. }
            | Self::HoursFollowed { .. }
            | Self::Deleted { .. } => {}
        }
    }
}

/// The agent is paused already, or from now on; another reason is told anew.
pub(super) fn pause(state: &Queue, agent: AgentId, by: String, why: String) -> Decision {
    check(state, &why)?;
    let said = state.paused.get(&agent);
    Ok(match said.is_some_and(|said| said.why == why) {
        true => vec![],
        false => vec![Event::MemberPaused { agent, by, why }],
    })
}

/// Whoever is not paused has nothing to be taken back.
pub(super) fn unpause(state: &Queue, agent: AgentId, by: String, why: String) -> Decision {
    check(state, &why)?;
    match state.paused.contains_key(&agent) {
        true => Ok(vec![Event::MemberUnpaused { agent, by, why }]),
        false => Err(Error::NotPaused),
    }
}

fn check(state: &Queue, why: &str) -> Result<(), Error> {
    if state.name.is_none() {
        return Err(Error::Unknown);
    }
    match crate::name::is_valid(why) {
        true => Ok(()),
        false => Err(Error::InvalidReason),
    }
}
