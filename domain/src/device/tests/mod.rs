//! What an agent's phones do, report by report.

mod expire_binding;
mod record_deregistered;
mod record_registered;

use super::{Command, Device, Event};
use crate::testing::{AGENT, Given, OTHER_PHONE, PHONE, given};
use uuid::Uuid;

fn story(events: impl IntoIterator<Item = Event>) -> Given<Device> {
    given::<Device>(events)
}

fn register(binding: Uuid) -> Command {
    Command::RecordRegistered {
        agent: AGENT,
        binding,
        transport: "udp".into(),
    }
}

fn registered(binding: Uuid) -> Event {
    Event::Registered {
        agent: AGENT,
        binding,
        transport: "udp".into(),
    }
}
