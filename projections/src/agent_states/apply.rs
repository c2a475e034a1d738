//! What each event does to an agent's row.

use super::row::{Activity, Routability, Row};
use crate::projection::{Effect, Input};
use domain::{
    agent, any::AnyEvent, call, device, id::AgentId, id::OfferId, session, session::NotReadyReason,
    session::ReleaseReason, time::Timestamp,
};

/// The agent that a fact is about.
pub(crate) const fn agent_of(event: &AnyEvent) -> Option<AgentId> {
    match event {
        AnyEvent::Session(session, _)
        | AnyEvent::Call(_, call::Event::LegAlerting { session, .. }) => Some(session.agent),
        AnyEvent::Agent(agent, _) | AnyEvent::Device(agent, _) => Some(*agent),
        AnyEvent::Call(..) | AnyEvent::Line(..) | AnyEvent::Queue(..) | AnyEvent::Trunk(..) => None,
    }
}

pub(crate) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    let Some(agent) = agent_of(&input.fact.event) else {
        return Effect::Kept;
    };
    let at = input.fact.at;
    if let AnyEvent::Call(..) = &input.fact.event {
        return alerting(row, input);
    }
    let row = row.get_or_insert_with(|| unprovisioned(agent));
    row.position = input.fact.position;
    match &input.fact.event {
        AnyEvent::Agent(_, event) => configure(row, input, event),
        AnyEvent::Device(_, event) => count_devices(row, event),
        AnyEvent::Session(_, event) => {
            let before = (row.routability, row.reason, row.activity);
            session_event(row, at, event);
            if before != (row.routability, row.reason, row.activity) {
                row.since = Some(at);
            }
        }
        AnyEvent::Call(..) | AnyEvent::Line(..) | AnyEvent::Queue(..) | AnyEvent::Trunk(..) => {}
    }
    Effect::Changed
}

/// The call's stream knows that the phone rings; the session's only that the
/// agent is reserved.
fn alerting(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    let AnyEvent::Call(_, call::Event::LegAlerting { offer, .. }) = &input.fact.event else {
        return Effect::Kept;
    };
    match row {
        Some(row) if row.activity == Activity::Reserved && row.offer == Some(*offer) => {
            row.activity = Activity::Ringing;
            row.since = Some(input.fact.at);
            row.position = input.fact.position;
            Effect::Changed
        }
        Some(_) | None => Effect::Kept,
    }
}

const fn unprovisioned(agent: AgentId) -> Row {
    Row {
        agent,
        position: 0,
        name: String::new(),
        display_name: None,
        queues: vec![],
        ready_on_register: false,
        config_version: 0,
        session_number: None,
        logged_in_at: None,
        routability: Routability::LoggedOut,
        reason: None,
        activity: Activity::Idle,
        since: None,
        until: None,
        not_before: None,
        next: None,
        call: None,
        offer: None,
        queue: None,
        missed_count: 0,
        devices_count: 0,
    }
}

fn configure(row: &mut Row, input: &Input<'_>, event: &agent::Event) {
    let (version, config) = match event {
        agent::Event::Created { name, config } => {
            row.name.clone_from(name);
            (1, config)
        }
        agent::Event::Configured {
            config_version,
            config,
        } => (*config_version, config),
    };
    row.config_version = version;
    row.queues.clone_from(&config.queues);
    row.ready_on_register = config.ready_on_register;
    row.display_name = input
        .party
        .map(|party| party.display_name.as_ref().unwrap_or(&party.user).clone());
}

const fn count_devices(row: &mut Row, event: &device::Event) {
    row.devices_count = match event {
        device::Event::Registered { .. } => row.devices_count.saturating_add(1),
        device::Event::Deregistered { left, .. } | device::Event::Expired { left, .. } => *left,
    };
}

fn session_event(row: &mut Row, at: Timestamp, event: &session::Event) {
    use session::Event as E;
    match event {
        E::LoggedIn { session } => {
            row.session_number = Some(session.number);
            row.logged_in_at = Some(at);
            row.missed_count = 0;
            row.not_before = None;
            not_ready(row, NotReadyReason::Login);
        }
        E::LoggedOut { .. } => {
            row.logged_in_at = None;
            row.routability = Routability::LoggedOut;
            row.reason = None;
            row.next = None;
            idle(row);
        }
        E::BecameReady {} => {
            row.routability = Routability::Ready;
            row.reason = None;
            row.next = None;
        }
        E::BecameNotReady { reason } => {
            row.missed_count = 0;
            not_ready(row, *reason);
        }
        E::NextStateRequested { next } => row.next = Some(*next),
        E::Reserved {
            offer,
            call,
            queue,
            until,
            ..
        } => {
            engage(row, Activity::Reserved, Some(*offer), Some(*until));
            row.call = Some(*call);
            row.queue = Some(*queue);
            row.not_before = None;
        }
        E::ReservationReleased {
            reason, not_before, ..
        } => {
            idle(row);
            row.next = None;
            row.not_before = *not_before;
            if *reason == ReleaseReason::NoAnswer {
                row.missed_count = row.missed_count.saturating_add(1);
            }
        }
        E::ConnectedToContact { offer, call, queue } => {
            engage(row, Activity::OnContact, Some(*offer), None);
            row.call = Some(*call);
            row.queue = Some(*queue);
            row.missed_count = 0;
        }
        E::ContactEnded { .. } | E::WrapUpEnded { .. } => idle(row),
        E::WrapUpStarted { call, until } => {
            engage(row, Activity::WrapUp, None, Some(*until));
            row.call = Some(*call);
        }
    }
}

const fn not_ready(row: &mut Row, reason: NotReadyReason) {
    row.routability = Routability::NotReady;
    row.reason = Some(reason);
    row.next = None;
}

const fn engage(
    row: &mut Row,
    activity: Activity,
    offer: Option<OfferId>,
    until: Option<Timestamp>,
) {
    row.activity = activity;
    row.offer = offer;
    row.until = until;
}

const fn idle(row: &mut Row) {
    engage(row, Activity::Idle, None, None);
    row.call = None;
    row.queue = None;
}
