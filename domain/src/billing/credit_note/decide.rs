//! The rules of a credit note.

use super::{command::Command, error::Error, event::Event, state::CreditNote};
use crate::time::Timestamp;

pub(super) fn decide(
    state: &CreditNote,
    at: Timestamp,
    command: Command,
) -> Result<Vec<Event>, Error> {
    match command {
        Command::Draft { document } => Ok(match state.document {
            None => vec![Event::Drafted { document }],
            Some(_) => vec![],
        }),
        Command::Issue { number } => {
            let document = state.document.as_ref().ok_or(Error::Unknown)?;
            match &state.number {
                Some(current) if *current == number => Ok(vec![]),
                Some(_) => Err(Error::Immutable),
                None => Ok(vec![Event::Issued {
                    number,
                    issued_on: document.series.day_of_issue(document.zone.date_of(at)),
                    account: document.account,
                    invoice: document.invoice,
                    total: document.totals.total,
                }]),
            }
        }
    }
}
