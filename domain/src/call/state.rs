//! What is known of a call.

use super::{key::Key, supervision::Supervision, voicemail::Pending, way::AnswerMode};
use crate::{
    cause::{By, Disposition},
    id::{AgentId, LegId, OfferId, QueueId, SessionId, TrunkId, VisitId},
    sealed::{Party, Sealed},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Whether an offer's phone is to answer by an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum AnswerOrder {
    /// Nobody has said so.
    #[default]
    None,
    /// Somebody has, once.
    Given,
    /// Somebody has, and no phone of the offer does such a thing.
    Refused,
}

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
    /// It is to answer by an order.
    pub answer_order: AnswerOrder,
}

impl Offer {
    /// Of a phone that does not ring yet.
    pub const fn new(offer: OfferId, visit: VisitId, session: SessionId, leg: LegId) -> Self {
        Self {
            offer,
            visit,
            session,
            leg,
            alerting: false,
            answer_order: AnswerOrder::None,
        }
    }
}

/// Caller and agent talk; or the supervisor who has taken the call from the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The accepted offer.
    pub offer: OfferId,
    /// Who.
    pub session: SessionId,
    /// The agent's leg; the supervisor's, once that one has the call.
    pub leg: LegId,
    /// Legs whose phone holds the other side.
    pub holding: BTreeSet<LegId>,
    /// The leg to the person who is rung back, in a call that we placed.
    pub outside: Option<Outside>,
    /// Who has taken the call from the agent, whose contact is over.
    pub supervisor: Option<AgentId>,
}

impl Connection {
    /// Whose doing it is when that side ends the call.
    pub const fn side(&self) -> By {
        match self.supervisor {
            Some(_) => By::Supervisor,
            None => By::Agent,
        }
    }

    /// The session and offer of an agent who is there.
    fn engaged(&self) -> Option<(SessionId, OfferId)> {
        let is_there = self.supervisor.is_none();
        is_there.then_some((self.session, self.offer))
    }

    /// The two hear each other: nobody is being dialled any more.
    pub const fn is_talking(&self) -> bool {
        match &self.outside {
            Some(outside) => outside.answered_at.is_some(),
            None => true,
        }
    }
}

/// A leg that goes out through a trunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outside {
    /// Which leg.
    pub leg: LegId,
    /// The trunk that it took last.
    pub trunk: Option<TrunkId>,
    /// The other side rings.
    pub alerting: bool,
    /// It is heard before it answers.
    pub early_media: bool,
    /// When it answered.
    pub answered_at: Option<Timestamp>,
    /// Legs whose phone holds the other side.
    pub holding: BTreeSet<LegId>,
}

impl Outside {
    /// Of a leg that has just been dialled.
    pub const fn dialled(leg: LegId) -> Self {
        Self {
            leg,
            trunk: None,
            alerting: false,
            early_media: false,
            answered_at: None,
            holding: BTreeSet::new(),
        }
    }
}

/// Where the call is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Phase {
    /// No INVITE yet.
    #[default]
    Unborn,
    /// In a queue, with no offer.
    Waiting,
    /// In a queue, phones of agents are to ring or ring: one, or several side
    /// by side; never none.
    Offering(Vec<Offer>),
    /// With an agent.
    Connected(Connection),
    /// On its way to a number outside, or talking with it.
    Forwarded(Outside),
    /// The caller hears an announcement, the last thing before the end.
    Announcing,
    /// The caller hears the greeting of a mailbox or leaves a message, the last thing
    /// before the end.
    InMailbox,
    /// Over.
    Ended(Disposition),
}

/// What has been folded from a call's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Call {
    /// Where it is.
    pub phase: Phase,
    /// The caller's leg; in a call that we placed, the one to the person.
    pub caller_leg: Option<LegId>,
    /// Who calls, or is rung back; none of whoever shows no number.
    pub party: Option<Sealed<Party>>,
    /// We placed it.
    pub is_placed: bool,
    /// Its stay and queue.
    pub visit: Option<(VisitId, QueueId)>,
    /// Queues that it has been in.
    pub queues: BTreeSet<QueueId>,
    /// Keys that lead out of the queue.
    pub exit_keys: Vec<Key>,
    /// What is heard by whoever waits or is held; our own track, without it.
    pub music: Option<String>,
    /// When the caller is answered.
    pub answer_mode: Option<AnswerMode>,
    /// When the INVITE came.
    pub received_at: Timestamp,
    /// When the caller was answered.
    pub answered_at: Option<Timestamp>,
    /// Its sound has been measured.
    pub is_measured: bool,
    /// The message that it leaves or has left.
    #[serde(default)]
    pub voicemail: Option<Pending>,
    /// Words by which it is found again.
    pub tags: BTreeSet<String>,
    /// How often it was tagged.
    pub taggings_count: u32,
    /// Who hears it besides, or is to.
    pub supervision: Option<Supervision>,
    /// How often somebody was to, or in another mode.
    pub supervisings_count: u32,
    /// How often its agent has sent it into another queue.
    pub transfers_count: u32,
    /// Time of the last event: nothing happens before it.
    pub last_at: Timestamp,
}

impl Call {
    /// Over.
    pub const fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// The agent's leg that is offered, of several the first, or connected; that of the
    /// supervisor who has taken the call over.
    pub fn agent_leg(&self) -> Option<LegId> {
        match &self.phase {
            Phase::Offering(offers) => offers.first().map(|offer| offer.leg),
            Phase::Connected(connection) => Some(connection.leg),
            Phase::Unborn
            | Phase::Waiting
            | Phase::Forwarded(_)
            | Phase::Announcing
            | Phase::InMailbox
            | Phase::Ended(_) => None,
        }
    }

    /// The leg that goes out through a trunk.
    pub const fn outside_leg(&self) -> Option<LegId> {
        match &self.phase {
            Phase::Forwarded(outside) => Some(outside.leg),
            Phase::Unborn
            | Phase::Waiting
            | Phase::Offering(_)
            | Phase::Connected(_)
            | Phase::Announcing
            | Phase::InMailbox
            | Phase::Ended(_) => None,
        }
    }

    /// The two legs that hear each other and who holds: caller, other side.
    pub const fn talking(&self) -> Option<(LegId, LegId, &BTreeSet<LegId>)> {
        let Some(caller) = self.caller_leg else {
            return None;
        };
        match &self.phase {
            Phase::Connected(connection) if connection.is_talking() => {
                Some((caller, connection.leg, &connection.holding))
            }
            Phase::Forwarded(outside) if outside.answered_at.is_some() => {
                Some((caller, outside.leg, &outside.holding))
            }
            Phase::Unborn
            | Phase::Waiting
            | Phase::Offering(_)
            | Phase::Connected(_)
            | Phase::Forwarded(_)
            | Phase::Announcing
            | Phase::InMailbox
            | Phase::Ended(_) => None,
        }
    }

    /// The stay that a key of that leg's phone leads out of: only while the caller
    /// waits, and only one of the keys of that queue.
    pub fn exit_of(&self, leg: LegId, key: Key) -> Option<(VisitId, QueueId)> {
        let waits = match &self.phase {
            Phase::Waiting | Phase::Offering(_) => self.caller_leg == Some(leg),
            Phase::Unborn
            | Phase::Connected(_)
            | Phase::Forwarded(_)
            | Phase::Announcing
            | Phase::InMailbox
            | Phase::Ended(_) => false,
        };
        self.visit
            .filter(|_| waits && self.exit_keys.contains(&key))
    }

    /// The leg that is being dialled or was, through a trunk.
    pub const fn outside(&self) -> Option<&Outside> {
        match &self.phase {
            Phase::Forwarded(outside) => Some(outside),
            Phase::Connected(connection) => connection.outside.as_ref(),
            Phase::Unborn
            | Phase::Waiting
            | Phase::Offering(_)
            | Phase::Announcing
            | Phase::InMailbox
            | Phase::Ended(_) => None,
        }
    }

    /// The offers that are live: several where phones ring side by side.
    pub fn offers(&self) -> &[Offer] {
        match &self.phase {
            Phase::Offering(offers) => offers,
            Phase::Unborn
            | Phase::Waiting
            | Phase::Connected(_)
            | Phase::Forwarded(_)
            | Phase::Announcing
            | Phase::InMailbox
            | Phase::Ended(_) => &[],
        }
    }

    /// The live offer whose phone has that leg.
    pub fn offer_of(&self, leg: LegId) -> Option<&Offer> {
        self.offers().iter().find(|offer| offer.leg == leg)
    }

    /// The session and offer that the end of the call must free; of several
    /// offers the first, as the others end before the call does. None once a supervisor
    /// has taken the call over: that one has no session in it.
    pub fn engaged(&self) -> Option<(SessionId, OfferId)> {
        match &self.phase {
            Phase::Offering(offers) => offers.first().map(|offer| (offer.session, offer.offer)),
            Phase::Connected(connection) => connection.engaged(),
            Phase::Unborn
            | Phase::Waiting
            | Phase::Forwarded(_)
            | Phase::Announcing
            | Phase::InMailbox
            | Phase::Ended(_) => None,
        }
    }
}
