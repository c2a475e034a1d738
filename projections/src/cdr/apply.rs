//! What each event does to a call's record. Only times that events carry are
//! used, so that a replay gives the same record.

use super::row::{Direction, End, Row, Superseded};
use crate::{
    caller::Caller,
    projection::{Effect, Input},
};
use domain::{
    any::{AnyEvent, Fact},
    call::Event,
    id::{CallId, LegId},
    session,
    time::Timestamp,
};

pub(super) fn key(fact: &Fact) -> Option<CallId> {
    match &fact.event {
        AnyEvent::Call(call, _) => Some(*call),
        AnyEvent::Session(
            _,
            session::Event::WrapUpStarted { call, .. } | session::Event::WrapUpEnded { call, .. },
        ) => Some(*call),
        AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..) => None,
    }
}

pub(super) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    if let AnyEvent::Call(_, Event::Received { .. }) = &input.fact.event {
        *row = received(input);
        return Effect::Changed;
    }
    let Some(row) = row.as_mut() else {
        return Effect::Kept;
    };
    let at = input.fact.at;
    let effect = match &input.fact.event {
        AnyEvent::Call(_, event) => on_call(row, at, event),
        AnyEvent::Session(_, session::Event::WrapUpStarted { .. }) => {
            row.wrap_up_started_at = Some(at);
            Effect::Changed
        }
        AnyEvent::Session(_, session::Event::WrapUpEnded { .. }) => {
            let Some(started_at) = row.wrap_up_started_at.take() else {
                return Effect::Kept;
            };
            supersede(row);
            row.wrap_up_ms = row.wrap_up_ms.saturating_add(at.ms_since(started_at));
            Effect::Changed
        }
        AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..) => Effect::Kept,
    };
    if effect == Effect::Changed {
        row.position = input.fact.position;
    }
    effect
}

fn received(input: &Input<'_>) -> Option<Row> {
    let AnyEvent::Call(
        call,
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
        call: *call,
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

fn on_call(row: &mut Row, at: Timestamp, event: &Event) -> Effect {
    match event {
        Event::Received { .. } => return Effect::Kept,
        Event::Routed { queue, .. } => row.queue = Some(*queue),
        Event::Enqueued { .. } => row.enqueued_at = Some(at),
        Event::Answered {} => row.answered_at = Some(at),
        Event::OfferStarted { .. } => row.offers_count = row.offers_count.saturating_add(1),
        Event::LegAlerting { leg, .. } => {
            row.alerting_at.get_or_insert(at);
            row.ringing = Some((*leg, at));
        }
        Event::OfferEnded { leg, .. } => stop_ringing(row, Some(*leg), at),
        Event::AgentConnected {
            leg,
            session,
            offer,
            ..
        } => {
            stop_ringing(row, Some(*leg), at);
            row.agent = Some(session.agent);
            row.offer = Some(*offer);
            row.agent_connected_at = Some(at);
        }
        Event::Held { leg } => {
            row.holding.push(*leg);
            row.held_at.get_or_insert(at);
        }
        Event::Retrieved { leg } => {
            row.holding.retain(|holding| holding != leg);
            if row.holding.is_empty() {
                stop_holding(row, at);
            }
        }
        Event::Ended {
            cause,
            disposition,
            ended_at,
            incomplete,
            ..
        } => {
            stop_ringing(row, None, *ended_at);
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
        Event::LateFact { .. } => {
            supersede(row);
            row.late_facts_count = row.late_facts_count.saturating_add(1);
        }
    }
    Effect::Changed
}

/// What the record said so far is kept under its revision.
fn supersede(row: &mut Row) {
    row.superseded.push(Superseded {
        revision: row.revision,
        event_position_last: row.position,
        wrap_up_ms: row.wrap_up_ms,
        late_facts_count: row.late_facts_count,
    });
    row.revision = row.revision.saturating_add(1);
}

fn stop_ringing(row: &mut Row, leg: Option<LegId>, at: Timestamp) {
    if let Some((ringing, since)) = row.ringing
        && leg.is_none_or(|leg| leg == ringing)
    {
        row.ring_ms = row.ring_ms.saturating_add(at.ms_since(since));
        row.ringing = None;
    }
}

fn stop_holding(row: &mut Row, at: Timestamp) {
    if let Some(since) = row.held_at.take() {
        row.hold_ms = row.hold_ms.saturating_add(at.ms_since(since));
    }
    row.holding.clear();
}
