//! What each event does to a trunk's row.

use super::row::Row;
use crate::projection::{Effect, Input};
use domain::{any::AnyEvent, id::TrunkId, trunk::Config, trunk::Event};

pub(crate) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    let AnyEvent::Trunk(trunk, event) = &input.fact.event else {
        return Effect::Kept;
    };
    match event {
        Event::Created { name, config } => {
            let mut created = unnamed(*trunk);
            created.name.clone_from(name);
            configure(&mut created, 1, config);
            *row = Some(created);
        }
        Event::Configured {
            config_version,
            config,
        } => configure(
            row.get_or_insert_with(|| unnamed(*trunk)),
            *config_version,
            config,
        ),
    }
    if let Some(row) = row {
        row.position = input.fact.position;
    }
    Effect::Changed
}

const fn unnamed(trunk: TrunkId) -> Row {
    Row {
        trunk,
        position: 0,
        name: String::new(),
        allow: vec![],
        host: None,
        user: None,
        config_version: 0,
    }
}

fn configure(row: &mut Row, config_version: u32, config: &Config) {
    let Config { allow, host, user } = config;
    row.config_version = config_version;
    row.allow.clone_from(allow);
    row.host.clone_from(host);
    row.user.clone_from(user);
}
