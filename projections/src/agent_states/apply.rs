//! What each event does to an agent's row.

use super::row::{Activity, Engagement, Routability, Row};
use crate::projection::{Effect, Input};
use domain::{
    agent,
    any::{AnyEvent, Fact},
    call, device,
    id::AgentId,
    sealed::Party,
    session::{self, NextState, NotReadyCode, ReleaseReason},
    time::Timestamp,
};

pub(super) fn key(fact: &Fact) -> Option<AgentId> {
    match &fact.event {
        AnyEvent::Agent(agent, _) | AnyEvent::Device(agent, _) => Some(*agent),
        AnyEvent::Session(session, _) => Some(session.agent),
        // The session does not hear that its phone rings; the call does.
        AnyEvent::Call(_, call::Event::LegAlerting { session, .. }) => Some(session.agent),
        AnyEvent::Call(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => None,
    }
}

pub(super) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    let Some(agent) = key(input.fact) else {
        return Effect::Kept;
    };
    if let AnyEvent::Call(..) = &input.fact.event
        && row.is_none()
    {
        return Effect::Kept;
    }
    let row = row.get_or_insert_with(|| empty(agent));
    let at = input.fact.at;
    let before = (row.routability, row.reason, row.activity, row.code.clone());
    match &input.fact.event {
        AnyEvent::Agent(_, event) => on_agent(row, event, input),
        AnyEvent::Device(_, event) => on_device(row, event),
        AnyEvent::Session(session, event) => {
            row.session_number = Some(session.number);
            row.session_version = input.fact.version;
            row.session_revision = row.session_revision.saturating_add(1);
            on_session(row, at, event);
            row.show_first();
        }
        AnyEvent::Call(call, call::Event::LegAlerting { offer, .. }) => {
            // A late one of an offer that is over changes nothing.
            let is_rung = |it: &&mut Engagement| {
                it.offer == Some(*offer) && it.activity == Activity::Reserved
            };
            let Some(rung) = row.engagements.iter_mut().find(is_rung) else {
                return Effect::Kept;
            };
            rung.call = *call;
            rung.activity = Activity::Ringing;
            row.show_first();
        }
        AnyEvent::Call(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => {
            return Effect::Kept;
        }
    }
    row.position = input.fact.position;
    let (routability, reason, activity, code) = before;
    let now = (row.routability, row.reason, row.activity);
    if now != (routability, reason, activity) || row.code != code {
        row.since = Some(at);
    }
    Effect::Changed
}

fn empty(agent: AgentId) -> Row {
    Row {
        agent,
        position: 0,
        name: String::new(),
        subject: None,
        display_name: None,
        queues: vec![],
        ready_on_register: false,
        registration_grace_ms: agent::REGISTRATION_GRACE_MS,
        config_version: 0,
        session_number: None,
        session_version: 0,
        session_revision: 0,
        logged_in_at: None,
        routability: Routability::LoggedOut,
        reason: None,
        activity: Activity::Idle,
        engagements: vec![],
        capacity: 1,
        since: None,
        until: None,
        not_before: None,
        left_alone: None,
        next: None,
        code: None,
        next_code: None,
        call: None,
        offer: None,
        queue: None,
        missed_count: 0,
        devices_count: 0,
        skills: vec![],
        places: vec![],
    }
}

fn on_agent(row: &mut Row, event: &agent::Event, input: &Input<'_>) {
    let config = match event {
        agent::Event::Created { name, config } => {
            row.name.clone_from(name);
            row.config_version = 1;
            config
        }
        agent::Event::Configured {
            config_version,
            config,
        } => {
            row.config_version = *config_version;
            config
        }
    };
    row.queues.clone_from(&config.queues);
    row.skills.clone_from(&config.skills);
    row.places.clone_from(&config.places);
    row.ready_on_register = config.ready_on_register;
    row.capacity = config.capacity;
    row.registration_grace_ms = config.registration_grace_ms;
    row.subject = config.display_name.as_ref().map(|sealed| sealed.subject);
    row.display_name = input.party.map(shown_name);
}

/// What a person is called on a board.
pub(crate) fn shown_name(party: &Party) -> String {
    let name = party.display_name.as_ref();
    name.unwrap_or(&party.user).clone()
}

const fn on_device(row: &mut Row, event: &device::Event) {
    match event {
        device::Event::Registered { .. } => {
            row.devices_count = row.devices_count.saturating_add(1);
            // Whoever was left alone because there was no phone is asked again.
            if let Some(ReleaseReason::Unreachable) = row.left_alone {
                leave_alone(row, None);
            }
        }
        device::Event::Deregistered { left_count, .. }
        | device::Event::Expired { left_count, .. } => {
            row.devices_count = *left_count;
        }
    }
}

fn on_session(row: &mut Row, at: Timestamp, event: &session::Event) {
    match event {
        session::Event::LoggedIn { .. } => {
            row.logged_in_at = Some(at);
            leave_alone(row, None);
            row.missed_count = 0;
        }
        session::Event::LoggedOut { .. } => {
            row.routability = Routability::LoggedOut;
            row.reason = None;
            row.logged_in_at = None;
            asked(row, None, None);
            row.code = None;
            row.engagements.clear();
        }
        session::Event::BecameReady {} => {
            row.routability = Routability::Ready;
            row.reason = None;
            row.code = None;
            asked(row, None, None);
        }
        session::Event::BecameNotReady { reason, code } => {
            row.routability = Routability::NotReady;
            row.reason = Some(*reason);
            row.code.clone_from(code);
            asked(row, None, None);
            row.missed_count = 0;
        }
        session::Event::NextStateRequested { next, code } => {
            asked(row, Some(*next), code.clone());
            if *next == NextState::Ready {
                row.missed_count = 0;
            }
        }
        session::Event::Reserved { .. } => {
            engage(row, event);
            leave_alone(row, None);
        }
        session::Event::ReservationReleased {
            offer,
            reason,
            not_before,
            still,
        } => {
            row.engagements.retain(|it| it.offer != Some(*offer));
            leave_alone(row, not_before.map(|until| (until, *reason)));
            // What was asked for follows as an event of its own, or when all is over.
            if still.is_none() {
                asked(row, None, None);
            }
            if *reason == ReleaseReason::NoAnswer {
                row.missed_count = row.missed_count.saturating_add(1);
            }
        }
        session::Event::ConnectedToContact { .. } => {
            engage(row, event);
            row.missed_count = 0;
        }
        session::Event::ContactEnded { call, .. } | session::Event::WrapUpEnded { call, .. } => {
            row.engagements.retain(|it| it.call != *call);
        }
        session::Event::WrapUpStarted { .. } => engage(row, event),
        session::Event::WrapUpExtended { call, until } => {
            let extended = row.engagements.iter_mut().filter(|it| it.call == *call);
            extended.for_each(|it| it.until = Some(*until));
        }
        // What changes follows as an event of its own.
        session::Event::Forced { .. } => {}
    }
}

/// Something more that the agent does.
fn engage(row: &mut Row, event: &session::Event) {
    let begun = match event {
        session::Event::Reserved {
            offer,
            call,
            queue,
            until,
            ..
        } => Engagement {
            activity: Activity::Reserved,
            offer: Some(*offer),
            call: *call,
            queue: Some(*queue),
            until: Some(*until),
        },
        session::Event::ConnectedToContact { offer, call, queue } => Engagement {
            activity: Activity::OnContact,
            offer: Some(*offer),
            call: *call,
            queue: Some(*queue),
            until: None,
        },
        session::Event::WrapUpStarted { call, until, .. } => Engagement {
            activity: Activity::WrapUp,
            offer: None,
            call: *call,
            queue: None,
            until: Some(*until),
        },
        session::Event::LoggedIn { .. }
        | session::Event::LoggedOut { .. }
        | session::Event::BecameReady {}
        | session::Event::BecameNotReady { .. }
        | session::Event::NextStateRequested { .. }
        | session::Event::ReservationReleased { .. }
        | session::Event::ContactEnded { .. }
        | session::Event::WrapUpEnded { .. }
        | session::Event::WrapUpExtended { .. }
        | session::Event::Forced { .. } => return,
    };
    // A reservation that became a contact is one no more.
    row.engagements
        .retain(|it| begun.offer.is_none() || it.offer != begun.offer);
    row.engagements.push(begun);
}

const fn leave_alone(row: &mut Row, why: Option<(Timestamp, ReleaseReason)>) {
    (row.not_before, row.left_alone) = match why {
        Some((until, reason)) => (Some(until), Some(reason)),
        None => (None, None),
    };
}

fn asked(row: &mut Row, next: Option<NextState>, code: Option<NotReadyCode>) {
    row.next = next;
    row.next_code = code;
}
