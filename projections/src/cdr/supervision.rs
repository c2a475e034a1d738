//! What a record says of those who heard the call besides: a leg each, with a segment for
//! each mode.

use super::{
    leg::{Leg, Legs as _, Mark, Role, SegmentKind},
    row::Row,
};
use domain::{
    call::{Event, SupervisionEnd, SupervisionMode},
    id::LegId,
};

const fn kind(mode: SupervisionMode) -> SegmentKind {
    match mode {
        SupervisionMode::Listen => SegmentKind::Listen,
        SupervisionMode::Whisper => SegmentKind::Whisper,
        SupervisionMode::Barge => SegmentKind::Barge,
        SupervisionMode::Takeover => SegmentKind::Takeover,
    }
}

/// A call that is taken over says so by an event of its own, which follows.
fn enter(row: &mut Row, leg: LegId, mark: Mark, mode: SupervisionMode) {
    if mode != SupervisionMode::Takeover {
        row.legs.turn(leg, mark, kind(mode), None);
    }
}

pub(super) fn apply(row: &mut Row, mark: Mark, event: &Event) {
    if let Event::SupervisionRequested {
        leg, supervisor, ..
    } = event
    {
        row.legs.push(Leg {
            parent: Some(row.caller_leg),
            agent: Some(*supervisor),
            ..Leg::new(*leg, Role::Supervisor, mark.at)
        });
    }
    if let Event::SupervisionStarted {
        leg,
        mode,
        codec,
        device,
        ..
    } = event
    {
        if let Some(answered) = row.legs.leg(*leg) {
            answered.answered_at = Some(mark.at);
            answered.codec.clone_from(codec);
            answered.device.clone_from(device);
        }
        enter(row, *leg, mark, *mode);
    }
    // Of a phone that rings it is told when it answers.
    if let Event::SupervisionModeChanged { leg, mode, .. } = event
        && row
            .legs
            .leg(*leg)
            .is_some_and(|leg| leg.answered_at.is_some())
    {
        enter(row, *leg, mark, *mode);
    }
    if let Event::SupervisionEnded {
        leg, reason, wire, ..
    } = event
    {
        if let Some(leg) = row.legs.leg(*leg) {
            leg.supervision_end = Some(*reason);
            leg.sip_status = wire.sip_status;
            leg.reason_header.clone_from(&wire.reason_header);
        }
        // With the call, at the time that the end of the call says.
        if !matches!(reason, SupervisionEnd::CallEnded | SupervisionEnd::NodeLost) {
            row.legs.release(*leg, mark);
        }
    }
}
