//! The state after an event. No rules here.

use super::{
    event::Event,
    state::{Kept, Mailbox, Status},
};
use crate::{id::VoicemailId, time::Timestamp};

/// Messages that are remembered when they are gone.
const GONE_MAX: usize = 1_000;

pub(super) fn evolve(mut mailbox: Mailbox, _at: Timestamp, event: &Event) -> Mailbox {
    match event {
        Event::Created { name, config } => {
            mailbox.name = Some(name.clone());
            mailbox.config = config.clone();
        }
        Event::Configured { config } => mailbox.config = config.clone(),
        Event::Expected { message, .. } => {
            mailbox.messages.insert(*message, Kept::Expected);
        }
        Event::Left { message, .. } => {
            mailbox.messages.insert(*message, Kept::Left(Status::New));
        }
        Event::Marked { message, to, .. } => {
            mailbox.messages.insert(*message, Kept::Left(*to));
        }
        Event::Released { message, .. } | Event::Deleted { message, .. } => {
            goes(&mut mailbox, *message);
        }
    }
    mailbox
}

fn goes(mailbox: &mut Mailbox, message: VoicemailId) {
    mailbox.messages.remove(&message);
    mailbox.gone.push_back(message);
    if mailbox.gone.len() > GONE_MAX {
        mailbox.gone.pop_front();
    }
}
