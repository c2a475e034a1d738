//! The rules of a series of numbers.

use super::{command::Command, error::Error, event::Event, state::Series};
use crate::time::Timestamp;

pub(super) fn decide(
    state: &Series,
    _at: Timestamp,
    command: Command,
) -> Result<Vec<Event>, Error> {
    match command {
        Command::Issue { document, prefix } => {
            if state.kind.is_some_and(|kind| kind != document.kind()) {
                return Err(Error::OtherKind);
            }
            if state.has(document) {
                return Ok(vec![]);
            }
            let number = state.last.saturating_add(1);
            Ok(vec![Event::NumberIssued {
                document,
                number,
                text: format!("{prefix}{number:08}"),
            }])
        }
    }
}
