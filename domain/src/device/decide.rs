//! The rules of registered phones.

use super::{command::Command, error::Error, event::Event, state::Device};
use crate::time::Timestamp;

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(device: &Device, _at: Timestamp, command: Command) -> Decision {
    let left_count = u32::try_from(device.bindings.len().saturating_sub(1)).unwrap_or(u32::MAX);
    Ok(match command {
        Command::RecordRegistered {
            agent,
            binding,
            transport,
        } => {
            if device.bindings.contains(&binding) {
                vec![]
            } else {
                vec![Event::Registered {
                    agent,
                    binding,
                    transport,
                }]
            }
        }
        Command::RecordDeregistered { binding } if device.bindings.contains(&binding) => {
            vec![Event::Deregistered {
                binding,
                left_count,
            }]
        }
        Command::ExpireBinding { binding } if device.bindings.contains(&binding) => {
            vec![Event::Expired {
                binding,
                left_count,
            }]
        }
        Command::RecordDeregistered { .. } | Command::ExpireBinding { .. } => vec![],
    })
}
