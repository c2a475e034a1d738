//! What can have happened to a mailbox. The stored schema: handle with care.

use super::state::Status;
use crate::{
    call::{Audio, OverflowCause},
    decider,
    id::{CallId, VisitId, VoicemailId},
    sealed::{Party, Sealed},
};
use serde::{Deserialize, Serialize};

/// A mailbox's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The announcement that callers hear before the tone; none for the tone alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
    /// How long a message may be.
    pub longest_ms: u64,
    /// Messages at most, those that are being left included.
    pub messages_max: u32,
}

/// A mailbox of which only the name was said.
impl Default for Config {
    fn default() -> Self {
        Self {
            greeting: None,
            longest_ms: 180_000,
            messages_max: 100,
        }
    }
}

/// Why there is no message although room was kept for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LostReason {
    /// The call went elsewhere or ended before it came here.
    NotTaken,
    /// Too little was said to be a message.
    TooShort,
    /// What was said could not be kept, or nobody told what came of it.
    Lost,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// It was made.
    #[serde(rename = "mailbox_created")]
    Created {
        /// Its name, for ever.
        name: String,
        /// Everything that can change.
        config: Config,
    },
    /// It was changed.
    #[serde(rename = "mailbox_configured")]
    Configured {
        /// Everything that can change.
        config: Config,
    },
    /// Room is kept for a message; the call is sent here next.
    #[serde(rename = "message_expected")]
    Expected {
        /// The message.
        message: VoicemailId,
        /// Whose.
        call: CallId,
        /// The stay in the queue that it leaves for it.
        visit: VisitId,
        /// Why.
        cause: OverflowCause,
        /// The greeting that it is to hear.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        greeting: Option<String>,
        /// How long it may be.
        longest_ms: u64,
    },
    /// There is no message: its room is free again.
    #[serde(rename = "message_room_released")]
    Released {
        /// Which.
        message: VoicemailId,
        /// Why not.
        reason: LostReason,
    },
    /// A message is there, and new.
    #[serde(rename = "message_left")]
    Left {
        /// Which.
        message: VoicemailId,
        /// In which call.
        call: CallId,
        /// Who, unless no number is shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        party: Option<Sealed<Party>>,
        /// How long it is.
        length_ms: u64,
        /// As it is kept.
        audio: Audio,
    },
    /// Something else has become of it.
    #[serde(rename = "message_marked")]
    Marked {
        /// Which.
        message: VoicemailId,
        /// What it was.
        from: Status,
        /// What it is.
        to: Status,
        /// Who says so.
        by: String,
    },
    /// It was taken away; its sound goes too.
    #[serde(rename = "message_deleted")]
    Deleted {
        /// Which.
        message: VoicemailId,
        /// What it was.
        from: Status,
        /// Who says so.
        by: String,
    },
}

impl Event {
    /// The message that it is about.
    pub const fn message(&self) -> Option<VoicemailId> {
        match self {
            Self::Expected { message, .. }
            | Self::Released { message, .. }
            | Self::Left { message, .. }
            | Self::Marked { message, .. }
            | Self::Deleted { message, .. } => Some(*message),
            Self::Created { .. } | Self::Configured { .. } => None,
        }
    }
}

impl decider::Event for Event {
    fn event_type(&self) -> &'static str {
        match self {
            Self::Created { .. } => "mailbox_created",
            Self::Configured { .. } => "mailbox_configured",
            Self::Expected { .. } => "message_expected",
            Self::Released { .. } => "message_room_released",
            Self::Left { .. } => "message_left",
            Self::Marked { .. } => "message_marked",
            Self::Deleted { .. } => "message_deleted",
        }
    }
}
