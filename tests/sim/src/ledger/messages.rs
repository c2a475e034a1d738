//! Messages in mailboxes: room is kept before a call comes, for no more than there may
//! be, and each ends once, as a message or as nothing.

use crate::violation::{Violation, must};
use domain::{
    any::{AnyEvent, Fact},
    call,
    id::{CallId, MailboxId, VoicemailId},
    mailbox::Event,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default, Clone)]
pub(crate) struct Messages {
    most: BTreeMap<MailboxId, u64>,
    /// Room that is kept, and for whose message.
    expected: BTreeMap<VoicemailId, (MailboxId, CallId)>,
    there: BTreeMap<VoicemailId, MailboxId>,
    /// Every one that ever ended.
    over: BTreeSet<VoicemailId>,
    /// Messages that were left.
    pub(crate) left_count: u64,
}

impl Messages {
    /// Takes the next fact.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(super) fn note(&mut self, fact: &Fact) -> Result<(), Violation> {
        match &fact.event {
            AnyEvent::Mailbox(mailbox, event) => self.on_mailbox(*mailbox, event),
            AnyEvent::Call(id, call::Event::VoicemailStarted { message, .. }) => {
                let call = self.expected.get(message).map(|(_, call)| *call);
                must(call == Some(*id), || {
                    format!("{id} leaves {message}, for which no room is kept")
                })
            }
            AnyEvent::Call(..)
            | AnyEvent::Session(..)
            | AnyEvent::Line(..)
            | AnyEvent::Queue(..)
            | AnyEvent::Person(..)
            | AnyEvent::Refusals(..)
            | AnyEvent::Schedule(..)
            | AnyEvent::Agent(..)
            | AnyEvent::Device(..)
            | AnyEvent::Trunk(..)
            | AnyEvent::Callback(..)
            | AnyEvent::Billing(..) => Ok(()),
        }
    }

    fn on_mailbox(&mut self, mailbox: MailboxId, event: &Event) -> Result<(), Violation> {
        match event {
            Event::Created { config, .. } | Event::Configured { config } => {
                self.most.insert(mailbox, u64::from(config.messages_max));
                Ok(())
            }
            Event::Expected { message, call, .. } => {
                must(!self.over.contains(message), || {
                    format!("{message} is expected after its end")
                })?;
                self.expected.insert(*message, (mailbox, *call));
                let most = self.most.get(&mailbox).copied().unwrap_or(0);
                must(self.count(mailbox) <= most, || {
                    format!("{mailbox} keeps room for more than {most}")
                })
            }
            Event::Left { message, .. } => {
                self.ends(*message)?;
                self.there.insert(*message, mailbox);
                self.left_count += 1;
                self.over.insert(*message);
                Ok(())
            }
            Event::Released { message, .. } => {
                self.ends(*message)?;
                self.over.insert(*message);
                Ok(())
            }
            Event::Marked { .. } => Ok(()),
            Event::Deleted { message, .. } => must(self.there.remove(message).is_some(), || {
                format!("{message} is taken away and is not there")
            }),
        }
    }

    fn ends(&mut self, message: VoicemailId) -> Result<(), Violation> {
        must(self.expected.remove(&message).is_some(), || {
            format!("{message} ends and is not expected")
        })
    }

    fn count(&self, mailbox: MailboxId) -> u64 {
        let (there, expected) = self.counts(mailbox);
        there + expected
    }

    /// Messages of that mailbox that are there, and that are being left.
    pub(crate) fn counts(&self, mailbox: MailboxId) -> (u64, u64) {
        let expected = self.expected.values().filter(|(of, _)| *of == mailbox);
        let there = self.there.values().filter(|of| **of == mailbox);
        (there.count() as u64, expected.count() as u64)
    }

    /// The day is over: no room is kept for nothing.
    ///
    /// # Errors
    /// What was left behind.
    pub(super) fn check_end(&self) -> Result<(), Violation> {
        must(self.expected.is_empty(), || {
            format!("room is kept for nothing: {:?}", self.expected)
        })
    }
}
