//! What a mailbox takes and what it refuses.

use super::{Command, Config, Error, Event, Left, LostReason, Mailbox, Status};
use crate::{
    call::{Audio, OverflowCause},
    id::VoicemailId,
    testing::{CALL, Given, VISIT, caller, given},
};
use uuid::Uuid;

const FIRST: VoicemailId = VoicemailId(Uuid::from_u128(1));
const SECOND: VoicemailId = VoicemailId(Uuid::from_u128(2));

fn small() -> Config {
    Config {
        greeting: Some("nobody-there".into()),
        longest_ms: 60_000,
        messages_max: 1,
    }
}

fn created() -> Event {
    Event::Created {
        name: "support".into(),
        config: small(),
    }
}

fn expect(message: VoicemailId) -> Command {
    Command::ExpectMessage {
        message,
        call: CALL,
        visit: VISIT,
        cause: OverflowCause::Full,
    }
}

fn expected(message: VoicemailId) -> Event {
    Event::Expected {
        message,
        call: CALL,
        visit: VISIT,
        cause: OverflowCause::Full,
        greeting: Some("nobody-there".into()),
        longest_ms: 60_000,
    }
}

fn audio() -> Audio {
    Audio {
        size_bytes: 24_058,
        sha256: "ab".repeat(32),
    }
}

fn leave(message: VoicemailId) -> Command {
    let left = Left {
        call: CALL,
        party: Some(caller()),
        length_ms: 3_000,
        audio: audio(),
    };
    Command::LeaveMessage { message, left }
}

fn left(message: VoicemailId) -> Event {
    Event::Left {
        message,
        call: CALL,
        party: Some(caller()),
        length_ms: 3_000,
        audio: audio(),
    }
}

fn mark(status: Status) -> Command {
    Command::MarkMessage {
        message: FIRST,
        status,
        by: "user:anna".into(),
    }
}

fn delete(message: VoicemailId) -> Command {
    Command::DeleteMessage {
        message,
        by: "user:anna".into(),
    }
}

fn deleted(from: Status) -> Event {
    Event::Deleted {
        message: FIRST,
        from,
        by: "user:anna".into(),
    }
}

fn story(events: impl IntoIterator<Item = Event>) -> Given<Mailbox> {
    given(events)
}

#[test]
fn a_mailbox_is_made_once_and_said_again_it_stays() {
    let configure = |config| Command::Configure {
        name: "support".into(),
        config,
    };
    let longer = Config {
        longest_ms: 90_000,
        ..small()
    };
    story([])
        .when(configure(small()))
        .then([created()])
        .when(configure(small()))
        .nothing()
        .when(configure(longer.clone()))
        .then([Event::Configured { config: longer }]);
}

#[test]
fn rules_that_make_no_sense_are_refused_by_name() {
    let check = |name: &str, config: Config, error| {
        let name = name.into();
        story([])
            .when(Command::Configure { name, config })
            .refused(error);
    };
    check("two words", small(), Error::InvalidName);
    let with = |change: fn(&mut Config)| {
        let mut config = small();
        change(&mut config);
        config
    };
    let mut config = with(|config| config.greeting = Some("no/path".into()));
    check("support", config, Error::InvalidGreeting);
    for longest_ms in [4_999, 600_001] {
        config = small();
        config.longest_ms = longest_ms;
        check("support", config, Error::InvalidLongest);
    }
    for messages_max in [0, 1_001] {
        config = small();
        config.messages_max = messages_max;
        check("support", config, Error::InvalidMessagesMax);
    }
}

#[test]
fn room_is_kept_for_as_many_as_there_may_be_and_no_more() {
    story([created()])
        .when(expect(FIRST))
        .then([expected(FIRST)])
        .when(expect(SECOND))
        .refused(Error::Full)
        // Asked again, it is the room that is kept already.
        .when(expect(FIRST))
        .nothing()
        .when(leave(FIRST))
        .then([left(FIRST)])
        .when(expect(SECOND))
        .refused(Error::Full)
        .when(delete(FIRST))
        .then([deleted(Status::New)])
        .when(expect(SECOND))
        .then([expected(SECOND)]);
    story([]).when(expect(FIRST)).refused(Error::Unknown);
}

#[test]
fn room_for_which_no_message_comes_is_free_again() {
    let release = || Command::ReleaseRoom {
        message: FIRST,
        reason: LostReason::TooShort,
    };
    let released = Event::Released {
        message: FIRST,
        reason: LostReason::TooShort,
    };
    story([created(), expected(FIRST)])
        .when(release())
        .then([released])
        .when(release())
        .nothing()
        .when(leave(FIRST))
        .refused(Error::UnknownMessage)
        .when(expect(SECOND))
        .then([expected(SECOND)]);
    // A message that is there stays.
    story([created(), expected(FIRST), left(FIRST)])
        .when(release())
        .nothing();
}

#[test]
fn a_message_is_left_once() {
    story([created(), expected(FIRST)])
        .when(leave(FIRST))
        .then([left(FIRST)])
        .when(leave(FIRST))
        .nothing()
        .when(leave(SECOND))
        .refused(Error::UnknownMessage);
}

#[test]
fn a_message_is_marked_as_it_changes_and_not_before_it_is_there() {
    let marked = |from, to| Event::Marked {
        message: FIRST,
        from,
        to,
        by: "user:anna".into(),
    };
    story([created(), expected(FIRST)])
        .when(mark(Status::Read))
        .refused(Error::NotLeft)
        .when(delete(FIRST))
        .refused(Error::NotLeft);
    story([created(), expected(FIRST), left(FIRST)])
        .when(mark(Status::New))
        .nothing()
        .when(mark(Status::Read))
        .then([marked(Status::New, Status::Read)])
        .when(mark(Status::Saved))
        .then([marked(Status::Read, Status::Saved)])
        .when(delete(FIRST))
        .then([deleted(Status::Saved)])
        .when(mark(Status::Read))
        .refused(Error::UnknownMessage);
}

#[test]
fn a_message_is_taken_away_once_and_told_twice_it_is_the_same() {
    story([created(), expected(FIRST), left(FIRST)])
        .when(delete(SECOND))
        .refused(Error::UnknownMessage)
        .when(delete(FIRST))
        .then([deleted(Status::New)])
        .when(delete(FIRST))
        .nothing();
    story([]).when(delete(FIRST)).refused(Error::Unknown);
}
