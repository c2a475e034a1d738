//! What a record says of a call that its agent has sent into another queue: the agent's leg
//! ends there, and with it the talk and the hold of that contact. The record stays that of
//! one call, and its agent is whoever had the caller last; each contact is on its leg.

use super::{
    leg::{Leg, LegOutcome, Legs as _, Mark, Role, SegmentEnd, SegmentKind},
    row::Row,
    talking::stop_holding,
};
use domain::{
    call::Event,
    id::{AgentId, LegId, QueueId},
    time::Timestamp,
};

/// What one agent had of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Contact {
    /// Who.
    pub(crate) agent: Option<AgentId>,
    /// The queue whose stay was answered.
    pub(crate) queue: Option<QueueId>,
    /// Since when.
    pub(crate) answered_at: Timestamp,
    /// Until when; none while it goes on.
    pub(crate) left_at: Option<Timestamp>,
    /// Time in conversation, hold excluded.
    pub(crate) talk_ms: u64,
    /// Time on hold.
    pub(crate) hold_ms: u64,
    /// Work after it, as far as it has ended.
    pub(crate) wrap_up_ms: u64,
    /// The agent has sent the caller elsewhere.
    pub(crate) is_transferred: bool,
}

impl Contact {
    fn of(leg: &Leg) -> Option<Self> {
        if leg.role != Role::Agent {
            return None;
        }
        let mut segments = leg.segments.iter();
        Some(Self {
            agent: leg.agent,
            queue: segments.find_map(|segment| segment.queue),
            answered_at: leg.answered_at?,
            left_at: leg.ended_at,
            talk_ms: leg.spent_ms(SegmentKind::Talk),
            hold_ms: leg.spent_ms(SegmentKind::Hold),
            wrap_up_ms: leg.spent_ms(SegmentKind::WrapUp),
            is_transferred: leg.outcome == Some(LegOutcome::Transferred),
        })
    }
}

/// The contacts that agents had, from the legs of a call: one, unless it was transferred.
pub(crate) fn contacts(legs: &[Leg]) -> impl Iterator<Item = Contact> {
    legs.iter().filter_map(Contact::of)
}

impl Row {
    /// How often an agent has sent it into another queue.
    pub fn transfers_count(&self) -> u32 {
        let transferred = contacts(&self.legs).filter(|contact| contact.is_transferred);
        u32::try_from(transferred.count()).unwrap_or(u32::MAX)
    }

    /// Since when an agent works after it; of several the first.
    pub(super) fn wrap_up_started_at(&self) -> Option<Timestamp> {
        let mut legs = self.legs.iter();
        legs.find_map(|leg| leg.open_since(SegmentKind::WrapUp))
    }
}

/// Agent and caller are apart; the stay that follows is told by its own event.
pub(super) fn apply(row: &mut Row, mark: Mark, event: &Event) {
    let Event::Transferred { leg, to, .. } = event else {
        return;
    };
    stop_holding(row, mark.at);
    let caller = row.caller_leg;
    ends_transferred(row, caller);
    ends_transferred(row, *leg);
    row.legs.rest(caller, mark);
    row.legs.release(*leg, mark);
    if let Some(leg) = row.legs.leg(*leg) {
        leg.outcome = Some(LegOutcome::Transferred);
        leg.transferred_to = Some(*to);
    }
}

fn ends_transferred(row: &mut Row, leg: LegId) {
    let open = row.legs.leg(leg).and_then(|leg| leg.segments.last_mut());
    if let Some(open) = open.filter(|segment| segment.ended_at.is_none()) {
        open.end = Some(SegmentEnd::Transferred);
    }
}

#[cfg(test)]
mod tests;
