//! A caller whom nobody serves leaves a message: the greeting of the mailbox is
//! heard, a tone, and what is said then is kept. What it sounds like, and the sound
//! itself, are the adapter's.

use super::{
    announcement::ANNOUNCEMENT_MS_MAX,
    decide::Decision,
    end::ended,
    error::Error,
    event::Event,
    key::Key,
    state::{Call, Phase},
};
use crate::{
    cause::{By, EndReason, WireCause},
    id::{LegId, MailboxId, SubjectId, VoicemailId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// What is shorter than this is no message: nobody has said anything.
pub const VOICEMAIL_MS_MIN: u64 = 1_000;
/// So long after the longest one a call ends of which nobody has told that its message
/// was taken.
const GRACE_MS: u64 = 30_000;

/// A message to be: where it goes, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voicemail {
    /// Into which mailbox.
    pub mailbox: MailboxId,
    /// The message, which the mailbox has kept room for.
    pub message: VoicemailId,
    /// The announcement that is heard before the tone; none for the tone alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
    /// How long the message may be.
    pub longest_ms: u64,
}

/// A message that a call is to leave, and whether it is known what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// In which mailbox.
    pub mailbox: MailboxId,
    /// Which.
    pub message: VoicemailId,
    /// It was told.
    pub is_told: bool,
}

/// The sound of a message, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audio {
    /// Bytes of the file.
    pub size_bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// What came of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoicemailOutcome {
    /// It was left.
    Left,
    /// Too little was said to be one.
    TooShort,
    /// It could not be kept.
    Lost,
}

impl VoicemailOutcome {
    /// What came of so much that was said, and is kept or not.
    pub const fn of(length_ms: u64, is_kept: bool) -> Self {
        match is_kept {
            _ if length_ms < VOICEMAIL_MS_MIN => Self::TooShort,
            true => Self::Left,
            false => Self::Lost,
        }
    }
}

/// The caller is answered and greeted. Nobody listens in a call that we placed.
pub(super) fn begin(call: &Call, at: Timestamp, voicemail: Voicemail) -> Decision {
    let Some(leg) = call.caller_leg.filter(|_| !call.is_placed) else {
        return Err(Error::NoCaller);
    };
    let Voicemail {
        mailbox,
        message,
        greeting,
        longest_ms,
    } = voicemail;
    // All who show no number are sealed as one: a message of one of them is nobody
    // else's, so it has a key of its own.
    let of_its_own = SubjectId(message.0);
    let began = Event::VoicemailStarted {
        leg,
        mailbox,
        message,
        subject: call.party.as_ref().map_or(of_its_own, |it| it.subject),
        greeting,
        longest_ms,
        until: at.plus_ms(ANNOUNCEMENT_MS_MAX + longest_ms + GRACE_MS),
    };
    let answered = call.answered_at.is_none().then_some(Event::Answered {});
    Ok(answered.into_iter().chain([began]).collect())
}

/// What was recorded; also after the end, once: what comes again is the same.
pub(super) fn recorded(
    call: &Call,
    message: VoicemailId,
    length_ms: u64,
    audio: Option<Audio>,
) -> Vec<Event> {
    let pending = call.voicemail;
    let Some(pending) = pending.filter(|it| it.message == message && !it.is_told) else {
        return vec![];
    };
    let outcome = VoicemailOutcome::of(length_ms, audio.is_some());
    let is_left = outcome == VoicemailOutcome::Left;
    vec![Event::VoicemailEnded {
        mailbox: pending.mailbox,
        message,
        outcome,
        length_ms,
        audio: audio.filter(|_| is_left),
        party: call.party.clone().filter(|_| is_left),
    }]
}

/// The message is over and its caller still there.
pub(super) fn over(call: &Call, at: Timestamp) -> Vec<Event> {
    match is_in_mailbox(call) {
        true => the_end(call, at, By::System),
        false => vec![],
    }
}

/// The key that ends a message.
pub(super) fn ended_by_key(call: &Call, at: Timestamp, leg: LegId, key: Key) -> Vec<Event> {
    match call.ends_message(leg, key) {
        true => the_end(call, at, By::Caller),
        false => vec![],
    }
}

/// Nobody has told that the message was taken.
pub(super) fn time_out(call: &Call, at: Timestamp, leg: LegId) -> Decision {
    match is_in_mailbox(call) && call.caller_leg == Some(leg) {
        true => Ok(the_end(call, at, By::System)),
        false => Err(Error::StaleLeg),
    }
}

fn the_end(call: &Call, at: Timestamp, by: By) -> Vec<Event> {
    ended(
        call,
        at,
        by,
        EndReason::VoicemailTaken,
        WireCause::default(),
    )
}

const fn is_in_mailbox(call: &Call) -> bool {
    match &call.phase {
        Phase::InMailbox => true,
        Phase::Unborn
        | Phase::Waiting
        | Phase::Offering(_)
        | Phase::Connected(_)
        | Phase::Forwarded(_)
        | Phase::Announcing
        | Phase::Ended(_) => false,
    }
}

impl Call {
    /// Whether that key of that leg's phone ends the message that is being left.
    pub fn ends_message(&self, leg: LegId, key: Key) -> bool {
        is_in_mailbox(self) && self.caller_leg == Some(leg) && key == Key::HASH
    }
}
