//! What each event does to the record of a call.

use super::row::{Direction, End, Row, Superseded};
use crate::{
    caller::Caller,
    projection::{Effect, Input},
};
use domain::{
    any::AnyEvent, call::Event, id::CallId, id::LegId, session::Event as SessionEvent,
    time::Timestamp,
};

/// Earlier revisions that a record keeps; the timeline has all that happened.
const SUPERSEDED_MAX: usize = 16;

/// The call that a fact is about, if its record may change by it.
pub(crate) const fn call_of(event: &AnyEvent) -> Option<CallId> {
    match event {
        AnyEvent::Call(call, _)
        | AnyEvent::Session(
            _,
            SessionEvent::WrapUpStarted { call, .. } | SessionEvent::WrapUpEnded { call, .. },
        ) => Some(*call),
        AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..) => None,
    }
}

pub(crate) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    if let AnyEvent::Call(call, Event::Received { .. }) = &input.fact.event {
        *row = received(*call, input);
        return Effect::Changed;
    }
    let Some(row) = row else {
        return Effect::Kept;
    };
    let at = input.fact.at;
    match &input.fact.event {
        AnyEvent::Call(_, event) => {
            supersede_by(row, event);
            progress(row, at, event);
        }
        AnyEvent::Session(_, SessionEvent::WrapUpStarted { .. }) => {
            row.wrap_up_started_at = Some(at);
        }
        AnyEvent::Session(_, SessionEvent::WrapUpEnded { .. }) => {
            supersede(row);
            if let Some(started) = row.wrap_up_started_at.take() {
                row.wrap_up_ms = row.wrap_up_ms.saturating_add(at.ms_since(started));
            }
        }
        AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..) => return Effect::Kept,
    }
    row.position = input.fact.position;
    Effect::Changed
}

fn received(call: CallId, input: &Input<'_>) -> Option<Row> {
    let AnyEvent::Call(
        _,
        Event::Received {
            leg,
            from,
            to,
            trunk,
            sip_call_id,
        },
    ) = &input.fact.event
    else {
        return None;
    };
    Some(Row {
        call,
        position: input.fact.position,
        event_position_first: input.fact.position,
        revision: 0,
        direction: Direction::Inbound,
        caller: Caller::new(from, input.party),
        to: to.clone(),
        trunk: *trunk,
        queue: None,
        agent: None,
        offer: None,
        caller_leg: *leg,
        sip_call_id: sip_call_id.clone(),
        started_at: input.fact.at,
        enqueued_at: None,
        alerting_at: None,
        answered_at: None,
        agent_connected_at: None,
        end: None,
        offers_count: 0,
        ring_ms: 0,
        hold_ms: 0,
        wrap_up_ms: 0,
        late_facts_count: 0,
        superseded: vec![],
        ringing: None,
        holding: vec![],
        held_at: None,
        wrap_up_started_at: None,
    })
}

fn progress(row: &mut Row, at: Timestamp, event: &Event) {
    match event {
        Event::Received { .. } => {}
        Event::Routed { queue, .. } => row.queue = Some(*queue),
        Event::Enqueued { queue, .. } => {
            row.queue = Some(*queue);
            row.enqueued_at = Some(at);
        }
        Event::Answered {} => row.answered_at = Some(at),
        Event::OfferStarted { .. } => row.offers_count = row.offers_count.saturating_add(1),
        Event::LegAlerting { leg, .. } => {
            row.ringing = Some((*leg, at));
            row.alerting_at = row.alerting_at.or(Some(at));
        }
        Event::OfferEnded { leg, .. } => stop_ringing(row, *leg, at),
        Event::AgentConnected {
            offer,
            session,
            leg,
            ..
        } => {
            stop_ringing(row, *leg, at);
            row.agent = Some(session.agent);
            row.offer = Some(*offer);
            row.agent_connected_at = Some(at);
        }
        Event::Held { leg } => {
            row.held_at = row.held_at.or(Some(at));
            if !row.holding.contains(leg) {
                row.holding.push(*leg);
            }
        }
        Event::Retrieved { leg } => {
            row.holding.retain(|holding| holding != leg);
            if row.holding.is_empty() {
                stop_holding(row, at);
            }
        }
        Event::Ended { .. } => end(row, event),
        Event::LateFact { .. } => row.late_facts_count = row.late_facts_count.saturating_add(1),
    }
}

fn stop_ringing(row: &mut Row, leg: LegId, at: Timestamp) {
    if let Some((_, since)) = row.ringing.take_if(|(ringing, _)| *ringing == leg) {
        row.ring_ms = row.ring_ms.saturating_add(at.ms_since(since));
    }
}

fn stop_holding(row: &mut Row, at: Timestamp) {
    if let Some(since) = row.held_at.take() {
        row.hold_ms = row.hold_ms.saturating_add(at.ms_since(since));
    }
    row.holding.clear();
}

fn end(row: &mut Row, event: &Event) {
    let Event::Ended {
        cause,
        disposition,
        ended_at,
        incomplete,
        ..
    } = event
    else {
        return;
    };
    if let Some((leg, _)) = row.ringing {
        stop_ringing(row, leg, *ended_at);
    }
    stop_holding(row, *ended_at);
    row.revision = 1;
    row.end = Some(End {
        at: *ended_at,
        disposition: *disposition,
        result: cause.result,
        reason: cause.reason,
        by: cause.by,
        sip_status: cause.sip_status,
        q850_cause: cause.q850,
        reason_header: cause.reason_header.clone(),
        incomplete: *incomplete,
    });
}

fn supersede_by(row: &mut Row, event: &Event) {
    match event {
        Event::LateFact { .. } => supersede(row),
        Event::Received { .. }
        | Event::Routed { .. }
        | Event::Enqueued { .. }
        | Event::Answered {}
        | Event::OfferStarted { .. }
        | Event::LegAlerting { .. }
        | Event::OfferEnded { .. }
        | Event::AgentConnected { .. }
        | Event::Held { .. }
        | Event::Retrieved { .. }
        | Event::Ended { .. } => {}
    }
}

/// A fact that came after the end corrects the record: what it said before is
/// kept beside it.
fn supersede(row: &mut Row) {
    if row.end.is_none() {
        return;
    }
    if row.superseded.len() >= SUPERSEDED_MAX {
        row.superseded.remove(0);
    }
    row.superseded.push(Superseded {
        revision: row.revision,
        event_position_last: row.position,
        wrap_up_ms: row.wrap_up_ms,
        late_facts_count: row.late_facts_count,
    });
    row.revision = row.revision.saturating_add(1);
}
