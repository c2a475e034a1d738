//! What each event says of who is there.

use super::row::{Entry, Key, Login, Serves};
use crate::projection::{Effect, Input};
use domain::{
    agent,
    any::{AnyEvent, Fact},
    session::Event,
};

pub(super) fn key(fact: &Fact) -> Option<Key> {
    match &fact.event {
        AnyEvent::Agent(agent, _) => Some(Key::Serves(*agent, fact.version)),
        AnyEvent::Session(session, Event::LoggedIn { .. } | Event::LoggedOut { .. }) => {
            Some(Key::Login(*session))
        }
        AnyEvent::Session(..)
        | AnyEvent::Call(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Device(..)
        | AnyEvent::Trunk(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => None,
    }
}

pub(super) fn apply(row: &mut Option<Entry>, input: &Input<'_>) -> Effect {
    let fact = input.fact;
    if let AnyEvent::Agent(agent, event) = &fact.event {
        let (agent::Event::Created { config, .. } | agent::Event::Configured { config, .. }) =
            event;
        *row = Some(Entry::Serves(Serves {
            agent: *agent,
            version: fact.version,
            position: fact.position,
            since: fact.at,
            queues: config.queues.clone(),
        }));
        return Effect::Changed;
    }
    let AnyEvent::Session(session, event) = &fact.event else {
        return Effect::Kept;
    };
    if let Event::LoggedIn { .. } = event {
        *row = Some(Entry::Login(Login {
            session: *session,
            position: fact.position,
            since: fact.at,
            until: None,
        }));
        return Effect::Changed;
    }
    match row {
        Some(Entry::Login(login)) => {
            login.until = Some(fact.at.max(login.since));
            login.position = fact.position;
            Effect::Changed
        }
        Some(Entry::Serves(_)) | None => Effect::Kept,
    }
}
