//! The state after an event. No rules here.

use super::{event::Event, state::Device};
use crate::time::Timestamp;

pub(super) fn evolve(mut device: Device, _at: Timestamp, event: &Event) -> Device {
    match event {
        Event::Registered { binding, .. } => {
            device.bindings.insert(*binding);
        }
        Event::Deregistered { binding, .. } | Event::Expired { binding, .. } => {
            device.bindings.remove(binding);
        }
    }
    device
}
