//! What is known of a call.

use super::event::AnswerMode;
use crate::{
    cause::Disposition,
    id::{LegId, OfferId, QueueId, SessionId, VisitId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An agent's phone that is to ring or rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Fence.
    pub offer: OfferId,
    /// Which stay it serves.
    pub visit: VisitId,
    /// Whose reservation.
    pub session: SessionId,
    /// The agent's leg.
    pub leg: LegId,
    /// The phone rings.
    pub alerting: bool,
}

/// Caller and agent talk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The accepted offer.
    pub offer: OfferId,
    /// Who.
    pub session: SessionId,
    /// The agent's leg.
    pub leg: LegId,
    /// Legs whose phone holds the other side.
    pub holding: BTreeSet<LegId>,
}

/// Where the call is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Phase {
    /// No INVITE yet.
    #[default]
    Unborn,
    /// In a queue, with no offer.
    Waiting,
    /// In a queue, one agent's phone is to ring or rings.
    Offering(Offer),
    /// With an agent.
    Connected(Connection),
    /// Over.
    Ended(Disposition),
}

/// What has been folded from a call's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Call {
    /// Where it is.
    pub phase: Phase,
    /// The caller's leg.
    pub caller_leg: Option<LegId>,
    /// Its stay and queue.
    pub visit: Option<(VisitId, QueueId)>,
    /// When the caller is answered.
    pub answer_mode: Option<AnswerMode>,
    /// When the INVITE came.
    pub received_at: Timestamp,
    /// When the caller was answered.
    pub answered_at: Option<Timestamp>,
    /// Time of the last event: nothing happens before it.
    pub last_at: Timestamp,
}

impl Call {
    /// Over.
    pub const fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// The agent's leg that is offered or connected.
    pub const fn agent_leg(&self) -> Option<LegId> {
        match &self.phase {
            Phase::Offering(offer) => Some(offer.leg),
            Phase::Connected(connection) => Some(connection.leg),
            Phase::Unborn | Phase::Waiting | Phase::Ended(_) => None,
        }
    }

    /// The session and offer that the end of the call must free.
    pub const fn engaged(&self) -> Option<(SessionId, OfferId)> {
        match &self.phase {
            Phase::Offering(offer) => Some((offer.session, offer.offer)),
            Phase::Connected(connection) => Some((connection.session, connection.offer)),
            Phase::Unborn | Phase::Waiting | Phase::Ended(_) => None,
        }
    }
}
