//! What of a call's own record matters for its price.

use crate::{
    call,
    id::{AgentId, LegId, QueueId, TrunkId},
    time::Timestamp,
};

/// What a call says that is to be priced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// What was dialled to come in; none for a call that we began.
    pub dialled: Option<String>,
    /// The caller's leg.
    pub caller_leg: Option<LegId>,
    /// The trunk that let it in.
    pub trunk: Option<TrunkId>,
    /// The queue that it was routed to.
    pub queue: Option<QueueId>,
    /// The agent that it was connected to.
    pub agent: Option<AgentId>,
    /// When the caller was answered.
    pub answered_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
}

impl Facts {
    /// Folds a call's events.
    pub fn of<'a>(events: impl IntoIterator<Item = (Timestamp, &'a call::Event)>) -> Self {
        let mut facts = Self::default();
        for (at, event) in events {
            facts.apply(at, event);
        }
        facts
    }

    fn apply(&mut self, at: Timestamp, event: &call::Event) {
        match event {
            call::Event::Received { leg, to, trunk, .. } => {
                self.dialled = Some(to.clone());
                self.caller_leg = Some(*leg);
                self.trunk = *trunk;
            }
            call::Event::Routed { queue, .. } => self.queue = Some(*queue),
            call::Event::Answered {} => {
                self.answered_at.get_or_insert(at);
            }
            call::Event::AgentConnected { session, .. } => {
                self.answered_at.get_or_insert(at);
                self.agent = Some(session.agent);
            }
            call::Event::Ended { ended_at, .. } => self.ended_at = Some(*ended_at),
            call::Event::Enqueued { .. }
            | call::Event::Overflowed { .. }
            | call::Event::Forwarded { .. }
            | call::Event::LegDialled { .. }
            | call::Event::TrunkSelected { .. }
            | call::Event::LegProgressed { .. }
            | call::Event::LegAnswered { .. }
            | call::Event::OfferStarted { .. }
            | call::Event::LegAlerting { .. }
            | call::Event::OfferEnded { .. }
            | call::Event::Held { .. }
            | call::Event::Retrieved { .. }
            | call::Event::LateFact { .. } => {}
        }
    }
}
