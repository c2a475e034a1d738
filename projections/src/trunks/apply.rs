//! What each event does to a trunk's row.

use super::row::Row;
use crate::projection::{Effect, Input};
use domain::{
    any::{AnyEvent, Fact},
    id::TrunkId,
    trunk::Event,
};

pub(super) fn key(fact: &Fact) -> Option<TrunkId> {
    match &fact.event {
        AnyEvent::Trunk(trunk, _) => Some(*trunk),
        AnyEvent::Call(..)
        | AnyEvent::Session(..)
        | AnyEvent::Line(..)
        | AnyEvent::Queue(..)
        | AnyEvent::Person(..)
        | AnyEvent::Refusals(..)
        | AnyEvent::Schedule(..)
        | AnyEvent::Agent(..)
        | AnyEvent::Device(..)
        | AnyEvent::Callback(..)
        | AnyEvent::Mailbox(..)
        | AnyEvent::Billing(..) => None,
    }
}

pub(super) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    let AnyEvent::Trunk(trunk, event) = &input.fact.event else {
        return Effect::Kept;
    };
    let (name, config_version, config) = match event {
        Event::Created { name, config } => (name.clone(), 1, config),
        Event::Configured {
            config_version,
            config,
        } => {
            let Some(row) = row.as_ref() else {
                return Effect::Kept;
            };
            (row.name.clone(), *config_version, config)
        }
    };
    *row = Some(Row {
        trunk: *trunk,
        position: input.fact.position,
        name,
        allow: config.allow.clone(),
        host: config.host.clone(),
        user: config.user.clone(),
        outbound: config.outbound.clone(),
        forwards: config.forwards.clone(),
        config_version,
    });
    Effect::Changed
}
