//! What may be asked of a mailbox.

use super::{
    event::{Config, LostReason},
    state::Status,
};
use crate::{
    call::{Audio, OverflowCause},
    id::{CallId, VisitId, VoicemailId},
    sealed::{Party, Sealed},
};
use serde::{Deserialize, Serialize};

/// A message as it was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// In which call.
    pub call: CallId,
    /// Who; none of whoever shows no number.
    pub party: Option<Sealed<Party>>,
    /// How long it is.
    pub length_ms: u64,
    /// As it is kept.
    pub audio: Audio,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Have it so; it is made if there is none.
    Configure {
        /// Its name.
        name: String,
        /// Everything that can change.
        config: Config,
    },
    /// Keep room for a message of a call that a queue does not serve.
    ExpectMessage {
        /// The message.
        message: VoicemailId,
        /// Whose.
        call: CallId,
        /// The stay in the queue that it leaves for it.
        visit: VisitId,
        /// Why.
        cause: OverflowCause,
    },
    /// Take a message that was expected.
    LeaveMessage {
        /// Which.
        message: VoicemailId,
        /// What it is.
        left: Left,
    },
    /// There will be no message: its room is free again.
    ReleaseRoom {
        /// Which.
        message: VoicemailId,
        /// Why not.
        reason: LostReason,
    },
    /// Say what has become of a message.
    MarkMessage {
        /// Which.
        message: VoicemailId,
        /// What.
        status: Status,
        /// Who says so.
        by: String,
    },
    /// Take a message away for good.
    DeleteMessage {
        /// Which.
        message: VoicemailId,
        /// Who says so.
        by: String,
    },
}

impl Command {
    /// Its name, without its data: stable, part of derived ids.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Configure { .. } => "configure_mailbox",
            Self::ExpectMessage { .. } => "expect_message",
            Self::LeaveMessage { .. } => "leave_message",
            Self::ReleaseRoom { .. } => "release_room",
            Self::MarkMessage { .. } => "mark_message",
            Self::DeleteMessage { .. } => "delete_message",
        }
    }
}
