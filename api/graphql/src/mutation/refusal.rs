//! What the API itself refuses, before the rules of the domain are asked: what
//! only it can see.

use super::UserError;

/// A refusal of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No agent has that id.
    UnknownAgent,
    /// No queue has that id.
    UnknownQueue,
    /// A password is 1 to 256 characters.
    InvalidPassword,
    /// That is no network.
    InvalidNetwork,
    /// A value is written in another way than its field says.
    InvalidValue,
    /// A case of overflow leads to one place.
    InvalidOverflow,
    /// An exit has a key, and leads to one place.
    InvalidExit,
    /// A zone, day or time of a queue's hours is not written as it should be.
    InvalidHours,
    /// No time zone has that name.
    InvalidTimeZone,
    /// The queues would overflow into each other for ever.
    OverflowLoop,
    /// The settings name no such skill.
    UnknownSkill,
    /// The settings name no such announcement.
    UnknownAnnouncement,
    /// The settings name no such prompts, or have not one for each place.
    UnknownSounds,
    /// The settings name no such music.
    UnknownMusic,
    /// No mailbox has that id.
    UnknownMailbox,
    /// No message has that id.
    UnknownVoicemail,
    /// The settings name no such wrap-up code.
    UnknownWrapUpCode,
    /// A note is 1 to 2,000 characters.
    InvalidNote,
    /// The settings name no such word for taking no calls.
    UnknownNotReadyCode,
    /// Whoever takes no calls says why; where there is a word for it, it stands for that.
    InvalidNotReadyReason,
    /// The queue takes no calls at that moment.
    QueueClosed,
    /// The call waits in no queue.
    NotWaiting,
    /// The agent is offered no such call, and was not lately.
    NotOffered,
    /// The settings would make it again.
    QueueInSettings,
    /// Another queue sends calls there.
    QueueLedTo,
    /// Callers are in it.
    QueueNotEmpty,
    /// It has promised to ring people back.
    QueuePromised,
    /// The agent does not serve the queue.
    NotOfQueue,
    /// That is no number that could be rung back.
    InvalidCallbackNumber,
    /// What is written about a call is one line.
    InvalidUserField,
    /// A call that the supervisor gets would ring at the phone that hears another.
    SupervisorTakesCalls,
    /// One account pays for what comes to a number, a queue, an agent or through a trunk.
    OwnedByAnother,
}

impl Refusal {
    /// Stable code; documented under `docs/errors`.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::UnknownAgent => "input.unknown_agent",
            Self::UnknownQueue => "input.unknown_queue",
            Self::InvalidPassword => "input.invalid_password",
            Self::InvalidNetwork => "input.invalid_network",
            Self::InvalidValue => "input.invalid_value",
            Self::InvalidOverflow => "input.invalid_overflow",
            Self::InvalidExit => "input.invalid_exit",
            Self::InvalidHours => "input.invalid_hours",
            Self::InvalidTimeZone => "input.invalid_time_zone",
            Self::OverflowLoop => "input.overflow_loop",
            Self::UnknownSkill => "input.unknown_skill",
            Self::UnknownAnnouncement => "input.unknown_announcement",
            Self::UnknownSounds => "input.unknown_sounds",
            Self::UnknownMusic => "input.unknown_music",
            Self::UnknownMailbox => "input.unknown_mailbox",
            Self::UnknownVoicemail => "input.unknown_voicemail",
            Self::UnknownWrapUpCode => "input.unknown_wrap_up_code",
            Self::InvalidNote => "input.invalid_note",
            Self::UnknownNotReadyCode => "input.unknown_not_ready_code",
            Self::InvalidNotReadyReason => "input.invalid_not_ready_reason",
            Self::QueueClosed => "input.queue_closed",
            Self::NotWaiting => "input.not_waiting",
            Self::NotOfQueue => "input.not_of_queue",
            Self::NotOffered => "input.not_offered",
            Self::QueueInSettings => "input.queue_in_settings",
            Self::QueueLedTo => "input.queue_led_to",
            Self::QueueNotEmpty => "input.queue_not_empty",
            Self::QueuePromised => "input.queue_promised",
            Self::InvalidCallbackNumber => "input.invalid_callback_number",
            Self::InvalidUserField => "input.invalid_user_field",
            Self::SupervisorTakesCalls => "input.supervisor_takes_calls",
            Self::OwnedByAnother => "input.owned_by_another",
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::UnknownAgent => "agent is not known",
            Self::UnknownQueue => "queue is not known",
            Self::InvalidPassword => "password is not 1 to 256 characters",
            Self::InvalidNetwork => "allow holds something that is no network",
            Self::InvalidValue => "value is not written as its field says",
            Self::InvalidOverflow => {
                "overflow leads to one of a queue, a number, a callback, an announcement and a mailbox"
            }
            Self::InvalidExit => {
                "exit has no such key, or leads not to one of a queue, a number, a callback, an \
                 announcement and a mailbox"
            }
            Self::InvalidHours => {
                "hours hold no zone of the IANA database, or a day or time that is none"
            }
            Self::InvalidTimeZone => "time zone is none of the IANA database",
            Self::OverflowLoop => "queues would overflow into each other for ever",
            Self::UnknownSkill => "skill is not known",
            Self::UnknownAnnouncement => "announcement is not known",
            Self::UnknownSounds => {
                "sounds are not known, or have no prompt of each place up to up_to"
            }
            Self::UnknownMusic => "music is not known",
            Self::UnknownMailbox => "mailbox is not known",
            Self::UnknownVoicemail => "message is not known",
            Self::UnknownWrapUpCode => "wrap-up code is not known",
            Self::InvalidNote => "note is not 1 to 2000 characters",
            Self::UnknownNotReadyCode => "not-ready code is not known",
            Self::InvalidNotReadyReason => "reason is missing, or is not that of the code",
            Self::QueueClosed => "queue is closed",
            Self::NotWaiting => "call waits in no queue",
            Self::NotOfQueue => "agent does not serve the queue",
            Self::NotOffered => "agent has no such offer",
            Self::QueueInSettings => "queue is defined by the settings",
            Self::QueueLedTo => "leads to the queue",
            Self::QueueNotEmpty => "callers wait in the queue",
            Self::QueuePromised => "callbacks of the queue are not over",
            Self::InvalidCallbackNumber => {
                "number is not 1 to 64 digits, letters or one of + * # . - _"
            }
            Self::InvalidUserField => {
                "user field is longer than 256 characters, or has control characters"
            }
            Self::SupervisorTakesCalls => "supervisor is ready for calls, or has one",
            Self::OwnedByAnother => "belongs to another account",
        }
    }

    const fn field(self) -> &'static str {
        match self {
            Self::UnknownAgent | Self::NotOfQueue | Self::SupervisorTakesCalls => "agentId",
            Self::UnknownQueue => "queueIds",
            Self::InvalidPassword => "password",
            Self::InvalidNetwork => "allow",
            Self::InvalidValue => "input",
            Self::InvalidOverflow | Self::OverflowLoop => "overflow",
            Self::InvalidExit => "exits",
            Self::InvalidHours => "hours",
            Self::InvalidTimeZone => "timeZone",
            Self::UnknownSkill => "skills",
            Self::UnknownAnnouncement => "announcement",
            Self::UnknownSounds => "announcePosition",
            Self::UnknownMusic => "music",
            Self::UnknownMailbox => "mailboxId",
            Self::UnknownVoicemail => "voicemailId",
            Self::UnknownWrapUpCode | Self::UnknownNotReadyCode => "code",
            Self::InvalidNote => "note",
            Self::InvalidNotReadyReason => "reason",
            Self::NotWaiting => "callId",
            Self::NotOffered => "offerId",
            Self::QueueClosed
            | Self::QueueInSettings
            | Self::QueueLedTo
            | Self::QueueNotEmpty
            | Self::QueuePromised => "queueId",
            Self::InvalidCallbackNumber => "number",
            Self::OwnedByAnother => "numbers",
            Self::InvalidUserField => "userField",
        }
    }
}

impl Refusal {
    /// The same of that field, where it has another name than in most inputs.
    pub(super) fn about(self, field: &str) -> UserError {
        UserError::new(self.code(), self.message(), Some(field))
    }
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.code(), refusal.message(), Some(refusal.field()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    const ALL: [Refusal; 32] = [
        Refusal::UnknownMailbox,
        Refusal::UnknownVoicemail,
        Refusal::UnknownAgent,
        Refusal::UnknownQueue,
        Refusal::InvalidPassword,
        Refusal::InvalidNetwork,
        Refusal::InvalidValue,
        Refusal::InvalidOverflow,
        Refusal::InvalidExit,
        Refusal::InvalidHours,
        Refusal::InvalidTimeZone,
        Refusal::OverflowLoop,
        Refusal::UnknownSkill,
        Refusal::UnknownAnnouncement,
        Refusal::UnknownSounds,
        Refusal::UnknownMusic,
        Refusal::UnknownWrapUpCode,
        Refusal::InvalidNote,
        Refusal::UnknownNotReadyCode,
        Refusal::InvalidNotReadyReason,
        Refusal::QueueClosed,
        Refusal::NotWaiting,
        Refusal::NotOfQueue,
        Refusal::NotOffered,
        Refusal::QueueInSettings,
        Refusal::QueueLedTo,
        Refusal::QueueNotEmpty,
        Refusal::QueuePromised,
        Refusal::InvalidCallbackNumber,
        Refusal::InvalidUserField,
        Refusal::SupervisorTakesCalls,
        Refusal::OwnedByAnother,
    ];

    #[test]
    fn every_refusal_of_an_input_has_a_page_and_every_page_a_refusal() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
        let pages: BTreeSet<_> = fs::read_dir(&folder)
            .unwrap()
            .filter_map(|page| page.unwrap().file_name().into_string().ok())
            .filter(|page| page.starts_with("input."))
            .collect();
        let expected = ALL.map(|refusal| format!("{}.md", refusal.code()));
        assert_eq!(pages, BTreeSet::from(expected));
        for refusal in ALL {
            let page = folder.join(format!("{}.md", refusal.code()));
            let page = fs::read_to_string(page).unwrap();
            assert!(page.starts_with(&format!(
                "# {}\n\n> {}\n",
                refusal.code(),
                refusal.message()
            )));
        }
    }
}
