//! What a record says of a call that a supervisor has taken from its agent: the agent's leg
//! ends, and so does what counts as the agent's, its talk and its hold. What follows is on
//! the legs of caller and supervisor as segments of their own. The agent of the record stays
//! whoever answered.

use super::{
    leg::{Leg, Legs as _, Mark, SegmentKind},
    row::Row,
    talking::{agent_leg, both, stop_holding},
};
use domain::{
    call::{Event, SupervisionEnd},
    time::Timestamp,
};

/// The leg of the supervisor who has the call.
pub(super) fn takers_leg(row: &Row) -> Option<&Leg> {
    let mut legs = row.legs.iter();
    legs.find(|leg| leg.supervision_end == Some(SupervisionEnd::TakenOver))
}

/// When the call was taken from the agent who had answered it.
pub(super) fn agent_left_at(row: &Row) -> Option<Timestamp> {
    takers_leg(row)?;
    let left = agent_leg(row)?;
    let mut legs = row.legs.iter();
    legs.find(|leg| leg.leg == left)?.ended_at
}

pub(super) fn apply(row: &mut Row, mark: Mark, event: &Event) {
    let Event::TakenOver { leg, from_leg, .. } = event else {
        return;
    };
    let caller = row.caller_leg;
    let is_held = row.holding.contains(&caller);
    stop_holding(row, mark.at);
    row.legs.release(*from_leg, mark);
    if let Some(leg) = row.legs.leg(*leg) {
        leg.supervision_end = Some(SupervisionEnd::TakenOver);
    }
    match is_held {
        true => {
            row.holding.push(caller);
            row.held_at = Some(mark.at);
            both(row, mark, SegmentKind::Hold);
        }
        false => both(row, mark, SegmentKind::Takeover),
    }
}

#[cfg(test)]
mod tests;
