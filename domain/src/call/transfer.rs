//! The agent who talks with a caller sends the call on into another queue, without asking
//! there first: a blind transfer (RFC 5589, section 6). The agent's contact is over with that
//! and the caller waits again. The order in the call's stream decides: whoever of the two
//! hangs up before it ends the call; of the agent's phone nothing matters any more after it.

use super::{
    decide::Decision,
    error::Error,
    event::Event,
    key::Key,
    state::{Call, Connection, Phase},
    supervision,
    way::AnswerMode,
};
use crate::id::{AgentId, LegId, QueueId, VisitId};
use serde::{Deserialize, Serialize};

/// Times that one call may be transferred: each is a contact, a stay and a leg more.
pub const TRANSFERS_MAX: u32 = 50;

/// Another queue for a call in which an agent and a caller talk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Which queue.
    pub queue: QueueId,
    /// Version of its configuration.
    pub config_version: u32,
    /// When a caller is answered there; this one is answered already.
    pub answer_mode: AnswerMode,
    /// Id of the stay in it.
    pub visit: VisitId,
    /// Keys that lead out of it.
    pub exit_keys: Vec<Key>,
    /// What is heard while the call waits and while it is held; our own track, without it.
    #[serde(default)]
    pub music: Option<String>,
    /// Whose call it must be; none for whoever has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    /// The leg whose phone says so, which must be that of the agent who talks; none where
    /// no phone does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<LegId>,
    /// Who says so.
    pub by: String,
}

pub(super) fn transfer(call: &Call, transfer: Transfer) -> Decision {
    match &call.phase {
        Phase::Unborn => Err(Error::Unknown),
        Phase::Ended(_) => Err(Error::AlreadyEnded),
        Phase::Connected(connection) if connection.is_talking() => go(call, connection, transfer),
        Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox => Err(Error::NotConnected),
    }
}

/// A person sends it there, so where the call has been before does not matter.
fn go(call: &Call, connection: &Connection, transfer: Transfer) -> Decision {
    let Transfer {
        queue,
        config_version,
        answer_mode,
        visit,
        exit_keys,
        music,
        agent,
        leg,
        by,
    } = transfer;
    let (served, from) = call.visit.ok_or(Error::StaleVisit)?;
    if connection.supervisor.is_some() {
        return Err(Error::TakenOver);
    }
    // The phone of a contact that is over, or another agent than the one who talks.
    if leg.is_some_and(|leg| leg != connection.leg)
        || agent.is_some_and(|agent| agent != connection.session.agent)
    {
        return Err(Error::OthersCall);
    }
    if call.is_placed {
        return Err(Error::Placed);
    }
    if queue == from {
        return Err(Error::AnsweredThere);
    }
    if call.transfers_count >= TRANSFERS_MAX {
        return Err(Error::TransferredTooOften);
    }
    let mut events: Vec<Event> = supervision::ended_by_transfer(call).into_iter().collect();
    events.push(Event::Transferred {
        leg: connection.leg,
        session: connection.session,
        offer: connection.offer,
        visit: served,
        queue: from,
        to: queue,
        by,
    });
    events.push(Event::Enqueued {
        visit,
        queue,
        config_version,
        answer_mode,
        exit_keys,
        music,
    });
    Ok(events)
}

/// The caller is alone, and may be sent on from there as if the call had come now.
pub(super) fn evolve(call: &mut Call) {
    call.phase = Phase::Waiting;
    call.visit = None;
    call.queues.clear();
    call.transfers_count = call.transfers_count.saturating_add(1);
}
