//! Who hears whom, on the legs of both sides: talk, and holds of it.

use super::{
    leg::{Legs as _, Mark, Role, SegmentKind},
    row::{Direction, Row},
    takeover,
};
use domain::{
    call::Event,
    id::{LegId, QueueId},
    time::Timestamp,
};

impl Row {
    /// How long that went on on the caller's leg.
    pub(super) fn spent_ms(&self, kind: SegmentKind) -> u64 {
        let caller = self.legs.iter().find(|leg| leg.leg == self.caller_leg);
        caller.map_or(0, |leg| leg.spent_ms(kind))
    }
}

/// One side holds the other, or takes it back.
pub(super) fn apply(row: &mut Row, mark: Mark, event: &Event) {
    if let Event::Held { leg } = event {
        row.holding.push(*leg);
        if row.held_at.is_none() {
            row.held_at = Some(mark.at);
            both(row, mark, SegmentKind::Hold);
        }
    }
    if let Event::Retrieved { leg } = event {
        row.holding.retain(|holding| holding != leg);
        if row.holding.is_empty() && row.held_at.is_some() {
            stop_holding(row, mark.at);
            talk(row, mark);
        }
    }
}

/// The leg of the agent who was connected.
pub(super) fn agent_leg(row: &Row) -> Option<LegId> {
    let connected = row.offer?;
    let legs = row.legs.iter();
    legs.rev()
        .find(|leg| leg.offer == Some(connected))
        .map(|leg| leg.leg)
}

/// Caller and agent, or somebody outside, hear each other from now on.
pub(super) fn talk(row: &mut Row, mark: Mark) {
    if row.direction == Direction::Outbound && row.answered_at.is_none() {
        // The agent hears it ring.
        row.legs.rest(row.caller_leg, mark);
        if let Some(leg) = agent_leg(row) {
            row.legs.rest(leg, mark);
        }
        return;
    }
    both(row, mark, talk_of(row));
}

/// With whoever has the call: an agent, somebody outside, or who took it over.
fn talk_of(row: &Row) -> SegmentKind {
    match takeover::takers_leg(row) {
        Some(_) => SegmentKind::Takeover,
        None => SegmentKind::Talk,
    }
}

/// The leg that the caller is connected to, and the queue that it is of.
fn other_leg(row: &Row) -> Option<(LegId, Option<QueueId>)> {
    if let Some(taker) = takeover::takers_leg(row) {
        return Some((taker.leg, row.queue));
    }
    let outside = row.legs.iter().rev().find(|leg| {
        leg.role == Role::Forwarded && leg.answered_at.is_some() && leg.ended_at.is_none()
    });
    match outside {
        Some(leg) => Some((leg.leg, None)),
        None => agent_leg(row).map(|leg| (leg, row.queue)),
    }
}

/// The same goes on on the caller's leg and on that of whoever is connected.
pub(super) fn both(row: &mut Row, mark: Mark, kind: SegmentKind) {
    let Some((other, queue)) = other_leg(row) else {
        return;
    };
    row.legs.turn(row.caller_leg, mark, kind, queue);
    row.legs.turn(other, mark, kind, queue);
    let with = takeover::takers_leg(row).map_or(row.agent, |leg| leg.agent);
    let (caller, whose) = (row.caller_leg, queue.and(with));
    let open = row.legs.leg(caller).and_then(|leg| leg.segments.last_mut());
    if let Some(open) = open {
        open.agent = whose;
    }
}

/// What is held of a call that was taken over is not its agent's.
pub(super) fn stop_holding(row: &mut Row, at: Timestamp) {
    let since = row.held_at.take();
    if let Some(since) = since.filter(|_| takeover::takers_leg(row).is_none()) {
        row.hold_ms = row.hold_ms.saturating_add(at.ms_since(since));
    }
    row.holding.clear();
}
