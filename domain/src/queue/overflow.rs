//! Chains of overflow: that they end is checked before a configuration is
//! accepted; a call's own history is the guard for what is configured since.

use super::event::{Config, OverflowTo};
use crate::id::{MailboxId, QueueId};
use std::collections::BTreeSet;

/// Whether calls of the queue, with that configuration, could come back to it:
/// `next_of` says where another queue overflows to.
pub fn loops(queue: QueueId, config: &Config, next_of: impl Fn(QueueId) -> Vec<QueueId>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = config.overflow_queues();
    while let Some(next) = open.pop() {
        if next == queue {
            return true;
        }
        if seen.insert(next) {
            open.extend(next_of(next));
        }
    }
    false
}

impl Config {
    /// Everywhere that calls of it may go, unserved: by a rule or by a key.
    pub(super) fn ways_out(&self) -> impl Iterator<Item = &OverflowTo> {
        let rules = self.overflow.iter().map(|rule| &rule.to);
        rules.chain(self.exits.iter().map(|exit| &exit.to))
    }

    /// The announcements that calls of it may end with.
    pub fn announcements(&self) -> impl Iterator<Item = &str> {
        self.ways_out().filter_map(|to| match to {
            OverflowTo::Announcement(name) => Some(name.as_str()),
            OverflowTo::Number(_)
            | OverflowTo::Callback
            | OverflowTo::Queue(_)
            | OverflowTo::Mailbox(_) => None,
        })
    }

    /// The mailboxes that calls of it may end in.
    pub fn mailboxes(&self) -> impl Iterator<Item = MailboxId> {
        self.ways_out().filter_map(|to| match to {
            OverflowTo::Mailbox(mailbox) => Some(*mailbox),
            OverflowTo::Number(_)
            | OverflowTo::Callback
            | OverflowTo::Queue(_)
            | OverflowTo::Announcement(_) => None,
        })
    }

    /// The queues that calls of it may go to.
    pub fn overflow_queues(&self) -> Vec<QueueId> {
        let ways = self.ways_out();
        ways.filter_map(|to| match to {
            OverflowTo::Queue(queue) => Some(*queue),
            OverflowTo::Number(_)
            | OverflowTo::Callback
            | OverflowTo::Announcement(_)
            | OverflowTo::Mailbox(_) => None,
        })
        .collect()
    }
}
