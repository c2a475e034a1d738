//! A caller whom nobody serves leaves a message, and then the call ends.

use super::*;
use crate::{
    call::{Audio, Error, Key, VOICEMAIL_MS_MIN, Voicemail, VoicemailOutcome},
    id::{MailboxId, SubjectId, VoicemailId},
    testing::{NOW, SUBJECT},
};
use uuid::Uuid;

const BOX: MailboxId = MailboxId(Uuid::from_u128(71));
const MESSAGE: VoicemailId = VoicemailId(Uuid::from_u128(72));
const OTHER: VoicemailId = VoicemailId(Uuid::from_u128(73));

fn to_mailbox() -> Destination {
    Destination::Voicemail(Voicemail {
        mailbox: BOX,
        message: MESSAGE,
        greeting: Some("nobody-there".into()),
        longest_ms: 60_000,
    })
}

fn left_for_it() -> Event {
    let mut left = overflowed();
    if let Event::Overflowed { mailbox, .. } = &mut left {
        *mailbox = Some(BOX);
    }
    left
}

fn began_under(subject: SubjectId, at: Timestamp) -> Event {
    Event::VoicemailStarted {
        leg: CALLER_LEG,
        mailbox: BOX,
        message: MESSAGE,
        subject,
        greeting: Some("nobody-there".into()),
        longest_ms: 60_000,
        until: at.plus_ms(120_000 + 60_000 + 30_000),
    }
}

fn began(at: Timestamp) -> Event {
    began_under(SUBJECT, at)
}

/// In the mailbox.
fn speaking() -> Vec<Event> {
    with(
        waiting_with_music(),
        [left_for_it(), began(Timestamp::default())],
    )
}

fn audio() -> Option<Audio> {
    Some(Audio {
        size_bytes: 16_058,
        sha256: "cd".repeat(32),
    })
}

fn record(length_ms: u64, audio: Option<Audio>) -> Command {
    Command::RecordVoicemail {
        message: MESSAGE,
        length_ms,
        audio,
        is_gone: false,
    }
}

fn came_of_it(outcome: VoicemailOutcome, length_ms: u64) -> Event {
    let is_left = outcome == VoicemailOutcome::Left;
    Event::VoicemailEnded {
        mailbox: BOX,
        message: MESSAGE,
        outcome,
        length_ms,
        audio: audio().filter(|_| is_left),
        party: is_left.then(crate::testing::caller),
    }
}

fn the_end(reason: EndReason, by: By) -> Event {
    Event::Ended {
        cause: EndCause {
            result: EndResult::Success,
            reason,
            by,
            sip_status: None,
            q850: Some(16),
            reason_header: None,
        },
        disposition: Disposition::Voicemail,
        ended_at: NOW,
        incomplete: false,
        session: None,
        offer: None,
        visit: None,
        queue: None,
    }
}

fn bye() -> Command {
    Command::RecordBye {
        leg: CALLER_LEG,
        wire: WireCause::default(),
    }
}

fn press(leg: LegId, key: &str) -> Command {
    let key = key.parse().expect("a key");
    Command::RecordKey { leg, key }
}

#[test]
fn a_caller_is_answered_for_it_and_greeted() {
    story(waiting()).when(overflow(VISIT, to_mailbox())).then([
        left_for_it(),
        Event::Answered {},
        began(NOW),
    ]);
    story(waiting_with_music())
        .when(overflow(VISIT, to_mailbox()))
        .then([left_for_it(), began(NOW)]);
}

#[test]
fn what_a_caller_says_who_shows_no_number_has_a_key_of_its_own() {
    let mut history = waiting_with_music();
    for event in &mut history {
        if let Event::Received { withheld, .. } = event {
            *withheld = true;
        }
    }
    let own = SubjectId(MESSAGE.0);
    story(history)
        .when(overflow(VISIT, to_mailbox()))
        .then([left_for_it(), began_under(own, NOW)]);
}

#[test]
fn a_message_that_was_taken_ends_the_call() {
    story(speaking())
        .when(record(2_000, audio()))
        .then([
            came_of_it(VoicemailOutcome::Left, 2_000),
            the_end(EndReason::VoicemailTaken, By::System),
        ])
        .when(record(2_000, audio()))
        .nothing();
    let other = Command::RecordVoicemail {
        message: OTHER,
        length_ms: 2_000,
        audio: audio(),
        is_gone: false,
    };
    story(speaking()).when(other).nothing();
}

#[test]
fn what_a_caller_said_who_hung_up_is_told_after_the_end_and_once() {
    story(speaking())
        .when(bye())
        .then([the_end(EndReason::Hangup, By::Caller)])
        .when(record(2_000, audio()))
        .then([came_of_it(VoicemailOutcome::Left, 2_000)])
        .when(record(2_000, audio()))
        .nothing();
}

#[test]
fn what_overtakes_the_hangup_does_not_end_the_call_in_its_place() {
    let told = Command::RecordVoicemail {
        message: MESSAGE,
        length_ms: 2_000,
        audio: audio(),
        is_gone: true,
    };
    story(speaking())
        .when(told)
        .then([came_of_it(VoicemailOutcome::Left, 2_000)])
        .when(bye())
        .then([the_end(EndReason::Hangup, By::Caller)]);
}

#[test]
fn nothing_said_is_no_message_and_what_could_not_be_kept_is_lost() {
    let ended = the_end(EndReason::VoicemailTaken, By::System);
    let short = VOICEMAIL_MS_MIN - 1;
    story(speaking())
        .when(record(short, audio()))
        .then([came_of_it(VoicemailOutcome::TooShort, short), ended.clone()]);
    story(speaking())
        .when(record(VOICEMAIL_MS_MIN, None))
        .then([came_of_it(VoicemailOutcome::Lost, VOICEMAIL_MS_MIN), ended]);
}

#[test]
fn the_callers_hash_key_ends_a_message_and_no_other_key() {
    let taken = the_end(EndReason::VoicemailTaken, By::Caller);
    story(speaking())
        .when(press(CALLER_LEG, "1"))
        .nothing()
        .when(press(OTHER_LEG, "#"))
        .nothing()
        .when(press(CALLER_LEG, "#"))
        .then([taken]);
    assert_eq!(Key::HASH.to_string(), "#");
}

#[test]
fn a_message_of_which_nobody_tells_ends_at_its_time() {
    let leg = OTHER_LEG;
    story(speaking())
        .when(Command::TimeOutLeg { leg })
        .refused(Error::StaleLeg);
    let leg = CALLER_LEG;
    story(speaking())
        .when(Command::TimeOutLeg { leg })
        .then([the_end(EndReason::VoicemailTaken, By::System)]);
}

#[test]
fn a_crash_loses_what_was_said_and_anything_else_does_not() {
    let of = |reason| {
        let end = Command::EndCall {
            reason,
            ended_at: None,
            visit: None,
        };
        let events = story(speaking()).when(end).events();
        let mut ends = events.iter().filter_map(|event| {
            if let Event::Ended { disposition, .. } = event {
                Some(*disposition)
            } else {
                None
            }
        });
        ends.next().expect("it ends")
    };
    assert_eq!(of(EndReason::NodeLost), Disposition::SystemError);
    assert_eq!(of(EndReason::Shutdown), Disposition::Voicemail);
    assert_eq!(of(EndReason::Operator), Disposition::Voicemail);
}

#[test]
fn nothing_else_is_done_with_a_caller_in_a_mailbox() {
    story(speaking())
        .when(overflow(VISIT, to_forward()))
        .refused(Error::AlreadyConnected);
    story(speaking())
        .when(Command::AnswerCall)
        .refused(Error::AlreadyAnswered);
    story(speaking())
        .when(Command::RecordAnnounced { leg: CALLER_LEG })
        .nothing();
}
