//! What is known of a mailbox.

use super::event::Config;
use crate::id::VoicemailId;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// What has become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has heard it.
    New,
    /// Heard.
    Read,
    /// Heard, and to be kept.
    Saved,
}

/// A message, or the room that is kept for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kept {
    /// It is being left.
    Expected,
    /// It is there.
    Left(Status),
}

/// What has been folded from a mailbox's stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mailbox {
    /// Its name, once it was made.
    pub name: Option<String>,
    /// Its rules.
    pub config: Config,
    /// Messages that are there or being left.
    pub messages: BTreeMap<VoicemailId, Kept>,
    /// The last that are not there any more, so that who takes one away twice hears
    /// the same.
    pub gone: VecDeque<VoicemailId>,
}
