//! What each event does to the row of a person.

use super::row::Row;
use crate::projection::{Effect, Input};
use domain::{
    any::{AnyEvent, Fact},
    id::SubjectId,
    person::Event,
};

pub(super) fn key(fact: &Fact) -> Option<SubjectId> {
    match &fact.event {
        AnyEvent::Person(subject, _) => Some(*subject),
        AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
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
    let AnyEvent::Person(subject, event) = &input.fact.event else {
        return Effect::Kept;
    };
    let Event::Erased {
        keys_through,
        reason,
    } = event;
    let before = row.as_ref().map_or(0, |row| row.erasures_count);
    *row = Some(Row {
        subject: *subject,
        position: input.fact.position,
        keys_through: *keys_through,
        reason: *reason,
        erased_at: input.fact.at,
        erasures_count: before.saturating_add(1),
    });
    Effect::Changed
}
