//! The rules of a mailbox.

use super::{
    command::{Command, Left},
    error::{Error, check},
    event::{Config, Event, LostReason},
    state::{Kept, Mailbox, Status},
};
use crate::{
    call::OverflowCause,
    id::{CallId, VisitId, VoicemailId},
    time::Timestamp,
};

type Decision = Result<Vec<Event>, Error>;

pub(super) fn decide(mailbox: &Mailbox, _at: Timestamp, command: Command) -> Decision {
    match command {
        Command::Configure { name, config } => configure(mailbox, name, config),
        Command::ExpectMessage {
            message,
            call,
            visit,
            cause,
        } => expect(mailbox, message, call, (visit, cause)),
        Command::LeaveMessage { message, left } => leave(mailbox, message, left),
        Command::ReleaseRoom { message, reason } => Ok(release(mailbox, message, reason)),
        Command::MarkMessage {
            message,
            status,
            by,
        } => mark(mailbox, message, status, by),
        Command::DeleteMessage { message, by } => delete(mailbox, message, by),
    }
}

fn configure(mailbox: &Mailbox, name: String, config: Config) -> Decision {
    check(&name, &config)?;
    Ok(match &mailbox.name {
        None => vec![Event::Created { name, config }],
        Some(_) if mailbox.config == config => vec![],
        Some(_) => vec![Event::Configured { config }],
    })
}

/// Asked again for the same message, it is the same room.
fn expect(
    mailbox: &Mailbox,
    message: VoicemailId,
    call: CallId,
    (visit, cause): (VisitId, OverflowCause),
) -> Decision {
    if mailbox.name.is_none() {
        return Err(Error::Unknown);
    }
    if mailbox.messages.contains_key(&message) || mailbox.gone.contains(&message) {
        return Ok(vec![]);
    }
    let count = u32::try_from(mailbox.messages.len()).unwrap_or(u32::MAX);
    if count >= mailbox.config.messages_max {
        return Err(Error::Full);
    }
    Ok(vec![Event::Expected {
        message,
        call,
        visit,
        cause,
        greeting: mailbox.config.greeting.clone(),
        longest_ms: mailbox.config.longest_ms,
    }])
}

fn leave(mailbox: &Mailbox, message: VoicemailId, left: Left) -> Decision {
    match mailbox.messages.get(&message) {
        Some(Kept::Expected) => {
            let Left {
                call,
                party,
                length_ms,
                audio,
            } = left;
            Ok(vec![Event::Left {
                message,
                call,
                party,
                length_ms,
                audio,
            }])
        }
        Some(Kept::Left(_)) => Ok(vec![]),
        None => Err(Error::UnknownMessage),
    }
}

/// Told of a message that is there or that was never to be, it means nothing.
fn release(mailbox: &Mailbox, message: VoicemailId, reason: LostReason) -> Vec<Event> {
    match mailbox.messages.get(&message) {
        Some(Kept::Expected) => vec![Event::Released { message, reason }],
        Some(Kept::Left(_)) | None => vec![],
    }
}

fn mark(mailbox: &Mailbox, message: VoicemailId, to: Status, by: String) -> Decision {
    let from = there(mailbox, message)?;
    Ok(match from == to {
        true => vec![],
        false => vec![Event::Marked {
            message,
            from,
            to,
            by,
        }],
    })
}

fn delete(mailbox: &Mailbox, message: VoicemailId, by: String) -> Decision {
    if mailbox.gone.contains(&message) {
        return Ok(vec![]);
    }
    let from = there(mailbox, message)?;
    Ok(vec![Event::Deleted { message, from, by }])
}

fn there(mailbox: &Mailbox, message: VoicemailId) -> Result<Status, Error> {
    if mailbox.name.is_none() {
        return Err(Error::Unknown);
    }
    match mailbox.messages.get(&message) {
        Some(Kept::Left(status)) => Ok(*status),
        Some(Kept::Expected) => Err(Error::NotLeft),
        None => Err(Error::UnknownMessage),
    }
}
