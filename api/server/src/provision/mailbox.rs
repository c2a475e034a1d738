//! A mailbox of the configuration file.

use domain::{
    id::{DEFAULT_TENANT, MailboxId},
    mailbox,
};
use serde::{Deserialize, Serialize};

/// A mailbox in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailboxEntry {
    /// Its name.
    pub name: String,
    /// What callers hear before the tone: a name of `media.announcements`.
    #[serde(default)]
    pub greeting: Option<String>,
    /// How long a message may be.
    #[serde(default = "longest_ms")]
    pub longest_ms: u64,
    /// Messages at most; then it is full.
    #[serde(default = "messages_max")]
    pub messages_max: u32,
}

fn longest_ms() -> u64 {
    mailbox::Config::default().longest_ms
}
fn messages_max() -> u32 {
    mailbox::Config::default().messages_max
}

impl MailboxEntry {
    /// Which it is.
    pub fn id(&self) -> MailboxId {
        MailboxId::named(DEFAULT_TENANT, &self.name)
    }

    /// The command that makes the mailbox as it stands here.
    pub fn command(&self) -> mailbox::Command {
        let config = mailbox::Config {
            greeting: self.greeting.clone(),
            longest_ms: self.longest_ms,
            messages_max: self.messages_max,
        };
        let name = self.name.clone();
        mailbox::Command::Configure { name, config }
    }
}
