//! A supervisor takes a call from its agent: the caller talks with the supervisor, the agent
//! is let go, and the call goes on between the two until one of them hangs up. The order in
//! the call's stream decides: whoever of caller and agent hangs up before the supervisor's
//! phone has answered ends the call, and whoever of agents does so later is gone already.

use super::{
    decide::Decision,
    error::Error,
    event::Event,
    state::{Call, Connection, Phase},
    supervision::{Supervision, SupervisionMode},
};
use crate::id::{AgentId, LegId};

/// The phone has answered: the call is the supervisor's, if that was the order.
pub(super) fn of_answer(call: &Call, current: &Supervision) -> Option<Event> {
    match current.mode {
        SupervisionMode::Takeover => taken_over(call, current),
        SupervisionMode::Listen | SupervisionMode::Whisper | SupervisionMode::Barge => None,
    }
}

/// Whoever supervises already has a phone that has answered: the call changes hands with the
/// mode. While it rings, with its answer.
pub(super) fn at_once(call: &Call, mode: SupervisionMode) -> Option<Event> {
    let current = call.supervision.filter(|current| current.is_started)?;
    of_answer(call, &Supervision { mode, ..current })
}

/// Of a call that has been taken over: the same order again is obeyed already, and nobody
/// else supervises the one who has it.
pub(super) fn again(has_it: AgentId, asks: AgentId, mode: SupervisionMode) -> Decision {
    match mode {
        SupervisionMode::Takeover if asks == has_it => Ok(vec![]),
        SupervisionMode::Takeover
        | SupervisionMode::Listen
        | SupervisionMode::Whisper
        | SupervisionMode::Barge => Err(Error::TakenOver),
    }
}

fn taken_over(call: &Call, current: &Supervision) -> Option<Event> {
    let connection = connection(call)?;
    Some(Event::TakenOver {
        leg: current.leg,
        supervisor: current.supervisor,
        from_leg: connection.leg,
        session: connection.session,
        offer: connection.offer,
    })
}

const fn connection(call: &Call) -> Option<&Connection> {
    match &call.phase {
        Phase::Connected(connection) => Some(connection),
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::InMailbox
        | Phase::Ended(_) => None,
    }
}

/// Whoever the agent held talks again; a caller who holds goes on holding.
pub(super) fn evolve(call: &mut Call, leg: LegId, supervisor: AgentId, from_leg: LegId) {
    if let Phase::Connected(connection) = &mut call.phase {
        connection.holding.remove(&from_leg);
        connection.leg = leg;
        connection.supervisor = Some(supervisor);
    }
}
