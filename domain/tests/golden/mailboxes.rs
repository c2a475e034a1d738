//! Examples of what happens to mailboxes.

use super::examples::{CALL, MESSAGE, VISIT, sealed};
use ringledger_domain::{
    call::{self, OverflowCause},
    mailbox,
};

pub(crate) fn audio() -> call::Audio {
    call::Audio {
        size_bytes: 98_778,
        sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
    }
}

pub(crate) fn all() -> impl Iterator<Item = mailbox::Event> {
    let config = mailbox::Config {
        greeting: Some("nobody-there".into()),
        longest_ms: 180_000,
        messages_max: 100,
    };
    [
        mailbox::Event::Created {
            name: "support".into(),
            config: config.clone(),
        },
        mailbox::Event::Configured { config },
        mailbox::Event::Expected {
            message: MESSAGE,
            call: CALL,
            visit: VISIT,
            cause: OverflowCause::Closed,
            greeting: Some("nobody-there".into()),
            longest_ms: 180_000,
        },
        mailbox::Event::Released {
            message: MESSAGE,
            reason: mailbox::LostReason::TooShort,
        },
        mailbox::Event::Left {
            message: MESSAGE,
            call: CALL,
            party: Some(sealed()),
            length_ms: 12_340,
            audio: audio(),
        },
        mailbox::Event::Marked {
            message: MESSAGE,
            from: mailbox::Status::New,
            to: mailbox::Status::Read,
            by: "token:desk".into(),
        },
        mailbox::Event::Deleted {
            message: MESSAGE,
            from: mailbox::Status::Read,
            by: "token:desk".into(),
        },
    ]
    .into_iter()
}
