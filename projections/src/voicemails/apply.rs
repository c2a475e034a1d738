//! What each event does to a message's row.

use super::row::{Row, Status};
use crate::{
    caller::Caller,
    projection::{Effect, Input},
};
use domain::{any::AnyEvent, mailbox::Event};

pub(super) fn apply(row: &mut Option<Row>, input: &Input<'_>) -> Effect {
    let AnyEvent::Mailbox(mailbox, event) = &input.fact.event else {
        return Effect::Kept;
    };
    let (at, position) = (input.fact.at, input.fact.position);
    if let Event::Left {
        message,
        call,
        party,
        length_ms,
        audio,
    } = event
    {
        *row = Some(Row {
            message: *message,
            position,
            mailbox: *mailbox,
            call: *call,
            status: Status::New,
            person: party.as_ref().map(|it| Caller::new(it, input.party)),
            length_ms: *length_ms,
            size_bytes: audio.size_bytes,
            sha256: audio.sha256.clone(),
            left_at: at,
            marked_at: None,
            marked_by: None,
        });
        return Effect::Changed;
    }
    let Some(row) = row else {
        return Effect::Kept;
    };
    let (status, by) = match event {
        Event::Marked { to, by, .. } => (Status::of(*to), by),
        Event::Deleted { by, .. } => (Status::Deleted, by),
        Event::Created { .. }
        | Event::Configured { .. }
        | Event::Expected { .. }
        | Event::Released { .. }
        | Event::Left { .. } => return Effect::Kept,
    };
    row.position = position;
    row.status = status;
    row.marked_at = Some(at);
    row.marked_by = Some(by.clone());
    Effect::Changed
}
