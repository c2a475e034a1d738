//! What the timeline keeps of an event.

use super::row::Row;
use crate::projection::{Effect, Input};
use domain::{
    any::{AnyEvent, Fact},
    call, callback,
    decider::Decider,
    id::{AgentId, CallId, QueueId},
    line, session,
};
use serde::Serialize;
use serde_json::Value as Json;

/// Which call, agent and queue an event is about.
#[derive(Debug, Clone, Copy, Default)]
struct Subjects {
    call: Option<CallId>,
    agent: Option<AgentId>,
    queue: Option<QueueId>,
}

pub(crate) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    *row = Some(row_of(input.fact));
    Effect::Changed
}

fn row_of(fact: &Fact) -> Row {
    let (category, subjects) = subjects(&fact.event);
    Row {
        position: fact.position,
        event_id: fact.event_id,
        category: category.into(),
        version: fact.version,
        event_type: fact.event.event_type().into(),
        at: fact.at,
        call: subjects.call,
        agent: subjects.agent,
        queue: subjects.queue,
        payload: payload(&fact.event),
    }
}

fn subjects(event: &AnyEvent) -> (&'static str, Subjects) {
    let agent = |agent: &AgentId| Subjects {
        agent: Some(*agent),
        ..Subjects::default()
    };
    let queue = |queue: &QueueId| Subjects {
        queue: Some(*queue),
        ..Subjects::default()
    };
    let any = event;
    match event {
        AnyEvent::Call(id, event) => (call::Call::CATEGORY, of_call(*id, event)),
        AnyEvent::Session(id, event) => (session::Session::CATEGORY, of_session(id.agent, event)),
        AnyEvent::Line(id, event) => (line::Line::CATEGORY, of_line(*id, event)),
        AnyEvent::Queue(id, _) => (domain::queue::Queue::CATEGORY, queue(id)),
        AnyEvent::Person(_, _) => (domain::person::Person::CATEGORY, Subjects::default()),
        AnyEvent::Refusals(_, _) => (domain::refusals::Refusals::CATEGORY, Subjects::default()),
        AnyEvent::Schedule(id, _) => (domain::schedule::Schedule::CATEGORY, agent(id)),
        AnyEvent::Agent(id, _) => (domain::agent::Agent::CATEGORY, agent(id)),
        AnyEvent::Device(id, _) => (domain::device::Device::CATEGORY, agent(id)),
        AnyEvent::Trunk(_, _) => (domain::trunk::Trunk::CATEGORY, Subjects::default()),
        AnyEvent::Callback(_, event) => {
            let queue = match event {
                callback::Event::Requested { request, .. } => Some(request.queue),
                callback::Event::Rescheduled { .. }
                | callback::Event::AttemptStarted { .. }
                | callback::Event::AttemptFailed { .. }
                | callback::Event::Connected { .. }
                | callback::Event::Exhausted {}
                | callback::Event::GivenUp { .. }
                | callback::Event::Expired {}
                | callback::Event::Cancelled { .. } => None,
            };
            let subjects = Subjects {
                call: any.call(),
                agent: None,
                queue,
            };
            (callback::Callback::CATEGORY, subjects)
        }
        AnyEvent::Mailbox(_, _) => {
            let subjects = Subjects {
                call: any.call(),
                ..Subjects::default()
            };
            (domain::mailbox::Mailbox::CATEGORY, subjects)
        }
        AnyEvent::Billing(event) => {
            let subjects = Subjects {
                call: event.call(),
                ..Subjects::default()
            };
            (event.category(), subjects)
        }
    }
}

fn of_call(call: CallId, event: &call::Event) -> Subjects {
    use call::Event as E;
    let (agent, queue) = match event {
        E::Routed { queue, .. }
        | E::Enqueued { queue, .. }
        | E::ExitKeyPressed { queue, .. }
        | E::PlaceTold { queue, .. }
        | E::Withdrawn { queue, .. }
        | E::CallbackRequested { queue, .. }
        | E::Overflowed { queue, .. } => (None, Some(*queue)),
        E::OfferStarted { session, .. }
        | E::LegAlerting { session, .. }
        | E::AnswerOrdered { session, .. }
        | E::AnswerOrderRefused { session, .. }
        | E::OfferEnded { session, .. }
        | E::AgentConnected { session, .. }
        | E::TakenOver { session, .. } => (Some(session.agent), None),
        E::Transferred { session, queue, .. } => (Some(session.agent), Some(*queue)),
        E::SupervisionRequested { supervisor, .. }
        | E::SupervisionStarted { supervisor, .. }
        | E::SupervisionModeChanged { supervisor, .. }
        | E::SupervisionEnded { supervisor, .. } => (Some(*supervisor), None),
        E::Ended { session, queue, .. } => (session.map(|session| session.agent), *queue),
        E::Received { .. }
        | E::Placed { .. }
        | E::AnnouncementStarted { .. }
        | E::VoicemailStarted { .. }
        | E::VoicemailEnded { .. }
        | E::Forwarded { .. }
        | E::LegDialled { .. }
        | E::TrunkSelected { .. }
        | E::LegProgressed { .. }
        | E::LegAnswered { .. }
        | E::Answered {}
        | E::Held { .. }
        | E::Retrieved { .. }
        | E::Diverted { .. }
        | E::MediaMeasured { .. }
        | E::Tagged { .. }
        | E::LateFact { .. } => (None, None),
    };
    Subjects {
        call: Some(call),
        agent,
        queue,
    }
}

fn of_session(agent: AgentId, event: &session::Event) -> Subjects {
    use session::Event as E;
    let (call, queue) = match event {
        E::Reserved { call, queue, .. } | E::ConnectedToContact { call, queue, .. } => {
            (Some(*call), Some(*queue))
        }
        E::ContactEnded { call, .. }
        | E::WrapUpStarted { call, .. }
        | E::WrapUpExtended { call, .. }
        | E::WrapUpEnded { call, .. } => (Some(*call), None),
        E::LoggedIn { .. }
        | E::LoggedOut { .. }
        | E::BecameReady {}
        | E::BecameNotReady { .. }
        | E::NextStateRequested { .. }
        | E::Forced { .. }
        | E::ReservationReleased { .. } => (None, None),
    };
    Subjects {
        call,
        agent: Some(agent),
        queue,
    }
}

fn of_line(queue: QueueId, event: &line::Event) -> Subjects {
    use line::Event as E;
    let (call, agent) = match event {
        E::Opened { call, .. }
        | E::Rejected { call, .. }
        | E::PriorityChanged { call, .. }
        | E::Closed { call, .. } => (*call, None),
        E::Assigned { call, agent, .. } => (*call, Some(*agent)),
        E::Matched { call, session, .. } | E::Returned { call, session, .. } => {
            (*call, Some(session.agent))
        }
    };
    Subjects {
        call: Some(call),
        agent,
        queue: Some(queue),
    }
}

/// The event's fields, without what is sealed: the timeline is read by people
/// who may see that a call came but not from whom.
fn payload(event: &AnyEvent) -> String {
    match event {
        AnyEvent::Call(_, event) => fields(event, &["from", "party", "diverter"]),
        AnyEvent::Session(_, event) => fields(event, &["note"]),
        AnyEvent::Line(_, event) => fields(event, &[]),
        AnyEvent::Queue(_, event) => fields(event, &[]),
        AnyEvent::Person(_, event) => fields(event, &[]),
        AnyEvent::Refusals(_, event) => fields(event, &[]),
        AnyEvent::Schedule(_, event) => fields(event, &[]),
        AnyEvent::Agent(_, event) => fields(event, &["display_name"]),
        AnyEvent::Device(_, event) => fields(event, &[]),
        AnyEvent::Trunk(_, event) => fields(event, &[]),
        AnyEvent::Callback(_, event) => fields(event, &["party"]),
        AnyEvent::Mailbox(_, event) => fields(event, &["party"]),
        AnyEvent::Billing(event) => fields(&event.to_json(), &["holder"]),
    }
}

/// The fields inside `{"event_type": {..}}`, without those of these names.
fn fields(event: &impl Serialize, sealed: &[&str]) -> String {
    let Ok(Json::Object(outer)) = serde_json::to_value(event) else {
        return "{}".into();
    };
    let Some((_, mut fields)) = outer.into_iter().next() else {
        return "{}".into();
    };
    for name in sealed {
        remove(&mut fields, name);
    }
    fields.to_string()
}

fn remove(value: &mut Json, name: &str) {
    if let Json::Object(fields) = value {
        fields.remove(name);
        for (_, inner) in fields.iter_mut() {
            remove(inner, name);
        }
    }
}
