//! Erasures on their way through the runner.

use commands::{
    ports::{Erasure, Position},
    tail::Entry,
};
use domain::{
    any::{AnyEvent, Fact},
    person,
};
use std::sync::Arc;

/// The erasure that a fact is, if it is one.
pub(crate) fn erasure(fact: &Fact) -> Option<Erasure> {
    let AnyEvent::Person(subject, person::Event::Erased { keys_through, .. }) = &fact.event else {
        return None;
    };
    Some(Erasure {
        subject: *subject,
        keys_through: *keys_through,
        position: Position(fact.position),
    })
}

/// An erasure is a batch of its own: what comes before it is folded before, and
/// what comes after it may be the same person's again.
pub(crate) fn until_erasure(mut entries: Vec<Arc<Entry>>) -> Vec<Arc<Entry>> {
    let is_erasure = |entry: &Arc<Entry>| erasure(&entry.fact).is_some();
    if let Some(first) = entries.iter().position(is_erasure) {
        entries.truncate(first.max(1));
    }
    entries
}
