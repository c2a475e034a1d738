//! What each event does to a sum's row.

use super::row::Row;
use crate::projection::{Effect, Input};
use domain::{
    any::{AnyEvent, Fact},
    id::RefusalsId,
    refusals::Event,
};

pub(super) fn key(fact: &Fact) -> Option<RefusalsId> {
    match &fact.event {
        AnyEvent::Refusals(refusals, _) => Some(*refusals),
        AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
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
    let AnyEvent::Refusals(refusals, event) = &input.fact.event else {
        return Effect::Kept;
    };
    let Event::Summed {
        reason,
        calls_count,
        since,
    } = event;
    *row = Some(Row {
        refusals: *refusals,
        position: input.fact.position,
        reason: *reason,
        calls_count: *calls_count,
        since: *since,
        until: input.fact.at,
        node_epoch: input.fact.node_epoch,
    });
    Effect::Changed
}
