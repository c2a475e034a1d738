//! What a record says of a message that the caller was to leave.

use crate::value::{Columns, Corrupt, number, number_or_null, text_or_null, word};
use commands::ports::Value;
use domain::{
    call::{Event, VoicemailOutcome},
    id::{MailboxId, VoicemailId},
};
use serde::{Deserialize, Serialize};

/// The caller was in a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voicemail {
    /// Which.
    pub mailbox: MailboxId,
    /// What came of it; none while that is not known, and for ever after a crash.
    pub outcome: Option<VoicemailOutcome>,
    /// The message, if one was left.
    pub message: Option<VoicemailId>,
    /// How long it is.
    pub length_ms: u64,
    /// Position of the event that tells what came of it; 0 before that.
    pub position: u64,
}

/// How many columns it has.
pub(crate) const COLUMNS_COUNT: usize = 5;

impl Voicemail {
    /// The caller is there.
    pub(super) const fn begun(mailbox: MailboxId) -> Self {
        Self {
            mailbox,
            outcome: None,
            message: None,
            length_ms: 0,
            position: 0,
        }
    }

    /// What came of it, of an event that tells.
    pub(super) fn ended(event: &Event, position: u64) -> Option<Self> {
        let Event::VoicemailEnded {
            mailbox,
            message,
            outcome,
            length_ms,
            ..
        } = event
        else {
            return None;
        };
        Some(Self {
            mailbox: *mailbox,
            outcome: Some(*outcome),
            message: Some(*message).filter(|_| *outcome == VoicemailOutcome::Left),
            length_ms: *length_ms,
            position,
        })
    }

    /// What was known when the log had got as far as that.
    pub(super) const fn as_of(self, position: u64) -> Self {
        match self.position > position {
            true => Self::begun(self.mailbox),
            false => self,
        }
    }

    pub(super) fn values(voicemail: Option<&Self>) -> [Value; COLUMNS_COUNT] {
        [
            text_or_null(voicemail.map(|it| it.mailbox)),
            text_or_null(voicemail.and_then(|it| it.message)),
            word(&voicemail.and_then(|it| it.outcome)),
            number_or_null(voicemail.map(|it| it.length_ms)),
            number(voicemail.map_or(0, |it| it.position)),
        ]
    }

    pub(super) fn read(columns: &mut Columns) -> Result<Option<Self>, Corrupt> {
        let mailbox = columns.id_or_null()?;
        let (message, outcome) = (columns.id_or_null()?, columns.word_or_null()?);
        let length_ms = columns.number_or_null()?.unwrap_or(0);
        let position = columns.number()?;
        Ok(mailbox.map(|mailbox| Self {
            mailbox,
            outcome,
            message,
            length_ms,
            position,
        }))
    }
}
