//! What each event does to a call's record. Only times that events carry are
//! used, so that a replay gives the same record.

use super::{
    diverted::Diverted,
    leg::{Leg, Legs as _, Mark, Measured, Role, SegmentKind, Tried},
    row::{Direction, End, Row, Superseded},
    supervision, takeover,
    talking::{self, stop_holding, talk},
    transfer,
    voicemail::Voicemail,
};
use crate::{
    caller::Caller,
    projection::{Effect, Input},
    user_field::UserField,
};
use domain::{
    any::{AnyEvent, Fact},
    call::{Event, LegMedia, Target},
    id::{AgentId, CallId, LegId, QueueId},
    sealed::{Party, Sealed},
    session,
    time::Timestamp,
};
use std::collections::BTreeSet;

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
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => None,
    }
}

pub(super) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    if let AnyEvent::Call(_, Event::Received { .. } | Event::Placed { .. }) = &input.fact.event {
        *row = begun(input);
        return Effect::Changed;
    }
    let Some(row) = row.as_mut() else {
        return Effect::Kept;
    };
    let at = input.fact.at;
    let mark = Mark {
        at,
        position: input.fact.position,
    };
    let effect = match &input.fact.event {
        AnyEvent::Call(_, event) => on_call(row, mark, input, event),
        AnyEvent::Session(session, session::Event::WrapUpStarted { .. }) => {
            let Some((leg, queue)) = contact_of(row, session.agent) else {
                return Effect::Kept;
            };
            row.legs.turn(leg, mark, SegmentKind::WrapUp, queue);
            Effect::Changed
        }
        AnyEvent::Session(session, session::Event::WrapUpEnded { .. }) => {
            let Some((leg, started_at)) = working_since(row, session.agent) else {
                return Effect::Kept;
            };
            // Of a call that was taken over or transferred it can be over before the call is.
            if row.end.is_some() {
                supersede(row, mark);
            }
            row.legs.rest(leg, mark);
            row.wrap_up_ms = row.wrap_up_ms.saturating_add(at.ms_since(started_at));
            Effect::Changed
        }
        AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => Effect::Kept,
    };
    if effect == Effect::Changed {
        row.position = input.fact.position;
    }
    effect
}

/// It came in, or we place it.
fn begun(input: &Input<'_>) -> Option<Row> {
    let AnyEvent::Call(call, event) = &input.fact.event else {
        return None;
    };
    let new = |leg: &LegId, person: &Sealed<Party>| Row {
        call: *call,
        position: input.fact.position,
        event_position_first: input.fact.position,
        revision: 0,
        tenant: input.fact.tenant,
        direction: Direction::Outbound,
        caller: Caller::new(person, input.party),
        to: String::new(),
        trunk: None,
        queue: None,
        agent: None,
        offer: None,
        caller_leg: *leg,
        sip_call_id: String::new(),
        user_agent: None,
        diverted: None,
        node_epoch: input.fact.node_epoch,
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
        revised_position: 0,
        voicemail: None,
        tags: BTreeSet::new(),
        user_field: None,
        superseded: vec![],
        legs: vec![Leg::new(*leg, Role::Originator, input.fact.at)],
        ringing: None,
        holding: vec![],
        held_at: None,
    };
    if let Event::Placed { leg, party, .. } = event {
        return Some(new(leg, party));
    }
    let Event::Received {
        leg,
        from,
        to,
        trunk,
        sip_call_id,
        user_agent,
        ..
    } = event
    else {
        return None;
    };
    Some(Row {
        direction: Direction::Inbound,
        to: to.clone(),
        trunk: *trunk,
        sip_call_id: sip_call_id.clone(),
        user_agent: user_agent.clone(),
        ..new(leg, from)
    })
}

#[allow(
    clippy::too_many_lines,
    reason = "an arm for each event, and nothing else"
)]
fn on_call(row: &mut Row, mark: Mark, input: &Input<'_>, event: &Event) -> Effect {
    let at = mark.at;
    match event {
        Event::Received { .. } | Event::Placed { .. } => return Effect::Kept,
        Event::Diverted { diverter, reason } => {
            row.diverted = Some(Diverted {
                by: Caller::new(diverter, input.party),
                reason: *reason,
            });
        }
        Event::Routed { queue, .. } => row.queue = Some(*queue),
        Event::Enqueued { queue, .. } => {
            row.enqueued_at.get_or_insert(at);
            row.queue = Some(*queue);
            let (leg, queue) = (row.caller_leg, Some(*queue));
            row.legs.turn(leg, mark, SegmentKind::Queue, queue);
        }
        Event::Answered {} => {
            row.answered_at = Some(at);
            if let Some(leg) = row.legs.leg(row.caller_leg) {
                leg.answered_at = Some(at);
            }
        }
        Event::OfferStarted { .. }
        | Event::LegAlerting { .. }
        | Event::OfferEnded { .. }
        | Event::AgentConnected { .. } => on_offer(row, mark, event),
        Event::Overflowed { .. }
        | Event::LegDialled { .. }
        | Event::TrunkSelected { .. }
        | Event::LegProgressed { .. }
        | Event::AnnouncementStarted { .. }
        | Event::LegAnswered { .. } => on_outside(row, mark, event),
        Event::VoicemailStarted { mailbox, .. } => {
            row.voicemail = Some(Voicemail::begun(*mailbox));
            row.legs
                .turn(row.caller_leg, mark, SegmentKind::Voicemail, None);
        }
        Event::VoicemailEnded { .. } => {
            if row.end.is_some() {
                supersede(row, mark);
            }
            row.voicemail = Voicemail::ended(event, mark.position);
        }
        Event::Forwarded { .. }
        | Event::ExitKeyPressed { .. }
        | Event::PlaceTold { .. }
        | Event::AnswerOrdered { .. }
        | Event::AnswerOrderRefused { .. }
        | Event::Withdrawn { .. }
        | Event::CallbackRequested { .. } => return Effect::Kept,
        Event::Held { .. } | Event::Retrieved { .. } => talking::apply(row, mark, event),
        Event::Ended { .. } => ended(row, mark, event),
        Event::Tagged { .. } => tagged(row, mark, input, event),
        Event::SupervisionRequested { .. }
        | Event::SupervisionStarted { .. }
        | Event::SupervisionModeChanged { .. }
        | Event::SupervisionEnded { .. } => supervision::apply(row, mark, event),
        Event::TakenOver { .. } => takeover::apply(row, mark, event),
        Event::Transferred { .. } => transfer::apply(row, mark, event),
        Event::MediaMeasured { legs } => measured(row, mark, legs),
        Event::LateFact { .. } => {
            supersede(row, mark);
            row.late_facts_count = row.late_facts_count.saturating_add(1);
        }
    }
    Effect::Changed
}

/// The leg of the agent's contact, the last if there are several, and the queue that it is of.
fn contact_of(row: &Row, agent: AgentId) -> Option<(LegId, Option<QueueId>)> {
    let mut legs = row.legs.iter().rev();
    let leg = legs.find(|leg| {
        leg.role == Role::Agent && leg.agent == Some(agent) && leg.answered_at.is_some()
    })?;
    let mut segments = leg.segments.iter();
    Some((leg.leg, segments.find_map(|segment| segment.queue)))
}

/// The leg after whose contact the agent works, and since when.
fn working_since(row: &Row, agent: AgentId) -> Option<(LegId, Timestamp)> {
    let (leg, _) = contact_of(row, agent)?;
    let leg = row.legs.iter().find(|known| known.leg == leg)?;
    let open = leg.open_since(SegmentKind::WrapUp)?;
    Some((leg.leg, open))
}

/// An agent's phone: called, ringing, gone or connected.
fn on_offer(row: &mut Row, mark: Mark, event: &Event) {
    let at = mark.at;
    match event {
        Event::OfferStarted {
            offer,
            session,
            leg,
            ..
        } => {
            row.offers_count = row.offers_count.saturating_add(1);
            row.legs.push(Leg {
                parent: Some(row.caller_leg),
                agent: Some(session.agent),
                offer: Some(*offer),
                ..Leg::new(*leg, Role::Agent, at)
            });
        }
        Event::LegAlerting { leg, .. } => rings(row, mark, *leg),
        Event::OfferEnded {
            leg, outcome, wire, ..
        } => {
            stop_ringing(row, Some(*leg), at);
            row.legs.release(*leg, mark);
            if let Some(leg) = row.legs.leg(*leg) {
                leg.outcome = Some((*outcome).into());
                leg.sip_status = wire.sip_status;
                leg.reason_header.clone_from(&wire.reason_header);
            }
            keep_ringing(row, at);
        }
        Event::AgentConnected { .. } => connected(row, mark, event),
        Event::Received { .. }
        | Event::Routed { .. }
        | Event::Enqueued { .. }
        | Event::ExitKeyPressed { .. }
        | Event::PlaceTold { .. }
        | Event::Overflowed { .. }
        | Event::AnnouncementStarted { .. }
        | Event::VoicemailStarted { .. }
        | Event::VoicemailEnded { .. }
        | Event::Forwarded { .. }
        | Event::LegDialled { .. }
        | Event::TrunkSelected { .. }
        | Event::LegProgressed { .. }
        | Event::LegAnswered { .. }
        | Event::Answered {}
        | Event::Held { .. }
        | Event::Retrieved { .. }
        | Event::Ended { .. }
        | Event::Placed { .. }
        | Event::AnswerOrdered { .. }
        | Event::AnswerOrderRefused { .. }
        | Event::Withdrawn { .. }
        | Event::CallbackRequested { .. }
        | Event::Diverted { .. }
        | Event::MediaMeasured { .. }
        | Event::SupervisionRequested { .. }
        | Event::SupervisionStarted { .. }
        | Event::SupervisionModeChanged { .. }
        | Event::TakenOver { .. }
        | Event::Transferred { .. }
        | Event::SupervisionEnded { .. }
        | Event::Tagged { .. }
        | Event::LateFact { .. } => {}
    }
}

fn rings(row: &mut Row, mark: Mark, leg: LegId) {
    row.alerting_at.get_or_insert(mark.at);
    // Phones side by side ring for one stretch of time.
    row.ringing.get_or_insert((leg, mark.at));
    if let Some(ringing) = row.legs.leg(leg) {
        ringing.alerting_at.get_or_insert(mark.at);
    }
    row.legs.turn(leg, mark, SegmentKind::Alert, row.queue);
}

fn connected(row: &mut Row, mark: Mark, event: &Event) {
    let Event::AgentConnected {
        leg,
        session,
        offer,
        codec,
        device,
        ..
    } = event
    else {
        return;
    };
    stop_ringing(row, None, mark.at);
    row.agent = Some(session.agent);
    row.offer = Some(*offer);
    row.agent_connected_at = Some(mark.at);
    if let Some(leg) = row.legs.leg(*leg) {
        leg.answered_at = Some(mark.at);
        leg.codec.clone_from(codec);
        leg.device.clone_from(device);
    }
    talk(row, mark);
}

/// Another trunk is tried; what the one before has said is kept.
fn tries(row: &mut Row, at: Timestamp, event: &Event) {
    let Event::TrunkSelected {
        leg,
        trunk,
        after,
        after_at,
        ..
    } = event
    else {
        return;
    };
    if *leg == row.caller_leg {
        row.trunk = Some(*trunk);
    }
    if let Some(leg) = row.legs.leg(*leg) {
        let said = after.clone().unwrap_or_default();
        let before = leg.trunk.replace(*trunk);
        let invited_at = leg.invited_at.replace(at);
        let progressed_at = leg.progressed_at.take();
        leg.tried.extend(before.map(|trunk| Tried {
            trunk,
            sip_status: said.sip_status,
            reason_header: said.reason_header,
            invited_at,
            progressed_at,
            failed_at: *after_at,
        }));
    }
}

/// Out of the queue, and out through a trunk: dialled, ringing, answered.
fn on_outside(row: &mut Row, mark: Mark, event: &Event) {
    let at = mark.at;
    let caller = row.caller_leg;
    match event {
        Event::Overflowed { .. } => row.legs.rest(caller, mark),
        Event::AnnouncementStarted { .. } => {
            row.legs.turn(caller, mark, SegmentKind::Announcement, None);
        }
        // Whoever is rung back has a leg from the start.
        Event::LegDialled { leg, .. } if *leg == caller => {}
        Event::LegDialled { leg, target, .. } => row.legs.push(Leg {
            parent: Some(caller),
            dialled: match target {
                Target::Number(number) => Some(number.clone()),
                // Who is rung back is the call's caller, and only such are persons.
                Target::Party(_) => None,
            },
            ..Leg::new(*leg, Role::Forwarded, at)
        }),
        Event::LegProgressed { leg, .. } => progressed(row, mark, *leg),
        Event::TrunkSelected { .. } => tries(row, at, event),
        Event::LegAnswered { leg, codec } => {
            stop_ringing(row, Some(*leg), at);
            if *leg == caller {
                row.answered_at = Some(at);
            }
            if let Some(answered) = row.legs.leg(*leg) {
                answered.answered_at = Some(at);
                answered.codec.clone_from(codec);
            }
            talk(row, mark);
        }
        Event::Received { .. }
        | Event::Routed { .. }
        | Event::Enqueued { .. }
        | Event::ExitKeyPressed { .. }
        | Event::PlaceTold { .. }
        | Event::VoicemailStarted { .. }
        | Event::VoicemailEnded { .. }
        | Event::Forwarded { .. }
        | Event::Answered {}
        | Event::OfferStarted { .. }
        | Event::LegAlerting { .. }
        | Event::OfferEnded { .. }
        | Event::AgentConnected { .. }
        | Event::Held { .. }
        | Event::Retrieved { .. }
        | Event::Ended { .. }
        | Event::Placed { .. }
        | Event::AnswerOrdered { .. }
        | Event::AnswerOrderRefused { .. }
        | Event::Withdrawn { .. }
        | Event::CallbackRequested { .. }
        | Event::Diverted { .. }
        | Event::MediaMeasured { .. }
        | Event::SupervisionRequested { .. }
        | Event::SupervisionStarted { .. }
        | Event::SupervisionModeChanged { .. }
        | Event::TakenOver { .. }
        | Event::Transferred { .. }
        | Event::SupervisionEnded { .. }
        | Event::Tagged { .. }
        | Event::LateFact { .. } => {}
    }
}

fn progressed(row: &mut Row, mark: Mark, leg: LegId) {
    row.alerting_at.get_or_insert(mark.at);
    row.ringing.get_or_insert((leg, mark.at));
    if let Some(ringing) = row.legs.leg(leg) {
        ringing.progressed_at.get_or_insert(mark.at);
        if ringing.alerting_at.is_none() {
            ringing.alerting_at = Some(mark.at);
            row.legs.turn(leg, mark, SegmentKind::Alert, None);
        }
    }
}

fn ended(row: &mut Row, mark: Mark, event: &Event) {
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
    stop_ringing(row, None, *ended_at);
    stop_holding(row, *ended_at);
    row.revision = 1;
    row.revised_position = mark.position;
    let end = Mark {
        at: *ended_at,
        position: mark.position,
    };
    let living = row.legs.iter().filter(|leg| leg.ended_at.is_none());
    for leg in living.map(|leg| leg.leg).collect::<Vec<_>>() {
        row.legs.release(leg, end);
    }
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

/// What is noted after the end makes another revision.
fn tagged(row: &mut Row, mark: Mark, input: &Input<'_>, event: &Event) {
    let Event::Tagged {
        added,
        removed,
        user_field,
        ..
    } = event
    else {
        return;
    };
    let is_over = row.end.is_some();
    if is_over {
        supersede(row, mark);
    }
    row.tags.retain(|tag| !removed.contains(tag));
    row.tags.extend(added.iter().cloned());
    if let Some(said) = user_field {
        let when = (mark.position, is_over);
        UserField::change(&mut row.user_field, said, input.party, when);
    }
}

fn measured(row: &mut Row, mark: Mark, legs: &[LegMedia]) {
    supersede(row, mark);
    for media in legs {
        if let Some(leg) = row.legs.leg(media.leg) {
            leg.measured = Some(Measured {
                media: *media,
                position: mark.position,
            });
        }
    }
}

/// What the record said so far is kept under its revision.
fn supersede(row: &mut Row, mark: Mark) {
    row.superseded.push(Superseded {
        revision: row.revision,
        event_position_last: row.revised_position,
        wrap_up_ms: row.wrap_up_ms,
        late_facts_count: row.late_facts_count,
        tags: row.tags.clone(),
    });
    row.revision = row.revision.saturating_add(1);
    row.revised_position = mark.position;
}

fn stop_ringing(row: &mut Row, leg: Option<LegId>, at: Timestamp) {
    if let Some((ringing, since)) = row.ringing
        && leg.is_none_or(|leg| leg == ringing)
    {
        row.ring_ms = row.ring_ms.saturating_add(at.ms_since(since));
        row.ringing = None;
    }
}

/// One of several phones that ring side by side is through: another goes on.
fn keep_ringing(row: &mut Row, at: Timestamp) {
    let is_connected =
        |leg: &Leg| leg.role == Role::Agent && leg.answered_at.is_some() && leg.ended_at.is_none();
    if row.ringing.is_some() || row.legs.iter().any(is_connected) {
        return;
    }
    let mut rings = row.legs.iter().filter(|leg| {
        leg.role == Role::Agent && leg.alerting_at.is_some() && leg.ended_at.is_none()
    });
    row.ringing = rings.next().map(|leg| (leg.leg, at));
}
