//! Which state an event puts an agent into: it follows from the event alone.

use super::row::{Row, State};
use domain::{
    any::{AnyEvent, Fact},
    call,
    id::SessionId,
    session::Event,
};

pub(super) fn change(fact: &Fact) -> Option<Row> {
    match &fact.event {
        AnyEvent::Session(session, event) => on_session(fact, *session, event),
        // The session does not hear that its phone rings; the call does.
        AnyEvent::Call(call, call::Event::LegAlerting { session, offer, .. }) => Some(Row {
            offer: Some(*offer),
            call: Some(*call),
            ..row(fact, *session, State::Ringing)
        }),
        AnyEvent::Call(..)
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

const fn row(fact: &Fact, session: SessionId, state: State) -> Row {
    Row {
        position: fact.position,
        agent: session.agent,
        session_number: session.number,
        at: fact.at,
        state,
        still: None,
        reason: None,
        code: None,
        released: None,
        offer: None,
        call: None,
        queue: None,
    }
}

fn on_session(fact: &Fact, session: SessionId, event: &Event) -> Option<Row> {
    let row = |state| row(fact, session, state);
    match event {
        Event::LoggedOut { .. } => Some(row(State::LoggedOut)),
        Event::BecameReady {} => Some(row(State::Ready)),
        Event::BecameNotReady { reason, code } => Some(Row {
            reason: Some(*reason),
            code: code.clone(),
            ..row(State::NotReady)
        }),
        Event::Reserved {
            offer,
            call,
            queue,
            still,
            ..
        } => Some(Row {
            still: *still,
            offer: Some(*offer),
            call: Some(*call),
            queue: Some(*queue),
            ..row(State::Reserved)
        }),
        Event::ReservationReleased {
            offer,
            reason,
            still,
            ..
        } => Some(Row {
            still: *still,
            released: Some(*reason),
            offer: Some(*offer),
            ..row(State::Ready)
        }),
        Event::ConnectedToContact { offer, call, queue } => Some(Row {
            offer: Some(*offer),
            call: Some(*call),
            queue: Some(*queue),
            ..row(State::OnContact)
        }),
        Event::WrapUpStarted { call, still, .. } => Some(Row {
            still: *still,
            call: Some(*call),
            ..row(State::WrapUp)
        }),
        // One voice unit of several is free again.
        Event::ContactEnded {
            call,
            still: still @ Some(_),
        }
        | Event::WrapUpEnded {
            call,
            still: still @ Some(_),
            ..
        } => Some(Row {
            still: *still,
            call: Some(*call),
            ..row(State::Ready)
        }),
        // What comes instead is the next event of the same decision.
        Event::LoggedIn { .. } | Event::ContactEnded { .. } | Event::WrapUpEnded { .. } => None,
        Event::NextStateRequested { .. } | Event::WrapUpExtended { .. } | Event::Forced { .. } => {
            None
        }
    }
}
