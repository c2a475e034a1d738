//! What each event does to a call in progress.

use super::row::{Ringing, Row, State, Supervision};
use crate::{
    caller::Caller,
    cdr::Direction,
    projection::{Effect, Input},
    user_field::UserField,
};
use domain::{
    any::AnyEvent,
    call::Event,
    id::{LegId, OfferId},
    sealed::{Party, Sealed},
    time::Timestamp,
};
use std::collections::BTreeSet;

pub(crate) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    let AnyEvent::Call(_, event) = &input.fact.event else {
        return Effect::Kept;
    };
    match event {
        Event::Received { .. } | Event::Placed { .. } => *row = begun(input),
        Event::Ended { .. } => match row.take() {
            Some(_) => {}
            None => return Effect::Kept,
        },
        Event::Tagged { .. } => match row {
            Some(row) => tagged(row, input, event),
            // After the end there is no row.
            None => return Effect::Kept,
        },
        Event::Routed { .. }
        | Event::Enqueued { .. }
        | Event::ExitKeyPressed { .. }
        | Event::Overflowed { .. }
        | Event::LegDialled { .. }
        | Event::AnnouncementStarted { .. }
        | Event::VoicemailStarted { .. }
        | Event::TrunkSelected { .. }
        | Event::LegProgressed { .. }
        | Event::LegAnswered { .. }
        | Event::Answered {}
        | Event::OfferStarted { .. }
        | Event::LegAlerting { .. }
        | Event::OfferEnded { .. }
        | Event::AgentConnected { .. }
        | Event::Held { .. }
        | Event::SupervisionRequested { .. }
        | Event::SupervisionStarted { .. }
        | Event::SupervisionModeChanged { .. }
        | Event::TakenOver { .. }
        | Event::Transferred { .. }
        | Event::SupervisionEnded { .. }
        | Event::Retrieved { .. } => match row {
            Some(row) => {
                row.position = input.fact.position;
                progress(row, input.fact.at, event);
            }
            None => return Effect::Kept,
        },
        Event::Forwarded { .. }
        | Event::PlaceTold { .. }
        | Event::AnswerOrdered { .. }
        | Event::AnswerOrderRefused { .. }
        | Event::Withdrawn { .. }
        | Event::CallbackRequested { .. }
        | Event::Diverted { .. }
        | Event::VoicemailEnded { .. }
        | Event::MediaMeasured { .. }
        | Event::LateFact { .. } => {
            return Effect::Kept;
        }
    }
    Effect::Changed
}

/// It came in, or we place it.
fn begun(input: &Input<'_>) -> Option<Row> {
    let AnyEvent::Call(call, event) = &input.fact.event else {
        return None;
    };
    let new = |leg: &LegId, person: &Sealed<Party>| Row {
        call: *call,
        position: input.fact.position,
        direction: Direction::Outbound,
        state: State::Received,
        since: input.fact.at,
        caller: Caller::new(person, input.party),
        to: String::new(),
        trunk: None,
        queue: None,
        visit: None,
        agent: None,
        offer: None,
        ringing: vec![],
        offers_count: 0,
        received_at: input.fact.at,
        enqueued_at: None,
        answered_at: None,
        offered_at: None,
        alerting_at: None,
        agent_connected_at: None,
        caller_leg: *leg,
        agent_leg: None,
        held_by_caller: false,
        held_by_agent: false,
        sip_call_id: String::new(),
        tags: BTreeSet::new(),
        user_field: None,
        supervision: None,
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
        ..new(leg, from)
    })
}

#[allow(
    clippy::too_many_lines,
    reason = "an arm for each event, and nothing else"
)]
fn progress(row: &mut Row, at: Timestamp, event: &Event) {
    match event {
        Event::Routed { queue, .. } => row.queue = Some(*queue),
        Event::Enqueued { queue, visit, .. } => {
            row.queue = Some(*queue);
            row.visit = Some(*visit);
            row.enqueued_at = Some(at);
            enter(row, at, State::Waiting);
        }
        Event::Overflowed { .. } => (row.queue, row.visit) = (None, None),
        Event::LegDialled { .. } => enter(row, at, State::Dialling),
        Event::AnnouncementStarted { .. } => enter(row, at, State::Announcing),
        Event::VoicemailStarted { .. } => enter(row, at, State::Voicemail),
        Event::TrunkSelected { .. } | Event::ExitKeyPressed { .. } | Event::PlaceTold { .. } => {}
        Event::LegProgressed { .. } => {
            row.alerting_at.get_or_insert(at);
        }
        // Whoever is rung back talks with the agent.
        Event::LegAnswered { leg, .. } if *leg == row.caller_leg => {
            row.answered_at = Some(at);
            enter(row, at, State::Connected);
        }
        Event::LegAnswered { .. } => enter(row, at, State::Outside),
        Event::Answered {} => row.answered_at = Some(at),
        Event::OfferStarted {
            offer,
            session,
            leg,
            ..
        } => {
            row.offers_count = row.offers_count.saturating_add(1);
            row.ringing.push(Ringing {
                offer: *offer,
                agent: session.agent,
                leg: *leg,
                since: at,
            });
            if row.ringing.len() == 1 {
                row.alerting_at = None;
            }
            show_first(row);
            enter(row, at, State::Offering);
        }
        Event::LegAlerting { .. } => {
            row.alerting_at.get_or_insert(at);
        }
        Event::OfferEnded { offer, .. } => offer_ended(row, at, *offer),
        Event::AgentConnected {
            offer,
            session,
            leg,
            ..
        } => {
            row.offer = Some(*offer);
            row.agent = Some(session.agent);
            row.agent_leg = Some(*leg);
            row.agent_connected_at = Some(at);
            let won = row.ringing.iter().find(|ringing| ringing.offer == *offer);
            row.offered_at = won.map_or(row.offered_at, |ringing| Some(ringing.since));
            row.ringing.clear();
            enter(row, at, State::Connected);
        }
        Event::Held { leg } => hold(row, at, *leg, true),
        Event::Retrieved { leg } => hold(row, at, *leg, false),
        Event::SupervisionRequested { .. }
        | Event::SupervisionStarted { .. }
        | Event::SupervisionModeChanged { .. }
        | Event::SupervisionEnded { .. } => supervised(row, at, event),
        Event::TakenOver { leg, .. } => taken_over(row, at, *leg),
        Event::Transferred { .. } => transferred(row),
        Event::Received { .. }
        | Event::Forwarded { .. }
        | Event::Ended { .. }
        | Event::Placed { .. }
        | Event::AnswerOrdered { .. }
        | Event::AnswerOrderRefused { .. }
        | Event::Withdrawn { .. }
        | Event::CallbackRequested { .. }
        | Event::Diverted { .. }
        | Event::VoicemailEnded { .. }
        | Event::MediaMeasured { .. }
        | Event::Tagged { .. }
        | Event::LateFact { .. } => {}
    }
}

fn tagged(row: &mut Row, input: &Input<'_>, event: &Event) {
    let Event::Tagged {
        added,
        removed,
        user_field,
        ..
    } = event
    else {
        return;
    };
    let position = input.fact.position;
    row.position = position;
    row.tags.retain(|tag| !removed.contains(tag));
    row.tags.extend(added.iter().cloned());
    if let Some(said) = user_field {
        UserField::change(&mut row.user_field, said, input.party, (position, false));
    }
}

fn supervised(row: &mut Row, at: Timestamp, event: &Event) {
    if let Event::SupervisionRequested {
        leg,
        supervisor,
        mode,
        ..
    } = event
    {
        row.supervision = Some(Supervision {
            leg: *leg,
            supervisor: *supervisor,
            mode: *mode,
            requested_at: at,
            started_at: None,
        });
    }
    if let Event::SupervisionEnded { .. } = event {
        row.supervision = None;
    }
    let Some(current) = &mut row.supervision else {
        return;
    };
    if let Event::SupervisionStarted { .. } = event {
        current.started_at = Some(at);
    }
    if let Event::SupervisionModeChanged { mode, .. } = event {
        current.mode = *mode;
    }
}

/// Who has it is the supervisor of it from now on, in that mode; its agent stays the one who
/// answered, but holds nobody any more.
fn taken_over(row: &mut Row, at: Timestamp, leg: LegId) {
    row.agent_leg = Some(leg);
    hold(row, at, leg, false);
}

/// Nobody is with the caller any more; the stay that follows is told by its own event.
fn transferred(row: &mut Row) {
    (row.queue, row.visit) = (None, None);
    (row.agent, row.offer, row.agent_leg) = (None, None, None);
    (row.offered_at, row.alerting_at, row.agent_connected_at) = (None, None, None);
    (row.held_by_caller, row.held_by_agent) = (false, false);
}

fn offer_ended(row: &mut Row, at: Timestamp, offer: OfferId) {
    row.ringing.retain(|ringing| ringing.offer != offer);
    // Those who were slower end when somebody has the call.
    if row.state == State::Offering {
        show_first(row);
        if row.ringing.is_empty() {
            row.alerting_at = None;
            enter(row, at, State::Waiting);
        }
    }
}

/// The fields of a single offer are those of the first.
fn show_first(row: &mut Row) {
    let first = row.ringing.first();
    row.offer = first.map(|ringing| ringing.offer);
    row.agent = first.map(|ringing| ringing.agent);
    row.agent_leg = first.map(|ringing| ringing.leg);
    row.offered_at = first.map(|ringing| ringing.since);
}

fn enter(row: &mut Row, at: Timestamp, state: State) {
    if row.state != state {
        row.state = state;
        row.since = at;
    }
}

fn hold(row: &mut Row, at: Timestamp, leg: LegId, holds: bool) {
    if leg == row.caller_leg {
        row.held_by_caller = holds;
    } else {
        row.held_by_agent = holds;
    }
    let state = if row.held_by_caller || row.held_by_agent {
        State::Held
    } else if row.agent_leg.is_some() {
        State::Connected
    } else {
        State::Outside
    };
    enter(row, at, state);
}
